#include "journal/outbox.h"

#include <thread>

#include "journal/attempts.h"
#include "journal/blobs.h"
#include "journal/journal_fixture_test.h"

namespace isthmus::journal {
namespace {

using OutboxTest = JournalTest;

TEST_F(OutboxTest, TheLedgerTakesACommandOnce) {
  const std::vector<NewCommand> both = {command(3, 7, "b"), command(3, 7, "a"), command(3, 7, "b")};
  in_transaction([&](store::Transaction& tx) {
    EXPECT_EQ(*enter_ledger(tx, both, clock_.now()), (std::set<Uuid>{both[0].id, both[1].id}));
  });
  in_transaction([&](store::Transaction& tx) {
    const std::vector<NewCommand> more = {command(3, 7, "a"), command(3, 7, "c")};
    EXPECT_EQ(*enter_ledger(tx, more, clock_.now()), std::set<Uuid>{more[1].id});
  });
  EXPECT_EQ(count("SELECT count(*) FROM ledger"), 3);
}

TEST_F(OutboxTest, TwoWhoMakeTheSameCommandAtOnceMakeItOnce) {
  const std::vector<NewCommand> one = {command(3, 7, "a")};
  auto db = pool_.take();
  auto first = store::Transaction::begin(**db);
  ASSERT_EQ(enter_ledger(*first, one, clock_.now())->size(), 1U);
  std::set<Uuid> second;
  std::jthread other(
      [&] { in_transaction([&](store::Transaction& tx) { second = *enter_ledger(tx, one, clock_.now()); }); });
  ASSERT_TRUE(first->commit());
  other.join();
  EXPECT_TRUE(second.empty());
}

TEST_F(OutboxTest, GivesBackWhatWasAppendedInOrder) {
  std::vector<NewCommand> made = {command(4, 8, "x"), command(3, 7, "a"), command(3, 9, "other"), command(3, 7, "b")};
  made[1].not_after = from_us(1764000000000001);
  made[1].remote_id = "at://x";
  made[3].purposes = {};
  in_transaction([&](store::Transaction& tx) { ASSERT_TRUE(append_outbox(tx, made, clock_.now())); });
  const auto rows = *read_outbox(**pool_.take(), 3, 7, 0, 10);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].seq, 1);
  EXPECT_EQ(rows[1].seq, 3);  // numbers are the lane's, not the connection's
  const NewCommand& a = rows[0].command;
  EXPECT_EQ(a.id, made[1].id);
  EXPECT_EQ(a.verb, adapter::Verb::upsert);
  EXPECT_EQ(a.operation, "upsert_lead");
  EXPECT_EQ(a.order_key, "key of a");
  EXPECT_EQ(a.remote_id, "at://x");
  EXPECT_EQ(a.not_after, made[1].not_after);
  EXPECT_EQ(a.decision, made[1].decision);
  EXPECT_EQ(a.purposes, (std::vector<std::string>{"crm", "marketing"}));
  EXPECT_EQ(a.body_format, "lead/1");
  EXPECT_EQ(a.body.bytes, "sealed a");
  EXPECT_EQ(rows[1].command.not_after, std::nullopt);
  EXPECT_TRUE(rows[1].command.purposes.empty());
  EXPECT_TRUE(read_outbox(**pool_.take(), 3, 7, 3, 10)->empty());
}

TEST(CommandId, DependsOnWhereItsPartsEnd) {
  const Secret key(std::string(32, 'i'));
  EXPECT_EQ(command_id(key, {"a", "bc"}), command_id(key, {"a", "bc"}));
  EXPECT_NE(command_id(key, {"a", "bc"}), command_id(key, {"ab", "c"}));
  EXPECT_NE(command_id(key, {"a", "bc"}), command_id(Secret(std::string(32, 'j')), {"a", "bc"}));
}

