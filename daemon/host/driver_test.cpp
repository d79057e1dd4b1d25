// The driver between scripted adapters and a real HTTP server on loopback.
#include "host/driver.h"

#include <gtest/gtest.h>

#include <future>

#include "adapter/descriptor_adapter.h"
#include "http/server.h"
#include "support/company.h"
#include "support/eventually.h"

namespace isthmus::host {
namespace {

using namespace std::chrono_literals;
using adapter::First;
using adapter::HttpReply;

class DriverTest : public testing::Test {
 protected:
  DriverTest() {
    server_ =
        std::move(*http::Server::open({}, clock_, [this](const http::Request& request, const http::Responder& respond) {
          {
            const std::lock_guard lock(mutex_);
            requests_.push_back(request);
            if (request.path == "/held" || (hold_logins_ && request.path.ends_with("createSession")))
              return held_.push_back(respond);
          }
          respond(answer_ ? answer_(request) : http::text_response(200, "ok"));
        }));
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
  }
  ~DriverTest() override {
    client_->stop();
    timers_.stop();
    server_->stop(1s);
  }

  std::future<TaskEnd> begin(adapter::Task task = adapter::Check{"x"}, std::map<std::string, Bytes> blobs = {},
                             std::shared_ptr<const identity::World> world = nullptr) {
    TaskSpec spec;
    spec.world = world ? std::move(world) : company_.directory.current();
    spec.connection = connection_;
    spec.task = std::move(task);
    spec.context.connection = {{"service", url_}, {"handle", "acme.test"}};
    spec.blobs = std::move(blobs);
    auto promise = std::make_shared<std::promise<TaskEnd>>();
    TaskHooks hooks;
    hooks.on_reply = [this](const adapter::HttpRequest&, const HttpReply&) { ++replies_; };
    driver_.run(std::move(spec), std::move(hooks), [promise](TaskEnd end) { promise->set_value(std::move(end)); });
    return promise->get_future();
  }
  TaskEnd run(test::ScriptedAdapter::Advance script, adapter::Task task = adapter::Check{"x"},
              std::map<std::string, Bytes> blobs = {}) {
    adapter_.on_advance = std::move(script);
    if (connection_ == 0) connect();
    return begin(std::move(task), std::move(blobs)).get();
  }
  void connect() {
    connection_ = company_.connect("net", adapter_, url_, 3);
    company_.exec("UPDATE connection SET fields = jsonb_build_object('service', $1::text, 'handle', 'acme.test')",
                  {url_});
    company_.refresh();
  }
  std::size_t requests() {
    const std::lock_guard lock(mutex_);
    return requests_.size();
  }
  std::size_t requests_to(std::string_view path) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(
        std::count_if(requests_.begin(), requests_.end(), [&](const auto& r) { return r.path == path; }));
  }
  static adapter::Step done(std::string text = "done") { return {adapter::Done(adapter::Report{std::move(text)}), {}}; }
  static adapter::Step post(const std::string& url, adapter::Body body) {
    adapter::HttpRequest request;
    request.method = "POST";
    request.url = url;
    request.body = std::move(body);
    return {request, {}};
  }
  static std::string code(const TaskEnd& end) { return end.done ? "" : end.done.error().code; }

