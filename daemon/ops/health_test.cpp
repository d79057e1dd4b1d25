#include "ops/health.h"

#include <gtest/gtest.h>

namespace isthmus::ops {
namespace {

using namespace std::chrono_literals;

const Instant kStart = from_ms(1'795'546'800'000);  // 2026-11-24T19:00:00Z

TEST(Health, IsReadyOnlyWhenEveryConditionIsGood) {
  const ManualClock clock(kStart);
  Health health(clock, {"store", "listeners"});
  EXPECT_FALSE(health.ready());
  health.good("store");
  EXPECT_FALSE(health.ready());
  health.good("listeners");
  EXPECT_TRUE(health.ready());
  health.bad("store", "connection refused");
  EXPECT_FALSE(health.ready());
}

TEST(Health, TellsWhatIsBadWhyAndSinceWhen) {
  ManualClock clock(kStart);
  Health health(clock, {"store", "listeners"});
  health.good("listeners");
  clock.advance(5s);
  health.bad("store", "connection refused");  // bad since the start: only the reason is new
  health.set_oldest_undelivered(kStart);
  EXPECT_EQ(health.readiness_json(),
            R"({"ready":false,"oldest_undelivered_seconds":5,"conditions":[)"
            R"({"name":"store","good":false,"reason":"connection refused","since":"2026-11-24T19:00:00.000000Z"},)"
            R"({"name":"listeners","good":true,"since":"2026-11-24T19:00:00.000000Z"}]})");
}

TEST(Health, HasNoAgeWhenAllIsDeliveredOrTheClockWentBack) {
  const ManualClock clock(kStart);
  Health health(clock, {});
  EXPECT_EQ(health.oldest_undelivered_age(), 0s);
  health.set_oldest_undelivered(kStart - 61s);
  EXPECT_EQ(health.oldest_undelivered_age(), 61s);
  health.set_oldest_undelivered(kStart + 1s);
  EXPECT_EQ(health.oldest_undelivered_age(), 0s);
}

TEST(Health, StaysAliveWhileLoopsBeatEvenIfNotReady) {
  ManualClock clock(kStart);
  Health health(clock, {"store"});
  Heartbeat routing(clock);
  health.watch("routing", routing, 10s);
  clock.advance(10s);
  EXPECT_EQ(health.liveness_json(), R"({"alive":true,"late":[]})");
  clock.advance(1us);
  EXPECT_EQ(health.liveness_json(), R"({"alive":false,"late":["routing"]})");
  routing.beat();
  EXPECT_TRUE(health.late().empty());
}

TEST(HealthDeathTest, StopsOnAConditionThatNobodyDeclared) {
  const ManualClock clock(kStart);
  Health health(clock, {"store"});
  EXPECT_DEATH(health.good("stroe"), "declared at construction");
}

}  // namespace
}  // namespace isthmus::ops
