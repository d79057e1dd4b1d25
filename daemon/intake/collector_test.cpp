#include "intake/collector.h"

#include <gtest/gtest.h>

#include "http/detail/test_peer.h"
#include "journal/codec.h"
#include "support/company.h"
#include "support/eventually.h"

namespace isthmus::intake {
namespace {

using namespace std::chrono_literals;
using http::detail::TestPeer;

constexpr int kLane = 3;

class CollectorTest : public testing::Test {
 protected:
  CollectorTest() { epoch_ = journal::take_lanes(**company_.pool.take(), "n", 60s)->at(kLane).epoch; }
  ~CollectorTest() override {
    collector_.reset();
    client_->stop();
  }

  /// One connection that collects stream "s", with the adapter's script.
  void start(test::ScriptedAdapter::Advance script, const std::string& collect = R"({"s": 50})") {
    adapter_.on_advance = std::move(script);
    connection_ = company_.connect("net", adapter_, peer_.url(""), kLane, collect);
    company_.refresh();
    run();
  }
  void run() {
    collector_ = std::make_unique<Collector>(
        company_.pool, keys_, company_.directory, driver_, clock_, company_.log,
        [this](int lane) { return lane == kLane ? epoch_.load() : 0; }, [this](int) { ++woken_; });
  }
  void stop() { collector_.reset(); }
  std::string cursor() {
    auto rows = company_.exec("SELECT cursor FROM stream_cursor");
    return rows.empty() ? "none" : std::string(rows.bytes(0, 0));
  }
  std::int64_t fails() {
    auto rows = company_.exec("SELECT fails FROM stream_cursor");
    return rows.empty() ? 0 : rows.number(0, 0);
  }
  std::int64_t rows() { return company_.count("SELECT count(*) FROM inbox"); }
  static adapter::Step page(Bytes next, bool more) { return {adapter::Done(adapter::Page{std::move(next), more}), {}}; }
  static const Bytes& cursor_of(const adapter::Task& task) { return std::get<adapter::Collect>(task).cursor; }

