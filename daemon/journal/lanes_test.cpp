#include "journal/lanes.h"

#include <algorithm>

#include "journal/journal_fixture_test.h"

namespace isthmus::journal {
namespace {

using LanesTest = JournalTest;
constexpr std::chrono::seconds kLease{20};

TEST_F(LanesTest, OneNodeTakesAllAndAnotherGetsNoneUntilTheLeaseEnds) {
  auto db = pool_.take();
  EXPECT_EQ(take_lanes(**db, "a", kLease)->size(), 65U);
  EXPECT_TRUE(take_lanes(**db, "b", kLease)->empty());
  exec("UPDATE lane SET leased_until = now() - interval '1 second' WHERE lane < 10");
  EXPECT_EQ(take_lanes(**db, "b", kLease)->size(), 10U);
}

TEST_F(LanesTest, LanesThatAreGivenBackNeedNoWait) {
  auto db = pool_.take();
  const auto fences = *take_lanes(**db, "a", kLease);
  ASSERT_TRUE(give_lanes(**db, "a", fences));
  EXPECT_EQ(take_lanes(**db, "b", kLease)->size(), 65U);
}

TEST_F(LanesTest, OnlyItsOwnerRenewsALaneOrGivesItBack) {
  auto db = pool_.take();
  const auto of_a = *take_lanes(**db, "a", kLease);
  exec("UPDATE lane SET leased_until = now() - interval '1 second' WHERE lane = 5");
  const auto of_b = *take_lanes(**db, "b", kLease);
  ASSERT_EQ(of_b.size(), 1U);
  const auto kept = *renew_lanes(**db, "a", of_a, kLease);
  EXPECT_EQ(kept.size(), 64U);
  EXPECT_TRUE(std::none_of(kept.begin(), kept.end(), [](const Fence& f) { return f.lane == 5; }));
  ASSERT_TRUE(give_lanes(**db, "a", of_a));
  EXPECT_EQ(exec("SELECT owner FROM lane WHERE lane = 5").text(0, 0), "b");
}

// AT20: a node that slept through its lease must not act, under the same name or another's.
TEST(AT20, TheFenceRefusesAZombie) {
  store::Pool pool(test::Postgres::instance().fresh_database(), 2);
  auto db = pool.take();
  const Fence old = take_lanes(**db, "a", kLease)->front();
  {
    auto tx = store::Transaction::begin(**db);
    ASSERT_TRUE(enter(*tx, old));
  }
  const auto again = *take_lanes(**db, "a", kLease);  // restarted under the same name
  const auto now = std::find_if(again.begin(), again.end(), [&](const Fence& f) { return f.lane == old.lane; });
  ASSERT_NE(now, again.end());
  EXPECT_EQ(now->epoch, old.epoch + 1);
  {
    auto tx = store::Transaction::begin(**db);
    EXPECT_EQ(enter(*tx, old).error().code, "lane.lost");
  }
  auto tx = store::Transaction::begin(**db);
  EXPECT_TRUE(enter(*tx, *now));
}

TEST_F(LanesTest, ATakeoverWaitsForWhoeverIsInsideTheFence) {
  auto mine = pool_.take();
  const Fence fence = take_lanes(**mine, "a", kLease)->front();
  auto tx = store::Transaction::begin(**mine);
  ASSERT_TRUE(enter(*tx, fence));
  // The lane's row is locked: it is passed over, and the others, which are a's as well, are taken.
  const auto taken = *take_lanes(**pool_.take(), "a", kLease);
  EXPECT_EQ(taken.size(), 64U);
}

TEST_F(LanesTest, NumbersAreConsecutiveAndOfOneStageAndLane) {
  in_transaction([&](store::Transaction& tx) {
    EXPECT_EQ(*take_numbers(tx, Stage::inbox, 3, 5), 1);
    EXPECT_EQ(*take_numbers(tx, Stage::inbox, 3, 1), 6);
    EXPECT_EQ(*take_numbers(tx, Stage::outbox, 3, 1), 1);
    EXPECT_EQ(*take_numbers(tx, Stage::inbox, 4, 1), 1);
  });
  EXPECT_EQ(heads(**pool_.take(), Stage::inbox)->at(3), 7);
  auto db = pool_.take();
  auto tx = store::Transaction::begin(**db);
  EXPECT_EQ(take_numbers(*tx, Stage::inbox, 99, 1).error().code, "store.refused");
}

TEST_F(LanesTest, APositionIsTheHighestThatWasReached) {
  EXPECT_EQ(*position(**pool_.take(), Stage::outbox, 3, 7), 0);
  in_transaction([&](store::Transaction& tx) {
    ASSERT_TRUE(move_position(tx, Stage::outbox, 3, 7, 10));
    ASSERT_TRUE(move_position(tx, Stage::outbox, 3, 7, 12));
    ASSERT_TRUE(move_position(tx, Stage::outbox, 3, 8, 99));
  });
  EXPECT_EQ(*position(**pool_.take(), Stage::outbox, 3, 7), 12);
  EXPECT_EQ(*position(**pool_.take(), Stage::inbox, 3, 7), 0);
}

TEST_F(LanesTest, MakingPartitionsTwiceIsMakingThemOnce) {
  ASSERT_TRUE(make_partitions(**pool_.take()));
  const auto before = count("SELECT count(*) FROM pg_inherits");
  ASSERT_TRUE(make_partitions(**pool_.take()));
  EXPECT_EQ(count("SELECT count(*) FROM pg_inherits"), before);
}

}  // namespace
}  // namespace isthmus::journal
