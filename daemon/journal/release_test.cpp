// A release, statement by statement: what the journal and the two books say before it, after it, and at the command's
// second end.
#include "journal/release.h"

#include "journal/attempts.h"
#include "journal/books.h"
#include "journal/journal_fixture_test.h"
#include "journal/lanes.h"

namespace isthmus::journal {
namespace {

class ReleaseTest : public JournalTest {
 protected:
  /// Logged, sent once, refused by the network: a dead letter at number 1.
  Parked dead(const std::string& name) {
    Parked p;
    p.command = command(3, 7, name);
    p.state = ParkedState::dead;
    p.due = clock_.now();
    p.reason = "REJECTED";
    p.body = "body";
    in_transaction([&](store::Transaction& tx) {
      ASSERT_TRUE(enter_ledger(tx, std::span(&p.command, 1), clock_.now()));
      ASSERT_TRUE(append_outbox(tx, std::span(&p.command, 1), clock_.now()));
      const std::vector<Intent> intents = {{p.command.id, 7, 1, ""}};
      ASSERT_TRUE(write_intents(tx, 3, intents, clock_.now()));
    });
    p.seq = count("SELECT max(seq) FROM outbox WHERE lane = 3");
    in_transaction([&](store::Transaction& tx) {
      end(tx, p.command.id, 1, adapter::Verdict::rejected);
      ASSERT_TRUE(park(tx, keys_, p));
    });
    return p;
  }
  void end(store::Transaction& tx, const Uuid& id, int n, adapter::Verdict verdict) {
    End one{id, 7, n, verdict, true, 200, "", "", ""};
    ASSERT_TRUE(write_ends(tx, 3, std::span(&one, 1), clock_.now()));
  }
  void released(const Parked& p) {
    in_transaction([&](store::Transaction& tx) {
      const auto found = find_parked(tx, keys_, p.command.id);
      ASSERT_TRUE(found && *found);
      NewCommand again = (*found)->command;
      again.body = {20000, "sealed again"};
      ASSERT_TRUE(release(tx, **found, again, "by a person", clock_.now()));
    });
  }
  History history(const Uuid& id) { return histories(**pool_.take(), 3, std::vector<Uuid>{id})->at(0); }
  Books books() { return *read_books(**pool_.take()); }
};

TEST_F(ReleaseTest, ADeadLetterStandsAtTheTailUnderItsIdAndTheBooksBalanceAtEachStep) {
  const Parked p = dead("a");
  EXPECT_EQ(books().dead, 1);
  EXPECT_TRUE(books().balanced()) << books().to_json();
  EXPECT_TRUE(history(p.command.id).closed);

  released(p);
  EXPECT_EQ(count("SELECT count(*) FROM parked"), 0);
  EXPECT_EQ(count("SELECT count(*) FROM ledger"), 1);
  const auto rows = *read_outbox(**pool_.take(), 3, 7, 0, 10);
  ASSERT_EQ(rows.size(), 1U) << "its old place is void";
  EXPECT_GT(rows[0].seq, p.seq);
  EXPECT_EQ(rows[0].command.id, p.command.id);
  EXPECT_EQ(rows[0].command.body.bytes, "sealed again");
  EXPECT_EQ(books().in_flight, 1);
  EXPECT_TRUE(books().balanced()) << books().to_json();
  History h = history(p.command.id);
  EXPECT_FALSE(h.closed);
  EXPECT_FALSE(h.open_intent);
  EXPECT_EQ(h.attempts, 2) << "the release has a number of its own";

  in_transaction([&](store::Transaction& tx) { end(tx, p.command.id, 3, adapter::Verdict::delivered); });
  EXPECT_TRUE(history(p.command.id).closed);
  EXPECT_EQ(books().delivered, 1);
  EXPECT_TRUE(books().balanced()) << books().to_json();
}

// Without another send: what is judged before it (purposes, its time) closes under the release's own number.
TEST_F(ReleaseTest, AnEndUnderTheReleasesOwnNumberClosesAndALateOneOfBeforeDoesNot) {
  const Parked p = dead("a");
  released(p);
  in_transaction([&](store::Transaction& tx) { end(tx, p.command.id, 1, adapter::Verdict::rejected); });
  EXPECT_FALSE(history(p.command.id).closed) << "an end that was said before the release, written late";
  EXPECT_EQ(books().in_flight, 1);
  in_transaction([&](store::Transaction& tx) {
    const End expired{p.command.id, 7, 2, adapter::Verdict::gone, true, 0, "too late", "", "", true};
    ASSERT_TRUE(write_ends(tx, 3, std::span(&expired, 1), clock_.now()));
  });
  EXPECT_TRUE(history(p.command.id).closed);
  EXPECT_EQ(books().expired, 1);
  EXPECT_TRUE(books().balanced()) << books().to_json();
}

TEST_F(ReleaseTest, AnIntentThatNobodyEndedIsSettledByTheRelease) {
  const Parked p = dead("a");
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Intent> intents = {{p.command.id, 7, 2, ""}};
    ASSERT_TRUE(write_intents(tx, 3, intents, clock_.now()));
  });
  EXPECT_TRUE(history(p.command.id).open_intent);
  released(p);
  EXPECT_FALSE(history(p.command.id).open_intent);
}

// A connection's position may stand before what is parked: read again, such a row says so.
TEST_F(ReleaseTest, ARowThatIsParkedIsToldFromOneThatIsNot) {
  const Parked p = dead("a");
  const NewCommand next = command(3, 7, "b");
  in_transaction([&](store::Transaction& tx) {
    ASSERT_TRUE(enter_ledger(tx, std::span(&next, 1), clock_.now()));
    ASSERT_TRUE(append_outbox(tx, std::span(&next, 1), clock_.now()));
  });
  const auto rows = *read_outbox(**pool_.take(), 3, 7, 0, 10);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_TRUE(rows[0].parked);
  EXPECT_FALSE(rows[1].parked);
}

TEST_F(ReleaseTest, ACommandSaysWhoMadeIt) {
  NewCommand by_route = command(3, 7, "a"), by_person = command(3, 7, "b");
  by_route.route = "leads";
  by_person.author = 12;
  const std::vector<NewCommand> both = {by_route, by_person};
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(append_outbox(tx, both, clock_.now())); });
  const auto rows = *read_outbox(**pool_.take(), 3, 7, 0, 10);
  EXPECT_EQ(rows[0].command.route, "leads");
  EXPECT_EQ(rows[0].command.author, 0);
  EXPECT_EQ(rows[1].command.route, "");
  EXPECT_EQ(rows[1].command.author, 12);
  Parked held;
  held.command = by_route;
  held.state = ParkedState::held;
  held.due = clock_.now();
  in_transaction([&](store::Transaction& tx) {
    ASSERT_TRUE(park(tx, keys_, held));
    EXPECT_EQ((*find_parked(tx, keys_, by_route.id))->command.route, "leads");
  });
}

}  // namespace
}  // namespace isthmus::journal
