// One limit on a simulated clock: first what each reply changes, then a network of fixed windows that would refuse.
#include "host/bucket.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <queue>

#include "base/random.h"

using namespace isthmus;
using host::Bucket;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using Use = host::Bucket::Use;

namespace {

const Instant kStart = from_ms(1'800'000'000'000);

adapter::LimitReading told(std::int64_t remaining, Instant reset, std::int64_t limit = 0) {
  adapter::LimitReading out;
  out.remaining = remaining;
  out.reset_ms = to_ms(reset);
  if (limit > 0) out.limit = limit;
  return out;
}

/// Takes until there is no room; how many.
int take_all(Bucket& bucket, Instant now, Use use = Use::interactive) {
  int n = 0;
  while (n < 1000 && bucket.take(now, use)) ++n;
  return n;
}

}  // namespace

TEST(Bucket, WithoutAWordOfAnybodyNothingIsHeldBack) {
  Bucket bucket;
  EXPECT_EQ(bucket.room(kStart, Use::interactive), Bucket::kUnlimited);
  EXPECT_EQ(take_all(bucket, kStart), 1000);
}

TEST(Bucket, BeginsWithWhatTheVendorDocuments) {
  Bucket bucket(30, 60'000);
  EXPECT_EQ(take_all(bucket, kStart), 30);
  for (int i = 0; i < 30; ++i) bucket.replied(kStart, {});
  EXPECT_FALSE(bucket.take(kStart + seconds(59), Use::interactive));
  EXPECT_EQ(bucket.free_at(kStart + seconds(59), Use::interactive), kStart + seconds(60));
  EXPECT_EQ(take_all(bucket, kStart + seconds(60)), 30) << "a whole window";
}

TEST(Bucket, AReplyCorrectsWhatIsLeftAndUntilWhen) {
  Bucket bucket(300, 300'000);
  ASSERT_TRUE(bucket.take(kStart, Use::interactive));
  bucket.replied(kStart, told(2, kStart + seconds(100)));
  EXPECT_EQ(take_all(bucket, kStart), 2) << "another program uses the same account";
  EXPECT_EQ(take_all(bucket, kStart + seconds(100)), 0) << "the second that the header names is not over";
  EXPECT_EQ(bucket.free_at(kStart, Use::interactive), kStart + milliseconds(200))
      << "what is on its way will tell more";
  bucket.lost(kStart);
  bucket.lost(kStart);
  EXPECT_EQ(bucket.free_at(kStart, Use::interactive), kStart + seconds(101));
  EXPECT_EQ(take_all(bucket, kStart + seconds(101)), 298) << "what was lost may count in the new one";
}

TEST(Bucket, LearnsALimitThatNobodyDocumented) {
  Bucket bucket;
  ASSERT_TRUE(bucket.take(kStart, Use::interactive));
  bucket.replied(kStart, told(0, kStart + seconds(900), 15));
  EXPECT_EQ(take_all(bucket, kStart + seconds(899)), 0);
  EXPECT_EQ(take_all(bucket, kStart + seconds(901)), 15);
}

TEST(Bucket, RepliesOutOfOrderNeverGiveBackWhatWasTold) {
  Bucket bucket(10, 60'000);
  const Instant reset = kStart + seconds(60);
  ASSERT_TRUE(bucket.take(kStart, Use::interactive));
  ASSERT_TRUE(bucket.take(kStart, Use::interactive));
  bucket.replied(kStart, told(3, reset));  // the second, which the network saw last
  bucket.replied(kStart, told(4, reset));
  EXPECT_EQ(take_all(bucket, kStart), 3);
}

TEST(Bucket, TheLateReplyOfAnEarlierWindowSaysNothingAboutThisOne) {
  Bucket bucket(10, 60'000);
  for (int i = 0; i < 2; ++i) ASSERT_TRUE(bucket.take(kStart, Use::interactive));
  bucket.replied(kStart, told(5, kStart + seconds(300)));
  bucket.replied(kStart + seconds(1), told(0, kStart + seconds(120)));
  EXPECT_EQ(take_all(bucket, kStart + seconds(1)), 5);
}

TEST(Bucket, ANewWindowBeforeOurClockSawTheEndOfTheOldOneIsTakenAtTheNetworksWord) {
  Bucket bucket(10, 60'000);
  ASSERT_TRUE(bucket.take(kStart, Use::interactive));
  ASSERT_TRUE(bucket.take(kStart, Use::interactive));
  bucket.replied(kStart, told(0, kStart + seconds(10)));
  bucket.replied(kStart + seconds(10), told(9, kStart + seconds(70)));
  EXPECT_EQ(take_all(bucket, kStart + seconds(10)), 9);
}

TEST(Bucket, ARefusalBlocksForTheTimeItNamesAndForASecondAtLeast) {
  for (const int wait : {0, 30}) {
    Bucket bucket;
    ASSERT_TRUE(bucket.take(kStart, Use::interactive));
    adapter::LimitReading refusal;
    refusal.refused = true;
    if (wait > 0) refusal.retry_after_ms = to_ms(kStart + seconds(wait));
    bucket.replied(kStart, refusal);
    const Instant until = kStart + seconds(std::max(wait, 1));
    EXPECT_EQ(bucket.room(until - milliseconds(1), Use::interactive), 0);
    EXPECT_EQ(bucket.free_at(kStart, Use::interactive), until);
    EXPECT_GT(bucket.room(until, Use::interactive), 0);
  }
}

TEST(Bucket, CollectingLeavesATenthToWhatPeopleSend) {
  Bucket bucket(100, 60'000);
  EXPECT_EQ(take_all(bucket, kStart, Use::background), 90);
  EXPECT_EQ(take_all(bucket, kStart, Use::interactive), 10);
}

TEST(Bucket, ADearRequestCountsMoreThanOnce) {
  Bucket bucket(10, 60'000);
  EXPECT_EQ(bucket.room(kStart, Use::interactive, 3), 3);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(bucket.take(kStart, Use::interactive, 3));
  EXPECT_FALSE(bucket.take(kStart, Use::interactive, 3));
  EXPECT_TRUE(bucket.take(kStart, Use::interactive, 1));
  bucket.unsent(3);
  EXPECT_TRUE(bucket.take(kStart, Use::interactive, 3)) << "what never left is given back";
}

namespace {

/// A network of fixed windows. Its clock is ours; its headers tell whole seconds.
struct Network {
  std::int64_t limit;
  std::int64_t window_ms;
  std::int64_t window = -1;
  std::int64_t used = 0;
  int refused = 0;

  adapter::LimitReading serve(Instant now) {
    if (to_ms(now) / window_ms != window) {
      window = to_ms(now) / window_ms;
      used = 0;
    }
    adapter::LimitReading out;
    if (used < limit) {
      ++used;
    } else {
      out.refused = true;
      ++refused;
    }
    out.limit = limit;
    out.remaining = limit - used;
    out.reset_ms = (window + 1) * window_ms / 1000 * 1000;
    return out;
  }
};

/// What is on its way: it reaches the network at one time, its reply us at another.
struct Flight {
  Instant at;
  bool served = false;
  bool reply_lost = false;
  adapter::LimitReading reading;
  Instant reply_at;
  friend bool operator>(const Flight& a, const Flight& b) { return a.at > b.at; }
};

}  // namespace

RC_GTEST_PROP(Bucket, NeverSendsMoreThanANetworkTakesAndSendsAllThatItTakes, ()) {
  const auto limit = *rc::gen::inRange<std::int64_t>(1, 40);
  const auto window_ms = *rc::gen::inRange<std::int64_t>(2, 20) * 1000 + *rc::gen::element(0, 250, 999);
  const auto at_once = *rc::gen::inRange(1, 12);
  const auto documented = *rc::gen::arbitrary<bool>();
  SeededRandom random(*rc::gen::arbitrary<std::uint64_t>());
  Network network{limit, window_ms};
  Bucket bucket = documented ? Bucket(limit, window_ms) : Bucket();
  Instant now = kStart + milliseconds(random.below(30'000));
  std::priority_queue<Flight, std::vector<Flight>, std::greater<>> sky;
  int to_send = 200, on_their_way = 0;
  bool knows = documented;
  const Instant give_up =
      now + milliseconds(window_ms + 2000) * (200 / std::max<std::int64_t>(1, limit - at_once) + 210);
  while (to_send > 0 || !sky.empty()) {
    // The first of an undocumented limit is alone: nobody told anything yet.
    while (to_send > 0 && on_their_way < (knows ? at_once : 1) && bucket.take(now, Use::interactive)) {
      Flight flight;
      flight.at = now + milliseconds(random.below(700));
      flight.reply_at = flight.at + milliseconds(random.below(700));
      // Where nobody documented a window, a lost reply may hide a whole one: what follows was not announced.
      flight.reply_lost = random.below(20) == 0 && documented;
      sky.push(flight);
      --to_send;
      ++on_their_way;
    }
    if (sky.empty()) {
      const Instant next = bucket.free_at(now, Use::interactive);
      RC_ASSERT(next > now);
      now = next;
    } else {
      Flight flight = sky.top();
      sky.pop();
      now = std::max(now, flight.at);
      if (!flight.served) {
        flight.reading = network.serve(now);
        flight.served = true;
        flight.at = flight.reply_at;
        sky.push(flight);
        continue;
      }
      --on_their_way;
      knows = true;
      flight.reply_lost ? bucket.lost(now) : bucket.replied(now, flight.reading);
    }
    RC_ASSERT(network.refused == 0);
    RC_ASSERT(now < give_up);
  }
}
