// The driver against a real server on loopback that counts requests in fixed windows, tells what is left in its
// headers, and would refuse what is too many.
#include <gtest/gtest.h>

#include <future>

#include "host/driver.h"
#include "http/server.h"
#include "support/company.h"
#include "support/eventually.h"

namespace isthmus::host {
namespace {

using namespace std::chrono_literals;
using adapter::First;
using adapter::HttpReply;

class LimitsTest : public testing::Test {
 protected:
  static constexpr std::int64_t kLimit = 5;
  static constexpr std::int64_t kWindowMs = 2000;

  LimitsTest() {
    server_ = std::move(*http::Server::open(
        {}, clock_, [this](const http::Request& request, const http::Responder& respond) { respond(serve(request)); }));
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
    adapter_.description.limits.remaining = "X-Remaining";
    adapter_.description.limits.limit = "X-Limit";
    adapter_.description.limits.reset = "X-Reset";
    adapter_.description.limits.buckets = {{"posts", "POST", "/posts", kLimit, kWindowMs, 1}};
    adapter_.on_advance = [this](const adapter::Context&, const adapter::Task& task, const Bytes& state,
                                 const adapter::Input& input) { return act(task, state, input); };
    connection_ = company_.connect("net", adapter_, url_, 3);
    neighbour_ = company_.connect("neighbour", adapter_, url_, 4);
    company_.refresh();
  }
  ~LimitsTest() override {
    client_->stop();
    timers_.stop();
    server_->stop(1s);
  }

  http::Response serve(const http::Request& request) {
    if (request.path != "/posts") {
      ++others_;
      return http::text_response(200, "ok");
    }
    const std::lock_guard lock(mutex_);
    const std::int64_t now_ms = to_ms(clock_.now());
    if (now_ms / kWindowMs != window_) {
      window_ = now_ms / kWindowMs;
      used_ = 0;
    }
    const bool allowed = used_ < kLimit;
    allowed ? ++used_ : ++refused_;
    taken_ += allowed ? 1 : 0;
    http::Response response = http::text_response(allowed ? 200 : 429, "ok");
    response.headers.add("X-Limit", std::to_string(kLimit));
    response.headers.add("X-Remaining", std::to_string(kLimit - used_));
    response.headers.add("X-Reset", std::to_string((window_ + 1) * kWindowMs / 1000));
    return response;
  }

  /// As many requests as the task's command says, one after the other; "other": one that counts against no bucket.
  Result<adapter::Step> act(const adapter::Task& task, const Bytes& state, const adapter::Input& input) const {
    const auto* deliver = std::get_if<adapter::Deliver>(&task);
    const std::string what = deliver != nullptr ? deliver->commands.front().body : "1";
    const auto* reply = std::get_if<HttpReply>(&input);
    const int sent = state.empty() ? 0 : std::stoi(state);
    if (reply != nullptr && reply->status == 429) return end(adapter::Verdict::throttled);
    if (reply != nullptr && (what == "other" || sent == std::stoi(what))) return end(adapter::Verdict::delivered);
    adapter::HttpRequest request;
    request.method = "POST";
    request.url = url_ + (what == "other" ? "/other" : "/posts");
    return adapter::Step{request, std::to_string(sent + 1)};
  }
  static adapter::Step end(adapter::Verdict verdict) {
    adapter::Outcome outcome;
    outcome.command_id = "c";
    outcome.verdict = verdict;
    return {adapter::Done(std::vector<adapter::Outcome>{outcome}), {}};
  }

