// A database that stops in mid-load. Nobody is told 2xx for what was not committed; what was told 2xx is there exactly
// once afterwards and reaches the CRM; the daemon lives through it and says truly whether it is ready.

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <thread>

#include "base/guarded.h"
#include "support/eventually.h"
#include "support/postgres.h"
#include "system/forms.h"

namespace isthmus::test {
namespace {

using std::chrono::seconds;

/// Senders that give one lead after the other to the public door, each on a connection of its own, and one again until
/// it is taken; they end with the daemon.
class Load {
 public:
  Load(std::uint16_t port, int senders) : port_(port) {
    for (int sender = 0; sender < senders; ++sender)
      threads_.emplace_back([this, sender](const std::stop_token& stop) { run(stop, sender); });
  }
  void stop() { threads_.clear(); }
  [[nodiscard]] int taken() const { return taken_; }      ///< answered 2xx
  [[nodiscard]] int refused() const { return refused_; }  ///< answered 503
  [[nodiscard]] int odd() const { return odd_; }          ///< answered otherwise
  /// Every lead that was sent, and whether it was taken.
  [[nodiscard]] std::map<std::string, bool> leads() const {
    return leads_.with([](const auto& all) { return all; });
  }

 private:
  void run(const std::stop_token& stop, int sender) {
    auto socket = std::make_unique<Socket>(port_);
    for (int n = 0; !stop.stop_requested() && socket->connected();) {
      const std::string id = "l" + std::to_string(sender) + "-" + std::to_string(n);
      const auto reply = send(*socket, Hook::lead(id));
      const bool good = reply && reply->status == 204;
      leads_.with([&](auto& all) { all[id] = good; });
      if (good) ++n;
      if (!reply) {
        socket = std::make_unique<Socket>(port_);
      } else {
        ++(good ? taken_ : reply->status == 503 ? refused_ : odd_);
      }
    }
  }

  std::uint16_t port_;
  std::atomic<int> taken_{0}, refused_{0}, odd_{0};
  Guarded<std::map<std::string, bool>> leads_;
  std::vector<std::jthread> threads_;
};

class Outage : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(company.open()); }

  /// Whatever was not taken is sent again, as its sender would; then each lead is in the books and at the CRM once.
  void expect_each_once(const Load& load) {
    EXPECT_EQ(load.odd(), 0) << "answered with something else than 204 and 503";
    const auto leads = load.leads();
    for (const auto& [id, taken] : leads) {
      if (taken) continue;
      EXPECT_EQ(send(company.bridge.public_port(), Hook::lead(id)).status, 204) << id;
    }
    const auto all = static_cast<std::int64_t>(leads.size());
    auto books = books_when(
        company.bridge, [&](auto& b) { return b["commands.delivered"] == all; }, seconds(60));
    EXPECT_EQ(books["calls.inbox"], all);
    EXPECT_EQ(books["calls.routed"], all);
    EXPECT_EQ(books["commands.made"], all);
    EXPECT_EQ(books["commands.delivered"] + books["commands.duplicate"], all) << company.bridge.parked();
    const auto arrived = company.crm.leads();
    EXPECT_EQ(arrived.size(), leads.size());
    for (const auto& [id, keys] : arrived) EXPECT_EQ(keys.size(), 1U) << id << " went out under more than one key";
    company.expect_settled();
  }
  bool is_ready(bool wanted) {
    return eventually(seconds(40), [&] { return company.bridge.probe("/readyz") == (wanted ? 200 : 503); });
  }

  FormsCompany company;
};

TEST_F(Outage, OfAServerThatDiesInMidLoadLosesNothingThatWasAccepted) {
  Load load(company.bridge.public_port(), 6);
  ASSERT_TRUE(eventually(seconds(20), [&] { return load.taken() > 200; }));
  Postgres::instance().stop();
  EXPECT_TRUE(is_ready(false)) << company.bridge.log();
  EXPECT_TRUE(eventually(seconds(20), [&] { return load.refused() > 50; }));
  EXPECT_EQ(company.bridge.probe("/healthz"), 200) << "a dead database is readiness, not liveness";
  Postgres::instance().start();
  EXPECT_TRUE(is_ready(true)) << company.bridge.log();
  const int before = load.taken();
  EXPECT_TRUE(eventually(seconds(20), [&] { return load.taken() > before + 100; }));
  load.stop();
  EXPECT_TRUE(company.bridge.running());
  expect_each_once(load);
}

/// The server and its children, which answer nothing while they are stopped.
std::vector<pid_t> server_processes() {
  std::ifstream in(Postgres::instance().folder() + "/data/postmaster.pid");
  pid_t server = 0;
  in >> server;
  std::vector<pid_t> all{server};
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    const std::string stat = read_text(entry.path() / "stat");
    const auto end = stat.rfind(')');  // "pid (name) state ppid ..."
    if (end == std::string::npos || end + 4 > stat.size()) continue;
    if (std::atoi(stat.c_str() + end + 4) == server) all.push_back(std::atoi(name.c_str()));
  }
  return all;
}

TEST_F(Outage, OfAServerThatHangsInMidLoadIsAnsweredWith503AndEndsWhereItBegan) {
  Load load(company.bridge.public_port(), 6);
  ASSERT_TRUE(eventually(seconds(20), [&] { return load.taken() > 200; }));
  const std::vector<pid_t> stopped = server_processes();
  for (const pid_t pid : stopped) ::kill(pid, SIGSTOP);
  EXPECT_TRUE(eventually(seconds(25), [&] { return load.refused() >= 1; })) << company.bridge.log();
  EXPECT_TRUE(is_ready(false)) << company.bridge.log();
  EXPECT_EQ(company.bridge.probe("/healthz"), 200);
  for (const pid_t pid : stopped) ::kill(pid, SIGCONT);
  EXPECT_TRUE(is_ready(true)) << company.bridge.log();
  const int before = load.taken();
  EXPECT_TRUE(eventually(seconds(30), [&] { return load.taken() > before + 100; })) << company.bridge.log();
  load.stop();
  EXPECT_TRUE(company.bridge.running());
  expect_each_once(load);
}

TEST_F(Outage, DoesNotKeepTheDaemonFromStopping) {
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("before"));
  Postgres::instance().stop();
  EXPECT_TRUE(is_ready(false));
  EXPECT_EQ(company.bridge.stop(), 0) << company.bridge.log();
  Postgres::instance().start();
  ASSERT_NO_FATAL_FAILURE(company.bridge.start());
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
  company.expect_settled();
}

// AT01: nothing that was accepted is lost by a clean stop under load, nor by a kill, and nothing is sent under two
// keys.
TEST_F(Outage, AT01OfTheDaemonItselfByTermUnderLoadLosesNothing) {
  Load load(company.bridge.public_port(), 6);
  ASSERT_TRUE(eventually(seconds(20), [&] { return load.taken() > 300; }));
  EXPECT_EQ(company.bridge.stop(), 0) << company.bridge.log();
  EXPECT_NE(company.bridge.log().find("daemon.stopped"), std::string::npos);
  load.stop();
  ASSERT_NO_FATAL_FAILURE(company.bridge.start());
  expect_each_once(load);
}

TEST_F(Outage, OfTheDaemonItselfByKillUnderLoadLosesNothing) {
  Load load(company.bridge.public_port(), 6);
  ASSERT_TRUE(eventually(seconds(20), [&] { return load.taken() > 300; }));
  company.bridge.kill();
  load.stop();
  ASSERT_NO_FATAL_FAILURE(company.bridge.start());
  expect_each_once(load);
}

}  // namespace
}  // namespace isthmus::test