TEST_F(OutboxTest, AttemptsTellWhatIsKnownOfACommand) {
  const NewCommand never = command(3, 7, "never"), open = command(3, 7, "open"), retried = command(3, 7, "retried"),
                   done = command(3, 7, "done");
  const Instant first = clock_.now(), later = first + std::chrono::seconds(5);
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Intent> intents = {{open.id, 7, 1, "state"}, {retried.id, 7, 1, ""}, {done.id, 7, 1, ""}};
    ASSERT_TRUE(write_intents(tx, 3, intents, first));
    const std::vector<End> ends = {{retried.id, 7, 1, adapter::Verdict::retry, false, 503, "busy", "", ""},
                                   {done.id, 7, 1, adapter::Verdict::delivered, true, 200, "", "42", "https://x/42"}};
    ASSERT_TRUE(write_ends(tx, 3, ends, first + std::chrono::seconds(1)));
  });
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Intent> again = {{retried.id, 7, 2, ""}};
    ASSERT_TRUE(write_intents(tx, 3, again, later));
    const std::vector<End> ends = {{retried.id, 7, 2, adapter::Verdict::throttled, false, 429, "slow down", "", ""}};
    ASSERT_TRUE(write_ends(tx, 3, ends, later));
  });
  const auto known = *histories(**pool_.take(), 3, std::vector<Uuid>{never.id, open.id, retried.id, done.id});
  EXPECT_EQ(known[0].attempts, 0);
  EXPECT_FALSE(known[0].open_intent);
  EXPECT_FALSE(known[0].first_attempt);
  EXPECT_EQ(known[1].attempts, 1);
  EXPECT_TRUE(known[1].open_intent);
  EXPECT_EQ(known[2].attempts, 2);
  EXPECT_FALSE(known[2].open_intent);
  EXPECT_EQ(known[2].first_attempt, first);
  EXPECT_EQ(known[2].last_intent, later);
  EXPECT_FALSE(known[2].closed);
  EXPECT_TRUE(known[3].closed);
  EXPECT_EQ(histories(**pool_.take(), 4, std::vector<Uuid>{open.id})->at(0).attempts, 0)
      << "another lane knows nothing of it";
}

// A network's message may hold what a text column refuses; what became of the command is stored all the same.
TEST_F(OutboxTest, AnEndIsStoredWhateverTheNetworkSaid) {
  const NewCommand c = command(3, 7, "a");
  const std::vector<End> ends = {
      {c.id, 7, 1, adapter::Verdict::rejected, true, 400, std::string("no\0 \xff", 5), std::string("4\0002", 3), ""}};
  in_transaction([&](store::Transaction& tx) {
    const auto done = write_ends(tx, 3, ends, clock_.now());
    ASSERT_TRUE(done) << to_string(done.error());
  });
  EXPECT_EQ(exec("SELECT reason || remote_id FROM attempt").text(0, 0), "no? ?4?2");
}

TEST_F(OutboxTest, SealedBytesOpenAtTheirOwnPlaceOnly) {
  const auto sealed = *keys_.seal("body", "here");
  EXPECT_EQ(*keys_.open(sealed.key, sealed.bytes, "here"), "body");
  EXPECT_EQ(keys_.open(sealed.key, sealed.bytes, "there").error().code, "seal.refused");
  // Another process with the same master key opens it; one without does not.
  EXPECT_EQ(*Keys(pool_, master_, clock_, random_).open(sealed.key, sealed.bytes, "here"), "body");
  const auto other = *archive::MasterKey::from_secret(Secret(std::string(32, 'x')));
  EXPECT_EQ(Keys(pool_, other, clock_, random_).open(sealed.key, sealed.bytes, "here").error().code,
            "key.unknown-master");
  exec("DELETE FROM journal_key");
  EXPECT_EQ(Keys(pool_, master_, clock_, random_).open(sealed.key, sealed.bytes, "here").error().code,
            "journal.key-gone");
}

TEST_F(OutboxTest, ABlobIsStoredOnceAndNotInTheClear) {
  const Blob blob{to_hex(crypto::sha256("picture")), "image/png", "picture"};
  ASSERT_TRUE(put_blob(**pool_.take(), keys_, blob));
  ASSERT_TRUE(put_blob(**pool_.take(), keys_, blob));
  EXPECT_EQ(count("SELECT count(*) FROM blob"), 1);
  EXPECT_EQ(count("SELECT count(*) FROM blob WHERE position('picture'::bytea IN body) > 0"), 0);
  const auto back = get_blob(**pool_.take(), keys_, blob.hash);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->bytes, "picture");
  EXPECT_EQ(back->mime, "image/png");
  EXPECT_EQ(get_blob(**pool_.take(), keys_, std::string(64, '0')).error().code, "blob.unknown");
  EXPECT_FALSE(get_blob(**pool_.take(), keys_, "not a hash"));
}

}  // namespace
}  // namespace isthmus::journal