  test::Company company_;
  SystemClock clock_;
  std::mutex mutex_;
  std::vector<http::Request> requests_;
  std::vector<http::Responder> held_;  // requests to /held, which the test answers itself
  std::atomic<bool> hold_logins_ = false;
  std::function<http::Response(const http::Request&)> answer_;
  std::unique_ptr<http::Server> server_;
  std::string url_;
  std::unique_ptr<http::Client> client_ = std::move(*http::Client::open({}));
  Timers timers_;
  ProgramThreads programs_;
  Driver driver_{*client_, timers_, programs_, clock_, company_.log};
  test::ScriptedAdapter adapter_{"net"};
  std::atomic<int> replies_ = 0;
  std::int64_t connection_ = 0;
};

TEST_F(DriverTest, FeedsTheReplyBackAndHandsStateFromMoveToMove) {
  Bytes seen;
  const TaskEnd end =
      run([&](const auto&, const auto&, const Bytes& state, const adapter::Input& input) -> Result<adapter::Step> {
        if (std::holds_alternative<First>(input)) return test::get(url_ + "/a", "one");
        if (std::holds_alternative<HttpReply>(input)) {
          seen = state + "/" + std::get<HttpReply>(input).body;
          return adapter::Step{adapter::Wait{1, "test"}, "two"};
        }
        EXPECT_TRUE(std::holds_alternative<adapter::Waited>(input));
        return done(state);
      });
  ASSERT_TRUE(end.done);
  EXPECT_EQ(std::get<adapter::Report>(*end.done).text, "two");
  EXPECT_EQ(seen, "one/ok");
  EXPECT_EQ(end.last_status, 200);
  EXPECT_TRUE(end.sent);
  EXPECT_EQ(replies_, 1);
}

TEST_F(DriverTest, SendsNothingToAHostThatNobodyApproved) {
  const auto elsewhere =
      std::move(*http::Server::open({}, clock_, [&](const http::Request&, const http::Responder& respond) {
        ADD_FAILURE() << "a request went to a host that nobody approved";
        respond(http::text_response(200, ""));
      }));
  const std::string other = "http://127.0.0.1:" + std::to_string(elsewhere->port());
  for (const std::string& url :
       {other + "/", std::string("http://localhost:") + std::to_string(server_->port()),
        std::string("file:///etc/passwd"), "http://127.0.0.1:" + std::to_string(server_->port()) + "@evil.example/",
        std::string("no url")}) {
    const TaskEnd end = run(
        [&](const auto&, const auto&, const Bytes&, const auto&) -> Result<adapter::Step> { return test::get(url); });
    EXPECT_EQ(code(end), "host.not-approved") << url;
    EXPECT_FALSE(end.sent);
  }
  EXPECT_EQ(requests(), 0U);
}

// A `next` link that a reply gives passes the same check, and what was sent before stays told.
TEST_F(DriverTest, ALinkInAReplyIsCheckedLikeEveryAddress) {
  const TaskEnd end =
      run([&](const auto&, const auto&, const Bytes&, const adapter::Input& input) -> Result<adapter::Step> {
        return std::holds_alternative<First>(input) ? test::get(url_)
                                                    : test::get("http://169.254.169.254/latest/meta-data");
      });
  EXPECT_EQ(code(end), "host.not-approved");
  EXPECT_TRUE(end.sent);
}

TEST_F(DriverTest, TheGuardRefusesInternalAddressesUnlessTheConnectionMayReachThem) {
  connect();
  company_.exec("UPDATE connection SET internal = false");
  company_.exec("UPDATE administration SET version = version + 1");
  company_.refresh();
  std::optional<adapter::Loss> loss;
  const TaskEnd end =
      run([&](const auto&, const auto&, const Bytes&, const adapter::Input& input) -> Result<adapter::Step> {
        if (std::holds_alternative<First>(input)) return test::get(url_);
        loss = std::get<adapter::Loss>(input);
        return done();
      });
  EXPECT_TRUE(end.done);
  EXPECT_EQ(loss, adapter::Loss::refused_by_guard);
  EXPECT_EQ(requests(), 0U);
}

TEST_F(DriverTest, SixtyFourMovesAreEnoughAndOneMoreIsAFault) {
  for (const int needed : {adapter::kMovesMax, adapter::kMovesMax + 1}) {
    int moves = 0;
    const TaskEnd end = run([&](const auto&, const auto&, const Bytes&, const auto&) -> Result<adapter::Step> {
      if (++moves == needed) return done();
      return adapter::Step{adapter::Wait{0, "test"}, {}};
    });
    EXPECT_EQ(code(end), needed == adapter::kMovesMax ? "" : "adapter.fault");
  }
}

TEST_F(DriverTest, AStateOfFourKibibytesIsKeptAndOneByteMoreIsAFault) {
  for (const std::size_t size : {adapter::kStateBytesMax, adapter::kStateBytesMax + 1}) {
    const TaskEnd end =
        run([&](const auto&, const auto&, const Bytes& state, const adapter::Input& input) -> Result<adapter::Step> {
          if (std::holds_alternative<First>(input)) return adapter::Step{adapter::Wait{0, "test"}, Bytes(size, 's')};
          EXPECT_EQ(state.size(), size);
          return done();
        });
    EXPECT_EQ(code(end), size == adapter::kStateBytesMax ? "" : "adapter.fault");
  }
}

TEST_F(DriverTest, PassesOnTheAdaptersOwnErrors) {
  EXPECT_EQ(code(run([](const auto&, const auto&, const Bytes&, const auto&) -> Result<adapter::Step> {
              return fail("adapter.poison", "no");
            })),
            "adapter.poison");
}

TEST_F(DriverTest, AConnectionThatMayNotActIsNotAskedToAct) {
  connect();
  company_.exec("UPDATE connection SET descriptor_sha256 = '\\x00'");
  company_.exec("UPDATE administration SET version = version + 1");
  company_.refresh();
  const TaskEnd end = begin().get();
  EXPECT_EQ(code(end), "host.suspended");
  EXPECT_NE(end.done.error().what.find("changed"), std::string::npos);
}

TEST_F(DriverTest, PutsMediaIntoBodiesAndParts) {
  const std::map<std::string, Bytes> blobs = {{"hash", "0123456789"}};
  const auto send = [&](adapter::Body body) {
    return run(
        [&, body](const auto&, const auto&, const Bytes&, const adapter::Input& input) -> Result<adapter::Step> {
          return std::holds_alternative<First>(input) ? post(url_ + "/m", body) : done();
        },
        adapter::Check{"x"}, blobs);
  };
  const auto last_body = [&] {
    const std::lock_guard lock(mutex_);
    return requests_.back().body;
  };
  EXPECT_TRUE(send(adapter::BlobRange{"hash", 0, -1}).done);
  EXPECT_EQ(last_body(), "0123456789");
  EXPECT_TRUE(send(adapter::BlobRange{"hash", 3, 4}).done);
  EXPECT_EQ(last_body(), "3456");
  EXPECT_TRUE(send(adapter::BlobRange{"hash", 10, -1}).done);
  EXPECT_EQ(last_body(), "");
  const std::vector<adapter::Part> parts = {{"status", "", "", "text", std::nullopt},
                                            {"file", "image/png", "a.png", "", adapter::BlobRange{"hash", 8, 2}}};
  EXPECT_TRUE(send(parts).done);
  EXPECT_NE(last_body().find("filename=\"a.png\"\r\nContent-Type: image/png\r\n\r\n89\r\n"), std::string::npos)
      << last_body();
  {
    const std::lock_guard lock(mutex_);
    EXPECT_TRUE(requests_.back().headers.only("Content-Type")->starts_with("multipart/form-data; boundary="));
  }
  const std::size_t sent = requests();
  EXPECT_EQ(code(send(adapter::BlobRange{"hash", 11, -1})), "adapter.fault");
  EXPECT_EQ(code(send(adapter::BlobRange{"hash", -1, 4})), "adapter.fault");
  EXPECT_EQ(code(send(adapter::BlobRange{"hash", 8, 3})), "adapter.fault")
      << "three bytes were promised, two are there";
  EXPECT_EQ(code(send(adapter::BlobRange{"other", 0, -1})), "adapter.fault");
  EXPECT_EQ(requests(), sent);
}

/// A driver whose adapter logs in as the shipped Bluesky descriptor does.
class SessionTest : public DriverTest {
 protected:
  SessionTest() {
    Diagnostics diagnostics;
    source_ =
        adapter::load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/bluesky/descriptor.yaml", diagnostics);
    EXPECT_NE(source_, nullptr) << diagnostics.to_string();
    adapter_.auth = source_->authenticator();
    connect();
    company_.set_secret("net", "password", "app-password");
    answer_ = [this](const http::Request& request) { return serve(request); };
    adapter_.on_advance = [this](const adapter::Context& context, const auto&, const Bytes&,
                                 const adapter::Input& input) -> Result<adapter::Step> {
      if (std::holds_alternative<First>(input)) return test::get(url_ + "/data");
      const auto* reply = std::get_if<HttpReply>(&input);
      return done((reply != nullptr ? std::to_string(reply->status) : "loss") + " " +
                  (context.auth.contains("did") ? context.auth.at("did") : "nobody"));
    };
  }

