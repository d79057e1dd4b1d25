// Days are made in the past and the clock is given, so that a test sees two weeks in a moment.
#include "journal/retention.h"

#include "journal/attempts.h"
#include "journal/books.h"
#include "journal/event_keys.h"
#include "journal/journal_fixture_test.h"
#include "journal/parked.h"

namespace isthmus::journal {
namespace {

using std::chrono::days;
using std::chrono::hours;

constexpr days kKept{14};

class RetentionTest : public JournalTest {
 protected:
  void SetUp() override {
    for (int back = 0; back <= 30; ++back) {
      exec("SELECT make_partitions(($1::timestamptz AT TIME ZONE 'UTC')::date)", {now_ - days(back)});
    }
  }

  void receive(Instant at, const std::string& delivery, int lane = 3) {
    Exchange e = exchange(lane, 1, delivery);
    e.received = at;
    in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(append_exchanges(tx, std::span(&e, 1))); });
  }
  void route_all(Instant at, int lane = 3) {
    exec(
        "INSERT INTO progress (at, lane, stage, connection, position) SELECT $1, lane, 1, 0, next - 1 FROM lane_head "
        "WHERE stage = 1 AND lane = $2",
        {at, store::Param::small(lane)});
  }
  NewCommand send(Instant at, const std::string& name) {
    NewCommand c = command(3, 1, name);
    in_transaction([&](store::Transaction& tx) {
      ASSERT_TRUE(enter_ledger(tx, std::span(&c, 1), at));
      ASSERT_TRUE(append_outbox(tx, std::span(&c, 1), at));
    });
    return c;
  }
  void pass_outbox(Instant at) {
    exec(
        "INSERT INTO progress (at, lane, stage, connection, position) SELECT $1, 3, 2, 1, next - 1 FROM lane_head "
        "WHERE "
        "stage = 2 AND lane = 3",
        {at});
  }
  void end(const NewCommand& c, Instant at, adapter::Verdict verdict, bool closing = true) {
    in_transaction([&](store::Transaction& tx) {
      const Intent intent{c.id, 1, 1, {}};
      ASSERT_TRUE(write_intents(tx, 3, std::span(&intent, 1), at));
      const End ended{c.id, 1, 1, verdict, closing, 200, "because", "remote-1", "https://network.example/1"};
      ASSERT_TRUE(write_ends(tx, 3, std::span(&ended, 1), at));
    });
  }
  void park_as(const NewCommand& c, std::int64_t seq, ParkedState state) {
    Parked p;
    p.seq = seq;
    p.command = c;
    p.state = state;
    p.due = now_;
    p.body = "{}";
    in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, p)); });
  }

  Expired expire(Instant now) {
    auto expired = expire_journal(**pool_.take(), now, kKept);
    EXPECT_TRUE(expired) << (expired ? "" : to_string(expired.error()));
    return expired ? *expired : Expired();
  }
  Books books() {
    auto read = read_books(**pool_.take());
    EXPECT_TRUE(read);
    return read ? *read : Books();
  }
  static std::string day_text(Instant at) { return to_rfc3339(at).substr(0, 10); }
  bool has_day(const std::string& table, Instant at) {
    std::string suffix = day_text(at);
    std::erase(suffix, '-');
    return exec("SELECT to_regclass('isthmus." + table + "_" + suffix + "') IS NOT NULL").truth(0, 0);
  }

  const Instant now_ = std::chrono::floor<days>(clock_.now()) + hours(12);
};

TEST_F(RetentionTest, DropsADayOnceItIsOverAndNotADayEarlier) {
  const Instant old = now_ - days(15);
  const Instant young = now_ - days(14);
  receive(old, "a");
  receive(young, "b");
  route_all(now_);
  EXPECT_GT(expire(now_).days, 0);
  EXPECT_FALSE(has_day("inbox", old));
  EXPECT_FALSE(has_day("outbox", old));
  EXPECT_FALSE(has_day("attempt", old));
  EXPECT_FALSE(has_day("progress", old));
  EXPECT_TRUE(has_day("inbox", young)) << "it ended less than 14 days ago";
  EXPECT_TRUE(has_day("record", old)) << "the archive is not the journal";
  EXPECT_TRUE(has_day("decision", old));
  EXPECT_EQ(count("SELECT count(*) FROM inbox"), 1);
  EXPECT_EQ(expire(now_).days, 0) << "nothing is left to do";
}

