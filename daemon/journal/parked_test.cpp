#include "journal/parked.h"

#include "journal/attempts.h"
#include "journal/books.h"
#include "journal/decisions.h"
#include "journal/journal_fixture_test.h"

namespace isthmus::journal {
namespace {

class ParkedTest : public JournalTest {
 protected:
  Parked parked(const std::string& name, std::int64_t seq, ParkedState state) {
    Parked p;
    p.seq = seq;
    p.command = command(3, 7, name);
    p.state = state;
    p.due = from_us(to_us(clock_.now()));
    p.tries = 2;
    p.reason = "busy";
    p.held_for = state == ParkedState::held ? "approvers" : "";
    p.author = 0;
    p.body = "{\"text\":\"" + name + "\"}";
    return p;
  }
  std::optional<Parked> find(const Uuid& id) {
    std::optional<Parked> found;
    in_transaction([&](store::Transaction& tx) {
      auto read = find_parked(tx, keys_, id);
      ASSERT_TRUE(read) << to_string(read.error());
      found = std::move(*read);
    });
    return found;
  }
};

TEST_F(ParkedTest, ComesBackAsItWasParked) {
  Parked p = parked("a", 5, ParkedState::held);
  p.command.not_after = from_us(1764000000000001);
  p.command.remote_id = "at://x";
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, p)); });
  const auto back = find(p.command.id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->seq, 5);
  EXPECT_EQ(back->stage, 2);
  EXPECT_EQ(back->state, ParkedState::held);
  EXPECT_EQ(back->due, p.due);
  EXPECT_EQ(back->tries, 2);
  EXPECT_EQ(back->held_for, "approvers");
  EXPECT_EQ(back->body, p.body);
  EXPECT_EQ(back->command.lane, 3);
  EXPECT_EQ(back->command.connection, 7);
  EXPECT_EQ(back->command.order_key, "key of a");
  EXPECT_EQ(back->command.not_after, p.command.not_after);
  EXPECT_EQ(back->command.remote_id, "at://x");
  EXPECT_EQ(back->command.purposes, p.command.purposes);
  EXPECT_EQ(back->command.decision, p.command.decision);
  EXPECT_FALSE(find(command(3, 7, "never parked").id));
}

TEST_F(ParkedTest, ABodyIsNeverStoredInTheClear) {
  in_transaction(
      [&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, parked("secretword", 5, ParkedState::dead))); });
  EXPECT_EQ(count("SELECT count(*) FROM parked WHERE position('secretword'::bytea IN body) > 0 OR item::text LIKE "
                  "'%secretword%'"),
            0);
}

TEST_F(ParkedTest, DeliveryReadsWhatBlocksItsKeyLowestNumberFirst) {
  in_transaction([&](store::Transaction& tx) {
    ASSERT_TRUE(park(tx, keys_, parked("behind", 9, ParkedState::behind)));
    ASSERT_TRUE(park(tx, keys_, parked("retry", 4, ParkedState::retry)));
    ASSERT_TRUE(park(tx, keys_, parked("ambiguous", 6, ParkedState::ambiguous)));
    ASSERT_TRUE(park(tx, keys_, parked("held", 1, ParkedState::held)));
    ASSERT_TRUE(park(tx, keys_, parked("dead", 2, ParkedState::dead)));
    ASSERT_TRUE(park(tx, keys_, parked("scheduled", 3, ParkedState::scheduled)));
  });
  const auto page = *read_parked(**pool_.take(), keys_, {3, 7, {}, clock_.now(), 16, 512});
  const auto& rows = page.due;
  EXPECT_FALSE(page.more);
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].seq, 4);
  EXPECT_EQ(rows[1].seq, 6);
  EXPECT_EQ(rows[2].seq, 9);
  EXPECT_TRUE(read_parked(**pool_.take(), keys_, {3, 8, {}, clock_.now(), 16, 512})->due.empty());
}