  static std::string token(int number) {
    const auto expires = std::to_string(
        std::chrono::duration_cast<std::chrono::seconds>(SystemClock().now().time_since_epoch()).count() + 7200);
    return to_base64url("{}") + "." + to_base64url("{\"exp\":" + expires + ",\"n\":" + std::to_string(number) + "}") +
           ".x";
  }
  http::Response tokens() {
    access_ = token(++issued_);
    return http::json_response(200, R"({"accessJwt":")" + access_ + R"(","refreshJwt":"refresh-)" +
                                        std::to_string(issued_) + R"(","did":"did:plc:acme","handle":"acme.test"})");
  }
  http::Response serve(const http::Request& request) {
    const std::lock_guard lock(peer_mutex_);
    if (request.path.ends_with("createSession"))
      return login_status_ == 200 ? tokens()
                                  : http::json_response(login_status_, R"({"error":"AuthenticationRequired"})");
    if (request.path.ends_with("refreshSession")) {
      if (refresh_status_ != 200) return http::json_response(refresh_status_, R"({"error":"ExpiredToken"})");
      if (*request.headers.only("Authorization") != "Bearer refresh-" + std::to_string(issued_)) reused_ = true;
      return tokens();
    }
    if (request.headers.only("Authorization") != "Bearer " + access_)
      return http::json_response(401, R"({"error":"ExpiredToken"})");
    return http::json_response(200, "{}");
  }
  void expire_at_the_network() {
    const std::lock_guard lock(peer_mutex_);
    access_ = "another";
  }
  static std::string report(const TaskEnd& end) {
    if (!end.done) return to_string(end.done.error());
    if (const auto* outcomes = std::get_if<std::vector<adapter::Outcome>>(&*end.done))
      return std::string(adapter::to_string(outcomes->front().verdict));
    return std::get<adapter::Report>(*end.done).text;
  }
  std::size_t logins() { return requests_to("/xrpc/com.atproto.server.createSession"); }
  std::size_t refreshes() { return requests_to("/xrpc/com.atproto.server.refreshSession"); }

  std::unique_ptr<adapter::DescriptorAdapter> source_;
  std::mutex peer_mutex_;
  std::string access_;
  int issued_ = 0, login_status_ = 200, refresh_status_ = 200;
  bool reused_ = false;
};