TEST_F(RetentionTest, KeepsTheBooksBalancedBeforeAndAfter) {
  const Instant old = now_ - days(20);
  for (const char* name : {"a", "b", "c"}) receive(old, name);
  receive(now_, "today");
  route_all(now_);
  Parked call;
  call.stage = 1;
  call.seq = 2;
  call.command.lane = 3;
  call.command.connection = 1;
  call.command.id = Uuid::random(random_);
  call.state = ParkedState::quarantined_call;
  call.due = now_;
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(park(tx, keys_, call)); });
  const NewCommand delivered = send(old, "delivered");
  const NewCommand duplicate = send(old, "duplicate");
  const NewCommand dead = send(old, "dead");
  end(delivered, old, adapter::Verdict::delivered);
  end(duplicate, old, adapter::Verdict::duplicate);
  end(dead, old, adapter::Verdict::rejected);
  park_as(dead, 3, ParkedState::dead);
  pass_outbox(old);
  const NewCommand fresh = send(now_, "fresh");
  const Books before = books();
  ASSERT_TRUE(before.balanced());

  ASSERT_GT(expire(now_).days, 0);
  const Books after = books();
  EXPECT_TRUE(after.balanced()) << after.to_json();
  EXPECT_EQ(after.to_json(), before.to_json());
  EXPECT_EQ(after.inbox, 4);
  EXPECT_EQ(after.quarantined, 1);
  EXPECT_EQ(after.delivered, 1);
  EXPECT_EQ(after.in_flight, 1);
  EXPECT_EQ(count("SELECT count(*) FROM attempt"), 0) << "the totals come from book, not from the rows";

  exec("DELETE FROM parked WHERE stage = 1");
  EXPECT_TRUE(books().balanced()) << "a quarantined call is looked at after its day has gone";
}

TEST_F(RetentionTest, CountsAnEndThatWasWrittenTwiceAroundMidnightOnce) {
  const Instant midnight = std::chrono::floor<days>(now_ - days(16));
  const NewCommand c = send(midnight - hours(1), "a");
  end(c, midnight - std::chrono::seconds(1), adapter::Verdict::delivered);
  end(c, midnight + std::chrono::seconds(1), adapter::Verdict::delivered);
  pass_outbox(midnight);
  ASSERT_EQ(books().delivered, 1);
  ASSERT_GT(expire(now_).days, 0);
  EXPECT_EQ(books().delivered, 1);
  EXPECT_TRUE(books().balanced());
}

TEST_F(RetentionTest, AnUnreadCallKeepsItsDayAndAllLaterOnes) {
  receive(now_ - days(20), "read");
  route_all(now_);
  receive(now_ - days(18), "unread");
  const Expired expired = expire(now_);
  EXPECT_EQ(expired.kept_day, day_text(now_ - days(18)));
  EXPECT_EQ(expired.kept_for, "unread");
  EXPECT_EQ(expired.waiting, 1);
  EXPECT_FALSE(has_day("inbox", now_ - days(20)));
  EXPECT_TRUE(has_day("inbox", now_ - days(18)));
  EXPECT_TRUE(has_day("inbox", now_ - days(16)));
  route_all(now_);
  EXPECT_EQ(expire(now_).kept_for, "");
  EXPECT_FALSE(has_day("inbox", now_ - days(18)));
}

TEST_F(RetentionTest, ACommandInFlightKeepsItsDay) {
  const NewCommand c = send(now_ - days(18), "a");
  EXPECT_EQ(expire(now_).kept_for, "in_flight");
  EXPECT_EQ(count("SELECT count(*) FROM outbox"), 1);
  end(c, now_, adapter::Verdict::delivered);
  pass_outbox(now_);
  EXPECT_EQ(expire(now_).kept_for, "");
  EXPECT_EQ(count("SELECT count(*) FROM outbox"), 0);
  EXPECT_TRUE(books().balanced());
}

TEST_F(RetentionTest, ACommandThatIsRetriedKeepsItsAttemptsAndADeadOneDoesNot) {
  const Instant old = now_ - days(18);
  const NewCommand c = send(old, "a");
  end(c, old, adapter::Verdict::retry, false);
  park_as(c, 1, ParkedState::ambiguous);
  pass_outbox(old);
  EXPECT_EQ(expire(now_).kept_for, "working");
  EXPECT_TRUE(histories(**pool_.take(), 3, std::vector<Uuid>{c.id})->at(0).first_attempt.has_value());
  exec("UPDATE parked SET state = 6");
  EXPECT_EQ(expire(now_).kept_for, "");
  EXPECT_TRUE(books().balanced()) << "its parked row has its own body and evidence";
}

TEST_F(RetentionTest, AReaderThatStoodStillKeepsItsPosition) {
  const Instant old = now_ - days(25);
  receive(old, "a");
  receive(old, "b");
  route_all(old);
  (void)send(old, "a");
  pass_outbox(old);
  ASSERT_GT(expire(now_).days, 0);
  EXPECT_EQ(position(**pool_.take(), Stage::inbox, 3, 0), 2)
      << "else what is numbered from here on would be read twice";
  EXPECT_EQ(position(**pool_.take(), Stage::outbox, 3, 1), 1);
}