  std::future<TaskEnd> begin(const std::string& body, std::int64_t connection) {
    TaskSpec spec;
    spec.world = company_.directory.current();
    spec.connection = connection;
    spec.kind = body;
    adapter::Command command;
    command.id = "c";
    command.body = body;
    spec.task =
        body == "collect" ? adapter::Task(adapter::Collect{"s", "", 10}) : adapter::Task(adapter::Deliver{{command}});
    auto promise = std::make_shared<std::promise<TaskEnd>>();
    driver_.run(std::move(spec), {}, [promise](TaskEnd ended) { promise->set_value(std::move(ended)); });
    return promise->get_future();
  }
  static adapter::Outcome outcome(const TaskEnd& end) {
    return end.done ? std::get<std::vector<adapter::Outcome>>(*end.done).front() : adapter::Outcome();
  }
  /// Runs it until it is delivered, as delivery and collectors do: again at the time that it was told.
  void insist(const std::string& body, std::int64_t connection, std::atomic<int>& done) {
    for (int tries = 0; tries < 50; ++tries) {
      const TaskEnd ended = begin(body, connection).get();
      if (outcome(ended).verdict == adapter::Verdict::delivered) {
        ++done;
        return;
      }
      const Instant until = from_ms(outcome(ended).not_before_ms);
      (void)test::eventually(10s, [&] { return clock_.now() >= until; });
    }
  }

  test::Company company_;
  SystemClock clock_;
  std::mutex mutex_;
  std::int64_t window_ = -1, used_ = 0;
  int refused_ = 0, taken_ = 0;
  std::atomic<int> others_ = 0;
  std::unique_ptr<http::Server> server_;
  std::string url_;
  std::unique_ptr<http::Client> client_ = std::move(*http::Client::open({}));
  Timers timers_;
  ProgramThreads programs_;
  Driver driver_{*client_, timers_, programs_, clock_, company_.log};
  test::ScriptedAdapter adapter_{"net"};
  std::int64_t connection_ = 0, neighbour_ = 0;
};

TEST_F(LimitsTest, WhatIsSentAndWhatIsCollectedShareALimitAndNeverMeetARefusalThatWasAnnounced) {
  constexpr int kSenders = 10;
  std::atomic<int> done = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kSenders; ++i)
      threads.emplace_back([&, i] { insist(i % 3 == 2 ? "collect" : "1", connection_, done); });
  }
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(done, kSenders);
  EXPECT_EQ(taken_, kSenders);
  EXPECT_EQ(refused_, 0);
}

TEST_F(LimitsTest, ATaskWhoseLimitIsUsedUpIsNotBegunAndNeighboursAre) {
  for (int i = 0; i < 4 * kLimit && (i == 0 || driver_.room(connection_, "1") > 0); ++i)
    (void)begin("1", connection_).get();
  EXPECT_EQ(driver_.room(connection_, "1"), 0);
  const TaskEnd held = begin("1", connection_).get();
  EXPECT_TRUE(held.held_back);
  EXPECT_FALSE(held.sent);
  EXPECT_EQ(held.bucket, "posts");
  EXPECT_EQ(outcome(held).verdict, adapter::Verdict::throttled);
  EXPECT_GT(outcome(held).not_before_ms, to_ms(clock_.now()));
  EXPECT_EQ(outcome(begin("other", connection_).get()).verdict, adapter::Verdict::delivered) << "another limit";
  EXPECT_GT(driver_.room(neighbour_, "1"), 0) << "another connection has limits of its own";
  EXPECT_FALSE(begin("1", neighbour_).get().held_back);
}

TEST_F(LimitsTest, InTheMiddleOfATaskTheNextRequestWaitsForTheReset) {
  const TaskEnd end = begin("7", connection_).get();
  EXPECT_EQ(outcome(end).verdict, adapter::Verdict::delivered);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(taken_, 7);
  EXPECT_EQ(refused_, 0);
}

TEST_F(LimitsTest, InTheMiddleOfATaskALongWaitIsToldToTheAdapterAsTheNetworkWouldTellIt) {
  adapter_.description.limits.buckets[0].rate = 2;
  adapter_.description.limits.buckets[0].window_ms = 3'600'000;
  adapter_.description.limits.remaining = "X-Nothing";
  adapter_.description.limits.limit = adapter_.description.limits.reset = "";
  const TaskEnd end = begin("3", connection_).get();
  EXPECT_EQ(outcome(end).verdict, adapter::Verdict::throttled);
  EXPECT_FALSE(end.held_back) << "something was sent: the adapter alone knows what that means";
  EXPECT_EQ(end.last_status, 429);
  const std::lock_guard lock(mutex_);
  EXPECT_EQ(taken_, 2);
}

}  // namespace
}  // namespace isthmus::host
