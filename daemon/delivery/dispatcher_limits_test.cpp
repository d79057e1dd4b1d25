// The network's limits and its settling time, over a real database and a server that counts and refuses.
#include <gtest/gtest.h>

#include "delivery/dispatcher_fixture_test.h"

namespace isthmus::delivery {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using test::FakeNetwork;

/// A network whose posts have a limit of fixed windows, which its headers tell; other operations have none.
class LimitedDelivery : public Delivery {
 protected:
  static constexpr std::int64_t kPostsMax = 3;
  static constexpr std::int64_t kWindowS = 600;

  LimitedDelivery() {
    adapter::LimitSpec limits;
    limits.reset = "X-Reset";
    limits.remaining = "X-Remaining";
    limits.limit = "X-Limit";
    limits.buckets = {{"post", "", "/by-its-name-alone", 0, 0, 1}};
    company.adapter.limit(limits);
  }
  FakeNetwork::Answer answer(const std::string& body) {
    if (!body.starts_with("\"post")) return {};
    const std::lock_guard lock(mutex);
    const std::int64_t now_s = to_ms(company.clock.now()) / 1000;
    if (now_s / kWindowS != window) {
      window = now_s / kWindowS;
      used = 0;
    }
    FakeNetwork::Answer out;
    if (used >= kPostsMax) {
      ++refused;
      out.status = 429;
    } else {
      ++used;
    }
    out.headers = {{"X-Limit", std::to_string(kPostsMax)},
                   {"X-Remaining", std::to_string(kPostsMax - used)},
                   {"X-Reset", std::to_string((window + 1) * kWindowS)}};
    return out;
  }
  [[nodiscard]] std::int64_t effects_of(FakeNetwork& network, const std::string& begin) {
    const auto all = network.effects();
    return std::count_if(all.begin(), all.end(), [&](const auto& body) { return body.starts_with("\"" + begin); });
  }

  std::mutex mutex;
  std::int64_t window = -1, used = 0;
  std::atomic<int> refused{0};
};

class DocumentedLimit : public LimitedDelivery {
 protected:
  DocumentedLimit() {
    adapter::LimitSpec limits = company.adapter.describe().limits;
    limits.buckets[0].rate = kPostsMax;
    limits.buckets[0].window_ms = kWindowS * 1000;
    company.adapter.limit(limits);
  }
};

TEST_F(DocumentedLimit, AnEmptyBucketDelaysItsCommandsUntilItsResetAndNothingElse) {
  FakeNetwork network([this](const std::string&, const std::string& body, int) { return answer(body); });
  connect(network);
  for (int i = 0; i < 8; ++i) order("post", "p" + std::to_string(i), "post" + std::to_string(i));
  for (int i = 0; i < 30; ++i) order("blind", "o" + std::to_string(i), "other" + std::to_string(i));
  start();
  ASSERT_TRUE(soon([&] { return effects_of(network, "other") == 30; })) << "others pass: " << books();
  ASSERT_TRUE(soon([&] { return effects_of(network, "post") == kPostsMax; })) << books();
  EXPECT_EQ(company.count("parked"), 0) << "the position stands still";
  EXPECT_TRUE(company.books().balanced()) << books();
  for (int turn = 0; turn < 2; ++turn) {
    company.clock.advance(seconds(kWindowS + 2));
    ASSERT_TRUE(soon([&] { return effects_of(network, "post") >= std::min<std::int64_t>(8, kPostsMax * (turn + 2)); }))
        << books();
  }
  ASSERT_TRUE(delivered(38)) << books();
  EXPECT_EQ(refused, 0) << "nothing was sent into a refusal that the headers had announced";
}

TEST_F(LimitedDelivery, ALimitThatOnlyRepliesTellIsMetOnceAndHonouredFromThenOn) {
  FakeNetwork network([this](const std::string&, const std::string& body, int) { return answer(body); });
  connect(network);
  for (int i = 0; i < 8; ++i) order("post", "p" + std::to_string(i), "post" + std::to_string(i));
  order("blind", "o", "other");
  start();
  ASSERT_TRUE(soon([&] { return effects_of(network, "post") == kPostsMax && effects_of(network, "other") == 1; }));
  ASSERT_TRUE(
      soon([&] { return company.count("attempt WHERE phase = 0") == company.count("attempt WHERE phase = 1"); }));
  const int at_first = refused;
  EXPECT_LE(at_first, Pace::kAtOnceFirst) << "those that left before the first reply came";
  for (int turn = 0; turn < 2; ++turn) {
    company.clock.advance(seconds(kWindowS + 2));
    ASSERT_TRUE(soon([&] { return effects_of(network, "post") >= std::min<std::int64_t>(8, kPostsMax * (turn + 2)); }))
        << books();
  }
  ASSERT_TRUE(delivered(9)) << books();
  EXPECT_EQ(refused, at_first);
}

// Not sooner than its timeout plus the vendor's settling time.
TEST_F(Delivery, ALostReplyIsLookedForWhenItsRequestMustBeOverAndTheNetworkHasSettled) {
  FakeNetwork network([](const std::string&, const std::string&, int) {
    return FakeNetwork::Answer{200, true, true, ""};
  });
  connect(network);
  order("post", "k", "hello");
  const Instant before = company.clock.now();
  start();
  ASSERT_TRUE(soon([&] { return company.count("parked WHERE state = 2") == 1; })) << books();
  const Instant after = company.clock.now();
  const milliseconds wait(test::FakeAdapter::kTimeoutMs + company.adapter.describe().settling_ms);
  const Instant due = company.exec("SELECT due FROM parked").instant(0, 0);
  EXPECT_GE(due, before + wait);
  EXPECT_LE(due, after + wait);
  EXPECT_EQ(network.looks(), 0);
}

TEST_F(Delivery, AfterACrashAnOpenIntentWaitsForTheLongestRequestAndTheSettlingTimeFromTheRestart) {
  FakeNetwork network([](const std::string&, const std::string&, int) {
    return FakeNetwork::Answer{200, true, true, ""};
  });
  connect(network);
  order("post", "k", "hello");
  start();
  ASSERT_TRUE(soon([&] { return network.sends() == 1; }));
  node.reset();
  company.clock.advance(minutes(30));  // a task of many moves: its last request may have left a moment ago
  company.take_lanes();
  const Instant restart = company.clock.now();
  start();
  ASSERT_TRUE(soon([&] { return network.looks() > 0; })) << books();
  EXPECT_GE(company.clock.now(),
            restart + milliseconds(test::FakeAdapter::kTimeoutMs + company.adapter.describe().settling_ms));
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.sends(), 1);
}

}  // namespace
}  // namespace isthmus::delivery