TEST_F(SessionTest, FiftyTasksShareOneLoginAndOneRefresh) {
  for (int round = 0; round < 2; ++round) {
    std::vector<std::future<TaskEnd>> tasks;
    for (int i = 0; i < 50; ++i) tasks.push_back(begin());
    for (auto& task : tasks) EXPECT_EQ(report(task.get()), "200 did:plc:acme");
    EXPECT_EQ(logins(), 1U);
    EXPECT_EQ(refreshes(), static_cast<std::size_t>(round));
    expire_at_the_network();
  }
  EXPECT_FALSE(reused_);
  EXPECT_EQ(replies_, 100) << "neither logins nor refused sessions are the task's replies";
}

// A refusal that was on its way while another task renewed the session says nothing about the new one.
TEST_F(SessionTest, ALateRefusalOfTheOldSessionSpendsNoRefresh) {
  adapter_.on_advance = [this](const adapter::Context&, const adapter::Task& task, const Bytes&,
                               const adapter::Input& input) -> Result<adapter::Step> {
    if (std::holds_alternative<First>(input)) return test::get(url_ + std::get<adapter::Check>(task).what);
    return done(std::to_string(std::get<HttpReply>(input).status));
  };
  EXPECT_EQ(report(begin(adapter::Check{"/data"}).get()), "200");
  auto late = begin(adapter::Check{"/held"});
  ASSERT_TRUE(test::eventually(5s, [&] { return requests_to("/held") == 1; }));
  expire_at_the_network();
  EXPECT_EQ(report(begin(adapter::Check{"/data"}).get()), "200");
  EXPECT_EQ(refreshes(), 1U);
  const auto answer = [&](int status) {
    const std::lock_guard lock(mutex_);
    held_.back()(http::json_response(status, status == 401 ? R"({"error":"ExpiredToken"})" : "{}"));
  };
  answer(401);
  ASSERT_TRUE(test::eventually(5s, [&] { return requests_to("/held") == 2; }));
  answer(200);
  EXPECT_EQ(report(late.get()), "200");
  EXPECT_EQ(refreshes(), 1U);
}

