#include "delivery/pace.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace isthmus;
using delivery::Pace;
using delivery::retry_at;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

namespace {

const Instant kStart = from_ms(1'800'000'000'000);

/// How many sends a pace lets go at once now.
int at_once(const Pace& pace, Instant now) {
  int n = 0;
  while (n < 1000 && pace.may_start(now, n)) ++n;
  return n;
}

}  // namespace

TEST(Pace, StartsWithAFewAtOnceAndGrowsByOneWithEachSuccessUpToItsLimit) {
  Pace pace;
  EXPECT_EQ(at_once(pace, kStart), Pace::kAtOnceFirst);
  pace.succeeded();
  EXPECT_EQ(at_once(pace, kStart), Pace::kAtOnceFirst + 1);
  for (int i = 0; i < 200; ++i) pace.succeeded();
  EXPECT_EQ(at_once(pace, kStart), Pace::kAtOnceMax);
}

// AT15: many throttled by one header neither come before its time nor all at once.
TEST(Pace, NobodyThrottledByOneHeaderComesBeforeItsTimeAndTheyAreSpreadOverAFifthOfIt) {
  SeededRandom random(7);
  const Instant floor = kStart + seconds(600);
  Instant first = Instant::max(), last = Instant::min();
  for (int i = 0; i < 500; ++i) {
    Pace pace;
    pace.throttled(kStart, floor, random);
    EXPECT_FALSE(pace.may_start(floor - milliseconds(1), 0));
    EXPECT_TRUE(pace.may_start(floor + seconds(120), 0));
    first = std::min(first, pace.paused_until());
    last = std::max(last, pace.paused_until());
  }
  EXPECT_GE(first, floor);
  EXPECT_GE(last - first, seconds(110));
}

TEST(Pace, WithoutATimeFromTheNetworkAThrottledConnectionWaitsASecondAtLeast) {
  SeededRandom random(7);
  Pace pace;
  pace.throttled(kStart, Instant(), random);
  EXPECT_FALSE(pace.may_start(kStart + milliseconds(999), 0));
  EXPECT_TRUE(pace.may_start(kStart + milliseconds(1200), 0));
}

// AT16: a backlog that is drained at full speed knocks the recovering service over again.
TEST(Pace, AfterAThrottleOneSendProbesAndTheRestComesBackStepByStep) {
  SeededRandom random(7);
  Pace pace;
  for (int i = 0; i < 100; ++i) pace.succeeded();
  pace.throttled(kStart, kStart + seconds(10), random);
  const Instant later = kStart + seconds(13);
  EXPECT_EQ(at_once(pace, later), 1);
  for (int expected = 2; expected < 20; ++expected) {
    pace.succeeded();
    EXPECT_EQ(at_once(pace, later), expected);
  }
}

TEST(Pace, AWaitOfOurOwnNeverShortensWhatTheNetworkAskedFor) {
  SeededRandom random(7);
  Pace pace;
  pace.throttled(kStart, kStart + seconds(600), random);
  pace.throttled(kStart + seconds(1), kStart + seconds(5), random);  // the reply to one that was in flight
  pace.pause_for(kStart, seconds(30), random);
  pace.resume();  // a person mended something: not the network's limit
  EXPECT_FALSE(pace.may_start(kStart + seconds(599), 0));
  EXPECT_TRUE(pace.may_start(kStart + seconds(721), 0));
}

TEST(Pace, APersonsChangeEndsAWaitForAPerson) {
  SeededRandom random(7);
  Pace pace;
  pace.pause_for(kStart, seconds(30), random);
  EXPECT_FALSE(pace.may_start(kStart + seconds(29), 0));
  pace.resume();
  EXPECT_TRUE(pace.may_start(kStart, 0));
  EXPECT_FALSE(pace.may_start(kStart, 1)) << "it probes first";
}

TEST(Pace, TheBreakerOpensAtTheFifthFailureInARowAndNotBefore) {
  SeededRandom random(7);
  Pace pace;
  for (int i = 1; i < Pace::kFailuresToOpen; ++i) EXPECT_FALSE(pace.failed(kStart, random)) << i;
  EXPECT_TRUE(pace.may_start(kStart, 0));
  EXPECT_TRUE(pace.failed(kStart, random));
  EXPECT_FALSE(pace.may_start(kStart + seconds(4), 0));
  EXPECT_EQ(at_once(pace, kStart + seconds(7)), 1);

  Pace other;
  for (int i = 1; i < Pace::kFailuresToOpen; ++i) EXPECT_FALSE(other.failed(kStart, random));
  other.succeeded();
  EXPECT_FALSE(other.failed(kStart, random)) << "a success in between counts from the start again";
}

TEST(Pace, TheBreakersWaitDoublesUpToFiveMinutes) {
  SeededRandom random(7);
  Pace pace;
  for (int i = 1; i < Pace::kFailuresToOpen; ++i) (void)pace.failed(kStart, random);
  Instant now = kStart;
  for (const int wait : {5, 10, 20, 40, 80, 160, 300, 300, 300}) {
    ASSERT_TRUE(pace.failed(now, random));
    EXPECT_GE(pace.paused_until() - now, seconds(wait));
    EXPECT_LE(pace.paused_until() - now, seconds(wait) + seconds(wait) / 5);
    now = pace.paused_until();
  }
}

RC_GTEST_PROP(RetryAt, IsNeverBeforeTheNetworksTimeNorItsOwnStepAndAtMostHalfAStepLater, ()) {
  const int tries = *rc::gen::inRange(1, 40);
  const auto floor_s = *rc::gen::inRange(0, 10'000);
  SeededRandom random(*rc::gen::arbitrary<std::uint64_t>());
  const Instant floor = kStart + seconds(floor_s);
  const seconds step(std::min<std::int64_t>(3600, std::int64_t{1} << std::min(tries, 12)));
  const Instant at = retry_at(kStart, tries, floor, random);
  RC_ASSERT(at >= floor);
  RC_ASSERT(at >= kStart + step);
  RC_ASSERT(at <= std::max(floor, kStart + step + step / 2));
}