TEST_F(RetentionTest, WhatPeopleCanAskForKeepsItsLastWord) {
  const Instant old = now_ - days(20);
  const NewCommand of_post = send(old, "post");
  const NewCommand of_route = send(old, "route");
  exec("INSERT INTO unit (name) VALUES ('acme')");
  exec("INSERT INTO principal (kind, unit, issuer, subject) VALUES ('person', 1, 'local', 'marie')");
  exec(
      "INSERT INTO connection (uuid, name, unit, adapter, descriptor_sha256, hosts, fields, lane) VALUES "
      "(gen_random_uuid(), 'net', 1, 'fake', '', '{}', '{}', 3)");
  const Uuid post = Uuid::random(random_);
  exec("INSERT INTO post (id, author, at, fingerprint) VALUES ($1, 1, $2, '')", {post, old});
  exec("INSERT INTO post_target (post, connection, lane, command) VALUES ($1, 1, 3, $2)", {post, of_post.id});
  end(of_post, old, adapter::Verdict::delivered);
  end(of_route, old, adapter::Verdict::delivered);
  pass_outbox(old);
  ASSERT_GT(expire(now_).days, 0);
  const store::Rows rows = exec("SELECT command, remote_id FROM ended");
  ASSERT_EQ(rows.size(), 1);
  EXPECT_EQ(rows.uuid(0, 0), of_post.id);
  EXPECT_EQ(rows.text(0, 1), "remote-1");
}

TEST_F(RetentionTest, AKeyIsDestroyedInTheTableAndInMemoryWithTheDayAfterItsOwn) {
  const Instant old = now_ - days(20);
  const auto day_of = [](Instant at) { return std::chrono::floor<days>(at).time_since_epoch().count(); };
  const auto sealed = keys_.seal("body", "binding");
  ASSERT_TRUE(sealed);
  for (const int later : {0, 1, 6}) {
    exec("INSERT INTO journal_key SELECT $1, master_key_id, wrapped FROM journal_key WHERE id = $2",
         {store::Param::integer(day_of(old + days(later))), store::Param::integer(sealed->key)});
  }
  receive(old, "a");
  route_all(now_);
  receive(old + days(2), "unread");  // keeps the days from here on
  ASSERT_GT(expire(now_).days, 0);
  EXPECT_EQ(count("SELECT count(*) FROM journal_key WHERE id = " + std::to_string(day_of(old))), 0);
  EXPECT_EQ(count("SELECT count(*) FROM journal_key WHERE id = " + std::to_string(day_of(old + days(1)))), 1)
      << "what was sealed just before midnight may stand in the next day";

  ASSERT_TRUE(keys_.forget_destroyed());
  EXPECT_EQ(*keys_.open(sealed->key, sealed->bytes, "binding"), "body") << "today's key is still there";
  exec("DELETE FROM journal_key WHERE id = $1", {store::Param::integer(sealed->key)});
  exec("INSERT INTO journal_key VALUES ($1, 'other', '')", {store::Param::integer(sealed->key + 1)});
  EXPECT_TRUE(keys_.open(sealed->key, sealed->bytes, "binding")) << "memory has it until it is told";
  ASSERT_TRUE(keys_.forget_destroyed());
  const auto gone = keys_.open(sealed->key, sealed->bytes, "binding");
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, "journal.key-gone");
}

TEST_F(RetentionTest, AnotherNodeThatDropsIsNotDisturbed) {
  auto other = store::Connection::open(options_);
  ASSERT_TRUE(other);
  ASSERT_TRUE((*other)->exec("SELECT pg_advisory_lock(1769173864, 4)"));
  const Expired expired = expire(now_);
  EXPECT_EQ(expired.days, 0);
  EXPECT_EQ(expired.kept_for, "busy");
}

TEST_F(RetentionTest, SeenGoesAfterThreeDays) {
  ASSERT_TRUE(has_day("seen", now_ - days(4)));
  (void)expire(now_);
  EXPECT_FALSE(has_day("seen", now_ - days(4)));
  EXPECT_TRUE(has_day("seen", now_ - days(3)));
}

TEST_F(RetentionTest, EventKeysGoAfter400Days) {
  const EventKey old{1, "old", Uuid::random(random_)};
  const EventKey young{1, "young", Uuid::random(random_)};
  in_transaction([&](store::Transaction& tx) {
    ASSERT_TRUE(enter_events(tx, 3, std::span(&old, 1), now_ - days(400) - std::chrono::seconds(1)));
    ASSERT_TRUE(enter_events(tx, 3, std::span(&young, 1), now_ - days(400)));
  });
  EXPECT_EQ(*expire_names(**pool_.take(), now_), 1);
  EXPECT_EQ(known_events(**pool_.take(), 3, std::vector<EventKey>{old, young})->size(), 1U);
}

TEST_F(RetentionTest, LedgerRowsGoAfter400DaysIntoTheBooksButForWhatIsParked) {
  const Instant old = now_ - days(20);
  const NewCommand ended = send(old, "ended");
  const NewCommand held = send(old, "held");
  end(ended, old, adapter::Verdict::delivered);
  park_as(held, 2, ParkedState::held);
  pass_outbox(old);
  const Instant much_later = old + days(401);
  EXPECT_EQ(*expire_names(**pool_.take(), much_later), 0) << "its attempts are counted against its row";
  ASSERT_GT(expire(now_).days, 0);
  const Books before = books();
  EXPECT_EQ(*expire_names(**pool_.take(), old + days(399)), 0);
  EXPECT_EQ(*expire_names(**pool_.take(), much_later), 1);
  EXPECT_EQ(count("SELECT count(*) FROM ledger"), 1);
  EXPECT_EQ(books().made, before.made);
  EXPECT_TRUE(books().balanced());
}

}  // namespace
}  // namespace isthmus::journal