TEST_F(SessionTest, ARefusedRefreshIsFollowedByALoginWithinTheTask) {
  EXPECT_EQ(report(begin().get()), "200 did:plc:acme");
  expire_at_the_network();
  refresh_status_ = 400;
  EXPECT_EQ(report(begin().get()), "200 did:plc:acme");
  EXPECT_EQ(logins(), 2U);
  EXPECT_EQ(refreshes(), 1U);
}

// A person gave another password because the old one must open nothing any more.
TEST_F(SessionTest, ASecretThatChangesEndsTheSessionThatTheOldOneOpened) {
  EXPECT_EQ(report(begin().get()), "200 did:plc:acme");
  const auto old_world = company_.directory.current();
  const std::string old_token = access_;
  company_.exec("UPDATE administration SET version = version + 1");
  company_.refresh();
  EXPECT_EQ(report(begin().get()), "200 did:plc:acme");
  EXPECT_EQ(logins(), 1U) << "another change of the administration ends nothing";
  company_.set_secret("net", "password", "another password");
  EXPECT_EQ(report(begin().get()), "200 did:plc:acme");
  EXPECT_EQ(logins(), 2U);
  EXPECT_EQ(refreshes(), 0U) << "the old session's refresh token is forgotten too";
  {
    const std::lock_guard lock(mutex_);
    EXPECT_EQ(*requests_.back().headers.only("Authorization"), "Bearer " + access_);
    EXPECT_NE(access_, old_token);
    EXPECT_NE(requests_[requests_.size() - 2].body.find("another password"), std::string::npos);
  }
  EXPECT_EQ(report(begin(adapter::Check{"x"}, {}, old_world).get()), "200 did:plc:acme");
  EXPECT_EQ(logins(), 2U) << "a task that began before the change takes the new session, and ends none";
}

TEST_F(SessionTest, ALoginThatIsUnderWayWhenItsSecretChangesCountsNoMore) {
  hold_logins_ = true;
  auto early = begin();
  ASSERT_TRUE(test::eventually(5s, [&] { return logins() == 1; }));
  company_.set_secret("net", "password", "another password");
  auto late = begin();
  hold_logins_ = false;
  {
    const std::lock_guard lock(mutex_);
    held_.back()(http::json_response(200, R"({"accessJwt":"of the old","refreshJwt":"r","did":"d","handle":"h"})"));
  }
  EXPECT_EQ(report(early.get()), "200 did:plc:acme");
  EXPECT_EQ(report(late.get()), "200 did:plc:acme");
  EXPECT_EQ(logins(), 2U);
  const std::lock_guard lock(mutex_);
  for (const http::Request& request : requests_) EXPECT_NE(request.headers.only("Authorization"), "Bearer of the old");
}

