// The lane's state machine without a database: a random schedule of arrivals, endings, failures and time, with the
// rules checked after each step. What is committed is what reached() says.
#include "delivery/line.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

using namespace isthmus;
using delivery::Item;
using delivery::Line;
using std::chrono::seconds;

namespace {

const Instant kStart = from_ms(1'800'000'000'000);

void add(Line& line, std::int64_t seq, const std::string& key) {
  Item item;
  item.command.order_key = key;
  line.items.emplace(seq, std::move(item));
  line.read_up_to = std::max(line.read_up_to, seq);
}

std::vector<std::int64_t> startable(const Line& line, Instant now = kStart) {
  std::vector<std::int64_t> behind;
  return line.startable(now, behind);
}

std::vector<std::int64_t> behind(const Line& line, Instant now = kStart) {
  std::vector<std::int64_t> out;
  (void)line.startable(now, out);
  return out;
}

using Numbers = std::vector<std::int64_t>;

}  // namespace

TEST(Line, StartsTheFirstOfEachKeyAndNoSecond) {
  Line line;
  add(line, 1, "a");
  add(line, 2, "a");
  add(line, 3, "b");
  EXPECT_EQ(startable(line), (Numbers{1, 3}));
  EXPECT_EQ(behind(line), Numbers{}) << "the first of the key only waits for its turn";
  line.items.at(1).state = Item::State::sending;
  EXPECT_EQ(startable(line), Numbers{3});
  line.items.at(1).state = Item::State::done;
  EXPECT_EQ(startable(line), (Numbers{2, 3}));
}

TEST(Line, WhatStandsBehindAParkedCommandOfItsKeyIsParkedAndOtherKeysFlow) {
  Line line;
  add(line, 1, "a");
  add(line, 2, "a");
  add(line, 3, "b");
  add(line, 4, "a");
  line.items.at(1).parked = true;
  line.items.at(1).due = kStart + seconds(10);
  EXPECT_EQ(startable(line), Numbers{3});
  EXPECT_EQ(behind(line), (Numbers{2, 4}));
  EXPECT_EQ(startable(line, kStart + seconds(10)), (Numbers{1, 3}));
}

TEST(Line, ACommandIsNotDueOneMicrosecondEarly) {
  Line line;
  add(line, 1, "a");
  line.items.at(1).due = kStart + seconds(1);
  EXPECT_EQ(startable(line, kStart + seconds(1) - std::chrono::microseconds(1)), Numbers{});
  EXPECT_EQ(startable(line, kStart + seconds(1)), Numbers{1});
}

TEST(Line, StartsNoMoreAtOnceThanItsPaceAllows) {
  Line line;
  for (int i = 1; i <= 100; ++i) add(line, i, "key" + std::to_string(i));
  EXPECT_EQ(startable(line).size(), static_cast<std::size_t>(delivery::Pace::kAtOnceFirst));
  line.in_flight = delivery::Pace::kAtOnceFirst - 1;
  EXPECT_EQ(startable(line).size(), 1U);
  line.in_flight = delivery::Pace::kAtOnceFirst;
  EXPECT_TRUE(startable(line).empty());
}

TEST(Line, ReachesTheNumberBeforeTheFirstThatIsNeitherDoneNorParked) {
  Line line;
  for (int i = 1; i <= 4; ++i) add(line, i, "key" + std::to_string(i));
  EXPECT_EQ(line.reached(), 0);
  line.items.at(2).state = Item::State::done;
  EXPECT_EQ(line.reached(), 0);
  line.items.at(1).parked = true;
  EXPECT_EQ(line.reached(), 2);
  line.items.at(4).state = Item::State::done;
  EXPECT_EQ(line.reached(), 2);
  line.items.at(3).state = Item::State::done;
  EXPECT_EQ(line.reached(), 4);
}

// A limit of the network's that is used up is not the others' matter.
TEST(Line, CommandsOfAUsedUpLimitWaitAndThoseOfOthersPassThemInTheOrderOfTheirKeys) {
  Line line;
  for (int i = 1; i <= 20; ++i) {
    add(line, i, "key" + std::to_string(i));
    line.items.at(i).kind = "media";
  }
  add(line, 21, "key1");
  add(line, 22, "key22");
  add(line, 23, "key22");
  const auto room = [](std::int64_t media) {
    return [media](const std::string& kind) { return kind == "media" ? media : 1000; };
  };
  std::vector<std::int64_t> behind;
  EXPECT_EQ(line.startable(kStart, behind, room(0)), Numbers{22}) << "21 waits for 1, of its key";
  EXPECT_EQ(line.startable(kStart, behind, room(2)), (Numbers{1, 2, 22}));
  EXPECT_TRUE(behind.empty()) << "nothing of it is parked";
  EXPECT_EQ(line.startable(kStart, behind, room(1000)).size(), static_cast<std::size_t>(delivery::Pace::kAtOnceFirst));
}

// Every history: what starts of one key starts in order, one at a time; the position never passes an unfinished command
// that is not parked and never goes back; in the end everything is done.
RC_GTEST_PROP(Line, KeepsOrderAndPositionInEveryHistory, ()) {
  Line line;
  SeededRandom random(*rc::gen::arbitrary<std::uint64_t>());
  ManualClock clock(kStart);
  const int total = *rc::gen::inRange(1, 25);
  const int keys = *rc::gen::inRange(1, 4);
  std::int64_t next = 1;
  std::map<Bytes, std::int64_t> last_done;
  for (int steps = 0; steps < 2000 && (next <= total || !line.items.empty()); ++steps) {
    if (next <= total && random.below(3) == 0) {
      add(line, next, "key" + std::to_string(random.below(static_cast<std::uint64_t>(keys))));
      ++next;
    }
    std::vector<std::int64_t> to_park;
    for (const std::int64_t seq : line.startable(clock.now(), to_park)) {
      Item& item = line.items.at(seq);
      RC_ASSERT(item.state == Item::State::waiting);
      for (const auto& [other, before] : line.items) {
        RC_ASSERT(other >= seq || before.command.order_key != item.command.order_key ||
                  before.state == Item::State::done);
      }
      item.state = Item::State::sending;
      ++line.in_flight;
    }
    for (const std::int64_t seq : to_park) line.items.at(seq).parked = line.items.at(seq).behind = true;
    for (auto& [seq, item] : line.items) {
      if (item.state != Item::State::sending || random.below(2) == 0) continue;
      --line.in_flight;
      if (random.below(3) == 0) {  // fails for its own sake
        item.state = Item::State::waiting;
        item.parked = true;
        item.due = clock.now() + seconds(1 + static_cast<std::int64_t>(random.below(5)));
      } else {
        item.state = Item::State::done;
        RC_ASSERT(last_done[item.command.order_key] < seq);
        last_done[item.command.order_key] = seq;
      }
    }
    const std::int64_t reached = line.reached();
    RC_ASSERT(reached >= line.position);
    for (const auto& [seq, item] : line.items)
      RC_ASSERT(seq > reached || item.parked || item.state == Item::State::done);
    line.position = reached;
    std::erase_if(line.items, [](const auto& entry) { return entry.second.state == Item::State::done; });
    clock.advance(seconds(1));
  }
  RC_ASSERT(line.items.empty());
  RC_ASSERT(line.position == total);
}