// More than fit: what is due comes, the earliest of every key before the followers of any, never one without those
// before it.
TEST_F(ParkedTest, WhatIsDueComesFirstAndALongChainDoesNotTakeTheOthersPlace) {
  std::int64_t seq = 0;
  in_transaction([&](store::Transaction& tx) {
    for (int i = 0; i < 30; ++i) {
      Parked p = parked("chain" + std::to_string(i), ++seq, i == 0 ? ParkedState::retry : ParkedState::behind);
      p.command.order_key = "chain";
      p.due = clock_.now() - std::chrono::seconds(5);
      ASSERT_TRUE(park(tx, keys_, p));
    }
    for (int i = 0; i < 5; ++i) {
      Parked p = parked("due" + std::to_string(i), ++seq, ParkedState::retry);
      p.due = clock_.now() - std::chrono::seconds(1);
      ASSERT_TRUE(park(tx, keys_, p));
      p = parked("later" + std::to_string(i), ++seq, ParkedState::retry);
      p.due = clock_.now() + std::chrono::hours(1);
      ASSERT_TRUE(park(tx, keys_, p));
    }
  });
  const auto numbers = [](const ParkedPage& page) {
    std::vector<std::int64_t> out;
    for (const Parked& p : page.due) out.push_back(p.seq);
    return out;
  };
  const auto page = *read_parked(**pool_.take(), keys_, {3, 7, {}, clock_.now(), 4, 8});
  EXPECT_EQ(numbers(page), (std::vector<std::int64_t>{1, 2, 3, 31, 33, 35, 37, 39}));
  EXPECT_TRUE(page.more);
  const auto next = *read_parked(**pool_.take(), keys_, {3, 7, numbers(page), clock_.now(), 4, 8});
  EXPECT_EQ(numbers(next), (std::vector<std::int64_t>{4, 5, 6, 7}));
  const auto all = *read_parked(**pool_.take(), keys_, {3, 7, {}, clock_.now(), 4, 100});
  EXPECT_EQ(all.due.size(), 40U);
  EXPECT_FALSE(all.more);
  EXPECT_EQ(*keys_parked(**pool_.take(), 3, 7, std::vector<Bytes>{"chain", "key of due0", "none"},
                         std::vector<std::int64_t>{31}),
            std::set<Bytes>{"chain"});
}

TEST_F(ParkedTest, ParkingTheSameCommandAgainReplacesAllOfIt) {
  Parked p = parked("a", 5, ParkedState::retry);
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, p)); });
  p.state = ParkedState::held;
  p.held_for = "approvers";
  p.tries = 3;
  p.body = "{\"text\":\"changed\"}";
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, p)); });
  const auto back = find(p.command.id);
  EXPECT_EQ(back->state, ParkedState::held);
  EXPECT_EQ(back->held_for, "approvers");
  EXPECT_EQ(back->body, p.body);
  EXPECT_EQ(count("SELECT count(*) FROM parked"), 1);
}

// Numbers of what never was in the log come from the clock: two posts of one microsecond ask for the same place.
TEST_F(ParkedTest, ANumberThatAnotherCommandHasIsAConflictAndNotALoss) {
  Parked first = parked("first", 5, ParkedState::held), second = parked("second", 5, ParkedState::held);
  first.stage = second.stage = 4;
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, first)); });
  {
    auto db = pool_.take();
    auto tx = store::Transaction::begin(**db);
    const auto refused = park(*tx, keys_, second);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, "store.conflict");
  }
  EXPECT_EQ(find(first.command.id)->body, first.body);
}

// A quarantine whose commit was in doubt is made again, under another id.
TEST_F(ParkedTest, TheSameCallIsQuarantinedTwiceAndStandsOnce) {
  Parked first = parked("first", 5, ParkedState::quarantined_call),
         again = parked("again", 5, ParkedState::quarantined_call);
  first.stage = again.stage = 1;
  again.reason = std::string("not UTF-8: \xff\0", 13);
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, first)); });
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, again)); });
  EXPECT_FALSE(find(first.command.id));
  const auto back = find(again.command.id);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->body, again.body);
  EXPECT_EQ(back->reason, "not UTF-8: ??");
}

TEST_F(ParkedTest, ReparkingChangesItsStateAndUnparkingRemovesIt) {
  Parked p = parked("a", 5, ParkedState::retry);
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, p)); });
  p.state = ParkedState::dead;
  p.tries = 9;
  p.reason = "given up";
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(repark(tx, p)); });
  const auto back = find(p.command.id);
  EXPECT_EQ(back->state, ParkedState::dead);
  EXPECT_EQ(back->tries, 9);
  EXPECT_EQ(back->reason, "given up");
  EXPECT_EQ(back->body, p.body);
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(unpark(tx, p)); });
  EXPECT_FALSE(find(p.command.id));
}

class BooksTest : public ParkedTest {
 protected:
  Books books() { return *read_books(**pool_.take()); }
};