TEST_F(SessionTest, ANetworkThatRefusesAFreshSessionIsAskedTwiceAndNoMore) {
  answer_ = [this](const http::Request& request) {
    return request.path == "/data" ? http::json_response(401, R"({"error":"ExpiredToken"})") : serve(request);
  };
  EXPECT_EQ(report(begin().get()), "401 did:plc:acme");
  EXPECT_EQ(requests_to("/data"), 2U);
  EXPECT_EQ(logins() + refreshes(), 2U);
}

TEST_F(SessionTest, AFailedLoginIsTheVerdictOfEveryCommandThatWaitedForIt) {
  login_status_ = 401;
  adapter::Deliver deliver;
  deliver.commands.resize(2);
  deliver.commands[0].id = "a";
  deliver.commands[1].id = "b";
  const TaskEnd end = begin(deliver).get();
  ASSERT_TRUE(end.done);
  const auto& outcomes = std::get<std::vector<adapter::Outcome>>(*end.done);
  ASSERT_EQ(outcomes.size(), 2U);
  EXPECT_EQ(outcomes[1].command_id, "b");
  EXPECT_EQ(outcomes[1].verdict, adapter::Verdict::reauth);
  EXPECT_FALSE(end.sent) << "nothing of the task itself was sent";
  EXPECT_EQ(requests_to("/data"), 0U);
  login_status_ = 503;
  EXPECT_EQ(report(begin().get()), "RETRY") << "a network that is down kills no grant";
  login_status_ = 200;
  EXPECT_EQ(report(begin().get()), "200 did:plc:acme");
}

TEST_F(SessionTest, TellsWhatTheAdapterKnewOfItsLogin) { EXPECT_EQ(begin().get().auth.at("did"), "did:plc:acme"); }

TEST_F(SessionTest, AMissingSecretIsMisconfigured) {
  company_.exec("DELETE FROM connection_secret");
  company_.exec("UPDATE administration SET version = version + 1");
  company_.refresh();
  EXPECT_EQ(report(begin().get()), "MISCONFIGURED");
  EXPECT_EQ(requests(), 0U);
}

// A hung program holds its own threads and nobody else's.
TEST_F(DriverTest, AProgramThatHangsHoldsNeitherTheCallerNorOtherAdapters) {
  std::promise<void> let_go;
  const std::shared_future<void> gone = let_go.get_future().share();
  test::ScriptedAdapter program("program");
  program.program = true;
  program.on_advance = [gone](const auto&, const auto&, const Bytes&, const auto&) -> Result<adapter::Step> {
    gone.wait();
    return done("at last");
  };
  const std::int64_t hung = company_.connect("hung", program, url_, 4);
  connect();
  const auto begin_hung = [&] {
    TaskSpec spec;
    spec.world = company_.directory.current();
    spec.connection = hung;
    spec.task = adapter::Check{"x"};
    auto promise = std::make_shared<std::promise<TaskEnd>>();
    driver_.run(std::move(spec), {}, [promise](TaskEnd end) { promise->set_value(std::move(end)); });
    return promise->get_future();
  };
  std::vector<std::future<TaskEnd>> waiting;
  for (int i = 0; i < 2 * ProgramThreads::kThreads; ++i) waiting.push_back(begin_hung());  // returns at once
  adapter_.on_advance = [](const auto&, const auto&, const Bytes&, const auto&) -> Result<adapter::Step> {
    return done();
  };
  EXPECT_TRUE(begin().get().done) << "an adapter of this process goes on";
  for (auto& one : waiting) EXPECT_EQ(one.wait_for(0s), std::future_status::timeout);
  let_go.set_value();
  for (auto& one : waiting) {
    const TaskEnd end = one.get();
    ASSERT_TRUE(end.done) << end.done.error().what;
    EXPECT_EQ(std::get<adapter::Report>(*end.done).text, "at last");
  }
  programs_.stop();
  EXPECT_EQ(code(begin_hung().get()), "adapter.unavailable") << "after the stop nothing is begun";
}

}  // namespace
}  // namespace isthmus::host
