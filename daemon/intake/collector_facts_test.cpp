// What a server says of its limits, asked through the shipped Mastodon descriptor from a server on loopback.
#include <gtest/gtest.h>

#include "adapter/descriptor_adapter.h"
#include "base/check.h"
#include "http/server.h"
#include "intake/collector.h"
#include "support/company.h"
#include "support/eventually.h"

namespace isthmus::intake {
namespace {

using namespace std::chrono_literals;

constexpr int kLane = 3;

/// The system's clock, ahead by what the test says.
class AheadClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return system_.now() + std::chrono::hours(ahead_h.load()); }
  [[nodiscard]] std::chrono::microseconds since_boot() const override { return system_.since_boot(); }
  std::atomic<int> ahead_h{0};

 private:
  SystemClock system_;
};

class FactsTest : public testing::Test {
 protected:
  FactsTest() {
    Diagnostics diagnostics;
    mastodon_ =
        adapter::load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/mastodon/descriptor.yaml", diagnostics);
    ISTHMUS_CHECK(mastodon_ != nullptr, "the shipped descriptor loads");
    server_ =
        std::move(*http::Server::open({}, clock_, [this](const http::Request& request, const http::Responder& respond) {
          if (request.path != "/api/v2/instance") return respond(http::text_response(404, "{}"));
          ++asked_;
          const int characters = characters_;
          respond(characters == 0 ? http::text_response(503, "")
                                  : http::json_response(200, R"({"configuration":{"statuses":{"max_characters":)" +
                                                                 std::to_string(characters) + "}}}"));
        }));
    epoch_ = journal::take_lanes(**company_.pool.take(), "n", 60s)->at(kLane).epoch;
    url_ = "http://127.0.0.1:" + std::to_string(server_->port());
    connection_ = company_.connect("masto", *mastodon_, url_, kLane);
    set_fields(url_);
    company_.set_secret("masto", "token", "t");
  }
  ~FactsTest() override {
    collector_.reset();
    client_->stop();
    server_->stop(1s);
  }
  void set_fields(const std::string& url) {
    company_.exec("UPDATE connection SET fields = jsonb_build_object('instance', $1::text, 'account', 'acme')", {url});
    company_.exec("UPDATE administration SET version = version + 1");
    company_.refresh();
  }
  void start() {
    collector_ = std::make_unique<Collector>(
        company_.pool, keys_, company_.directory, driver_, clock_, company_.log,
        [this](int lane) { return lane == kLane ? epoch_.load() : 0; }, [](int) {});
  }
  /// What an adapter would be told now.
  std::string facts() {
    (void)company_.directory.refresh();
    const auto world = company_.directory.current();
    return world->context_of(*world->snapshot->connection(connection_), clock_.now()).facts_json;
  }

  test::Company company_;
  AheadClock clock_;
  SystemRandom random_;
  archive::MasterKey master_ = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  journal::Keys keys_{company_.pool, master_, clock_, random_};
  std::unique_ptr<adapter::DescriptorAdapter> mastodon_;
  std::atomic<int> asked_ = 0, characters_ = 1000;
  std::unique_ptr<http::Server> server_;
  std::string url_;
  std::unique_ptr<http::Client> client_ = std::move(*http::Client::open({}));
  host::Timers timers_;
  host::ProgramThreads programs_;
  host::Driver driver_{*client_, timers_, programs_, clock_, company_.log};
  std::atomic<std::int64_t> epoch_ = 0;
  std::int64_t connection_ = 0;
  std::unique_ptr<Collector> collector_;
};

TEST_F(FactsTest, AreAskedOnceKeptOverARestartAndAskedAgainTheNextDay) {
  EXPECT_EQ(facts(), "");
  start();
  ASSERT_TRUE(test::eventually(10s, [&] { return facts() == R"({"text_max":1000})"; })) << facts();
  collector_.reset();
  characters_ = 300;
  start();
  EXPECT_FALSE(test::eventually(500ms, [&] { return asked_ > 1; })) << "a restart has them";
  clock_.ahead_h = 25;
  ASSERT_TRUE(test::eventually(10s, [&] { return facts() == R"({"text_max":300})"; })) << facts();
  EXPECT_EQ(asked_, 2);
}

TEST_F(FactsTest, OfOneServerSayNothingAboutAnother) {
  start();
  ASSERT_TRUE(test::eventually(10s, [&] { return !facts().empty(); }));
  characters_ = 300;
  set_fields(url_ + "/");  // the same server, as far as an administrator's file tells, is another
  EXPECT_TRUE(test::eventually(10s, [&] { return facts() == R"({"text_max":300})"; })) << facts();
}

TEST_F(FactsTest, AServerThatCannotSayIsAskedAgainLaterAndNotAtOnce) {
  characters_ = 0;
  start();
  ASSERT_TRUE(test::eventually(10s, [&] { return asked_ == 1; }));
  EXPECT_FALSE(test::eventually(500ms, [&] { return asked_ > 1; }));
  EXPECT_EQ(facts(), "");
  characters_ = 500;
  clock_.ahead_h = 1;
  EXPECT_TRUE(test::eventually(10s, [&] { return facts() == R"({"text_max":500})"; })) << facts();
}

// Facts that did not change are no reason for every node to read the administration again.
TEST_F(FactsTest, MoveTheAdministrationOnlyWhenTheyAreOthers) {
  start();
  ASSERT_TRUE(test::eventually(10s, [&] { return !facts().empty(); }));
  const auto version = company_.count("SELECT version FROM administration");
  clock_.ahead_h = 25;
  ASSERT_TRUE(test::eventually(10s, [&] { return asked_ == 2; }));
  ASSERT_TRUE(test::eventually(10s, [&] {
    return company_.count("SELECT count(*) FROM connection_facts WHERE at > now() + interval '24 h'") == 1;
  }));
  EXPECT_EQ(company_.count("SELECT version FROM administration"), version);
}

}  // namespace
}  // namespace isthmus::intake