TEST_F(BooksTest, AreBalancedBeforeAnythingHappened) {
  EXPECT_TRUE(books().balanced());
  EXPECT_EQ(books().inbox, 0);
}

TEST_F(BooksTest, CountEveryCallFromItsOwnTable) {
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Exchange> batch(5, exchange(3, 7));
    ASSERT_TRUE(append_exchanges(tx, batch));
    Parked poison = parked("poison", 2, ParkedState::quarantined_call);
    poison.stage = 1;
    ASSERT_TRUE(park(tx, keys_, poison));
    ASSERT_TRUE(move_position(tx, Stage::inbox, 3, 0, 3));
  });
  const Books b = books();
  EXPECT_EQ(b.inbox, 5);
  EXPECT_EQ(b.routed, 2);
  EXPECT_EQ(b.quarantined, 1);
  EXPECT_EQ(b.unread, 2);
  EXPECT_TRUE(b.balanced()) << b.to_json();
}

TEST_F(BooksTest, CountEveryCommandInExactlyOnePlace) {
  std::vector<NewCommand> made;
  for (const char* name : {"delivered", "duplicate", "rejected", "retry", "unsent", "delivered early"})
    made.push_back(command(3, 7, name));
  const Parked held = [&] {
    Parked p = parked("held", 1, ParkedState::held);
    p.stage = 4;
    return p;
  }();
  in_transaction([&](store::Transaction& tx) {
    ASSERT_TRUE(enter_ledger(tx, made, clock_.now()));
    ASSERT_TRUE(enter_ledger(tx, std::vector<NewCommand>{held.command}, clock_.now()));
    ASSERT_TRUE(append_outbox(tx, made, clock_.now()));
    ASSERT_TRUE(park(tx, keys_, held));
    ASSERT_TRUE(park(tx, keys_, parked("rejected", 3, ParkedState::dead)));
    ASSERT_TRUE(park(tx, keys_, parked("retry", 4, ParkedState::retry)));
    const std::vector<End> ends = {
        {made[0].id, 7, 1, adapter::Verdict::delivered, true, 200, "", "1", ""},
        {made[1].id, 7, 1, adapter::Verdict::duplicate, true, 200, "", "1", ""},
        {made[2].id, 7, 1, adapter::Verdict::rejected, true, 422, "no", "", ""},
        {made[3].id, 7, 1, adapter::Verdict::retry, false, 503, "busy", "", ""},
        {made[5].id, 7, 1, adapter::Verdict::delivered, true, 200, "", "2", ""}};  // before the position passes it
    ASSERT_TRUE(write_ends(tx, 3, ends, clock_.now()));
    ASSERT_TRUE(move_position(tx, Stage::outbox, 3, 7, 4));
    const DecisionRow forbidden{
        Uuid::random(random_), std::nullopt, 7, 4, "purposes.crm", "built-in", "1", "no", "", std::nullopt, 0};
    ASSERT_TRUE(write_decisions(tx, 3, std::span(&forbidden, 1), clock_.now()));
  });
  const Books b = books();
  EXPECT_EQ(b.made, 7);
  EXPECT_EQ(b.delivered, 2);
  EXPECT_EQ(b.duplicate, 1);
  EXPECT_EQ(b.dead, 1);
  EXPECT_EQ(b.waiting, 1);
  EXPECT_EQ(b.held, 1);
  EXPECT_EQ(b.in_flight, 1);
  EXPECT_EQ(b.refused, 1);
  EXPECT_TRUE(b.balanced()) << b.to_json();
}

TEST_F(BooksTest, ACommandThatIsNowhereShows) {
  in_transaction([&](store::Transaction& tx) {
    ASSERT_TRUE(enter_ledger(tx, std::vector<NewCommand>{command(3, 7, "lost")}, clock_.now()));
  });
  EXPECT_FALSE(books().balanced());
}

TEST_F(BooksTest, TheOldestUndeliveredIsAlsoWhatWaitsForARetry) {
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, parked("retry", 4, ParkedState::retry))); });
  exec("UPDATE parked SET at = now() - interval '100 seconds'");
  EXPECT_GE(books().oldest_undelivered_seconds, 100);
  exec("UPDATE parked SET state = 6");
  EXPECT_EQ(books().oldest_undelivered_seconds, 0) << "what is dead is no longer waited for";
}

}  // namespace
}  // namespace isthmus::journal
