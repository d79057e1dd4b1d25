#include "base/metrics.h"

#include <gtest/gtest.h>

#include "base/heartbeat.h"

namespace isthmus {
namespace {

TEST(Histogram, CountsAValueUnderTheFirstBoundThatHoldsIt) {
  const double bounds[] = {1.0, 2.0};
  Histogram histogram(bounds);
  for (const double value : {0.5, 1.0, 1.5, 2.0, 2.5}) histogram.observe(value);
  EXPECT_EQ(histogram.count(0), 2U);  // 1.0 is not above its bound
  EXPECT_EQ(histogram.count(1), 2U);
  EXPECT_EQ(histogram.count(2), 1U);
  EXPECT_DOUBLE_EQ(histogram.sum(), 7.5);
}

TEST(Heartbeat, AgesUntilItBeats) {
  ManualClock clock(from_ms(1'000'000));
  Heartbeat heart(clock);
  clock.advance(std::chrono::seconds(3));
  EXPECT_EQ(heart.age(), std::chrono::seconds(3));
  heart.beat();
  EXPECT_EQ(heart.age(), std::chrono::seconds(0));
}

}  // namespace
}  // namespace isthmus