  test::Company company_;
  TestPeer peer_{[](TestPeer::Connection& c, int) {
    while (!c.request().empty())
      c.send("HTTP/1.1 200 OK\r\nSet-Cookie: a=b\r\nX-Kept: yes\r\nContent-Length: 2\r\n\r\n[]");
  }};
  SystemClock clock_;
  SystemRandom random_;
  archive::MasterKey master_ = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  journal::Keys keys_{company_.pool, master_, clock_, random_};
  std::unique_ptr<http::Client> client_ = std::move(*http::Client::open({}));
  host::Timers timers_;
  host::ProgramThreads programs_;
  host::Driver driver_{*client_, timers_, programs_, clock_, company_.log};
  test::ScriptedAdapter adapter_{"net"};
  std::atomic<std::int64_t> epoch_ = 0;
  std::atomic<int> woken_ = 0;
  std::int64_t connection_ = 0;
  std::unique_ptr<Collector> collector_;
};

TEST_F(CollectorTest, JournalsAPageTogetherWithTheCursorThatFollowsIt) {
  start(
      [this](const auto&, const adapter::Task& task, const Bytes&,
             const adapter::Input& input) -> Result<adapter::Step> {
        if (std::holds_alternative<adapter::First>(input))
          return test::get(peer_.url("/list?after=" + cursor_of(task)));
        return page(cursor_of(task) + "i", cursor_of(task).size() < 2);
      },
      R"({"s": 3600000})");
  ASSERT_TRUE(test::eventually(10s, [&] { return cursor() == "iii"; })) << cursor();
  stop();
  const auto read = *journal::read_inbox(**company_.pool.take(), kLane, 0, 10);
  ASSERT_EQ(read.size(), 3U) << "three pages of one run, then the period";
  EXPECT_GE(woken_, 1);
  const journal::Exchange& e = read[2].exchange;
  EXPECT_EQ(e.kind, journal::ExchangeKind::poll);
  EXPECT_EQ(e.stream, "s");
  EXPECT_EQ(e.status, 200);
  const auto call =
      *journal::decode_call(*keys_.open(e.call.key, e.call.bytes, journal::call_binding(e.connection, e.received)));
  EXPECT_EQ(call.path, "/list");
  EXPECT_EQ(call.query, "after=ii");
  EXPECT_EQ(call.body, "[]");
  EXPECT_EQ(call.stream, "s");
  bool kept = false;
  for (const auto& header : call.headers) {
    EXPECT_FALSE(http::equal_ignoring_case(header.name, "Set-Cookie"));
    kept = kept || header.name == "X-Kept";
  }
  EXPECT_TRUE(kept);
}

TEST_F(CollectorTest, GoesOnAfterARestartFromTheCommittedCursor) {
  std::mutex mutex;
  std::vector<Bytes> asked;
  start([&](const auto&, const adapter::Task& task, const Bytes&, const adapter::Input&) -> Result<adapter::Step> {
    const std::lock_guard lock(mutex);
    asked.push_back(cursor_of(task));
    return page("after", false);
  });
  ASSERT_TRUE(test::eventually(10s, [&] { return cursor() == "after"; }));
  stop();
  const auto before = [&] {
    const std::lock_guard lock(mutex);
    return asked.size();
  }();
  run();
  ASSERT_TRUE(test::eventually(10s, [&] {
    const std::lock_guard lock(mutex);
    return asked.size() > before;
  }));
  const std::lock_guard lock(mutex);
  EXPECT_EQ(asked[before], "after");
}

class AT10 : public CollectorTest {};

TEST_F(AT10, ThePageThatLeadsToItselfStopsTheRunAndLeavesTheCursor) {
  std::atomic<int> asked = 0;
  start([&](const auto&, const adapter::Task&, const Bytes&, const adapter::Input&) -> Result<adapter::Step> {
    ++asked;
    return page("a", true);  // "" -> a -> a
  });
  ASSERT_TRUE(test::eventually(10s, [&] { return fails() == 1; }));
  EXPECT_EQ(cursor(), "a");
  EXPECT_EQ(asked, 2);
  EXPECT_NE(company_.exec("SELECT reason FROM stream_cursor").text(0, 0).find("same page"), std::string::npos);
}

TEST_F(AT10, ACircleOfPagesStopsToo) {
  std::atomic<int> asked = 0;
  start([&](const auto&, const adapter::Task& task, const Bytes&, const adapter::Input&) -> Result<adapter::Step> {
    ++asked;
    const Bytes& at = cursor_of(task);
    return page(at.empty() ? "a" : at == "a" ? "b" : at == "b" ? "c" : "a", true);  // "" -> a -> b -> c -> a
  });
  ASSERT_TRUE(test::eventually(10s, [&] { return fails() == 1; }));
  EXPECT_EQ(cursor(), "c");
  EXPECT_EQ(asked, 4);
}

TEST_F(AT10, AnEndThatGivesTheCursorBackIsNoCircle) {
  std::atomic<int> asked = 0;
  start([&](const auto&, const adapter::Task&, const Bytes&, const adapter::Input&) -> Result<adapter::Step> {
    ++asked;
    return page("a", false);  // a stable cursor: nothing new since
  });
  ASSERT_TRUE(test::eventually(10s, [&] { return asked >= 3; }));
  EXPECT_EQ(fails(), 0);
}

TEST_F(CollectorTest, AFailureBacksOffNotSoonerThanTheNetworkAskedAlsoAfterARestart) {
  const std::int64_t asked_for = to_ms(clock_.now()) + 3'600'000;
  std::atomic<int> asked = 0;
  start([&](const auto&, const adapter::Task&, const Bytes&, const adapter::Input&) -> Result<adapter::Step> {
    ++asked;
    adapter::Outcome slow;
    slow.verdict = adapter::Verdict::throttled;
    slow.not_before_ms = asked_for;
    slow.reason = std::string("429 \0 slow down", 16);  // what a network says may hold anything
    return adapter::Step{adapter::Done(std::vector{slow}), {}};
  });
  ASSERT_TRUE(test::eventually(10s, [&] { return fails() == 1; }));
  EXPECT_EQ(to_ms(company_.exec("SELECT due FROM stream_cursor").instant(0, 0)), asked_for);
  stop();
  run();
  EXPECT_FALSE(test::eventually(500ms, [&] { return asked > 1; })) << "it asked again before the time";
}

TEST_F(CollectorTest, WaitsLongerWithEachFailureAndForgetsThemAfterASuccess) {
  std::atomic<int> asked = 0;
  start([&](const auto&, const adapter::Task&, const Bytes&, const adapter::Input&) -> Result<adapter::Step> {
    if (++asked <= 2) return fail("adapter.fault", "broken");
    return page("a", false);
  });
  ASSERT_TRUE(test::eventually(10s, [&] { return fails() == 1; }));
  const auto first = company_.exec(
      "SELECT due > now() + interval '500 milliseconds' AND due < now() + interval '1 second' FROM stream_cursor");
  EXPECT_TRUE(first.truth(0, 0));
  ASSERT_TRUE(test::eventually(10s, [&] { return fails() == 2; }));
  EXPECT_TRUE(company_.exec("SELECT due > now() + interval '1500 milliseconds' FROM stream_cursor").truth(0, 0));
  ASSERT_TRUE(test::eventually(10s, [&] { return cursor() == "a"; }));
  EXPECT_EQ(fails(), 0);
}

TEST_F(CollectorTest, JournalsNothingForALaneThatWasLostMeanwhile) {
  std::atomic<bool> go = false, running = false;
  start([&](const auto&, const adapter::Task&, const Bytes& state, const adapter::Input&) -> Result<adapter::Step> {
    running = true;
    if (!go) return adapter::Step{adapter::Wait{20, "test"}, state};
    return page("late", false);
  });
  ASSERT_TRUE(test::eventually(10s, [&] { return running.load(); }));
  // Another node takes the lane, moves the cursor and gives the lane back while our page is on its way.
  company_.exec("UPDATE lane SET epoch = epoch + 2 WHERE lane = 3");
  company_.exec(
      "INSERT INTO stream_cursor (lane, connection, stream, cursor, due) VALUES (3, $1, 's', 'theirs', now() + "
      "interval '1 hour')",
      {store::Param::integer(connection_)});
  epoch_ += 2;
  go = true;
  EXPECT_FALSE(test::eventually(700ms, [&] { return cursor() != "theirs"; })) << cursor();
  EXPECT_EQ(rows(), 0);
}

TEST_F(CollectorTest, CollectsNothingForLanesOfOthers) {
  epoch_ = 0;
  std::atomic<int> asked = 0;
  start([&](const auto&, const adapter::Task&, const Bytes&, const adapter::Input&) -> Result<adapter::Step> {
    ++asked;
    return page("a", false);
  });
  EXPECT_FALSE(test::eventually(400ms, [&] { return asked > 0; }));
}

}  // namespace
}  // namespace isthmus::intake
