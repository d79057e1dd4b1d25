// Recorder, sequencer and exporter against a real PostgreSQL.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "archive/exporter.h"
#include "archive/recorder.h"
#include "archive/sequencer.h"
#include "archive/shown_checkpoint.h"
#include "base/json.h"
#include "support/postgres.h"

using namespace isthmus;
using namespace isthmus::archive;
using store::Param;

namespace fs = std::filesystem;

namespace {

/// A log of its own: database, keys, state folder.
class LogTest : public testing::Test {
 protected:
  LogTest() {
    std::string name = (fs::temp_directory_path() / "isthmus-log-XXXXXX").string();
    EXPECT_NE(mkdtemp(name.data()), nullptr);
    folder_ = name;
    fs::create_directory(state());
  }
  ~LogTest() override { fs::remove_all(folder_); }

  [[nodiscard]] fs::path state() const { return folder_ / "state"; }

  /// Records of one lane, each body with its own text, in one transaction as a stage writes them.
  void record(int lane, int count, std::chrono::microseconds at = {}) {
    std::vector<Entry> entries;
    for (int i = 0; i < count; ++i) {
      Entry entry;
      entry.draft.kind = Kind::message_received;
      entry.draft.at = clock_.now() + at + std::chrono::microseconds(i);
      entry.draft.body = R"({"text":"record )" + std::to_string(made_++) + "\"}";
      entries.push_back(entry);
    }
    const auto prepared = recorder_.prepare(entries);
    ASSERT_TRUE(prepared) << to_string(prepared.error());
    auto db = pool_.take();
    auto tx = store::Transaction::begin(**db);
    const auto first =
        tx->exec("UPDATE lane_head SET next = next + $2 WHERE stage = 3 AND lane = $1 RETURNING next - $2",
                 {Param::small(lane), count});
    ASSERT_TRUE(Recorder::append(*tx, lane, *prepared, first->number(0, 0)));
    ASSERT_TRUE(tx->commit());
  }

  Result<std::unique_ptr<Sequencer>> open() { return Sequencer::open({pool_, signer_, clock_, state()}); }

  /// Sequences all that waits; the error code, or "" .
  std::string sequence() {
    auto sequencer = open();
    if (!sequencer) return sequencer.error().code;
    while (true) {
      const auto step = (*sequencer)->step(0);
      if (!step) return step.error().code;
      if (step->leaves == 0) return "";
    }
  }

  store::Rows exec(std::string_view sql, const std::vector<Param>& params = {}) {
    auto db = pool_.take();
    auto rows = (*db)->exec(sql, params);
    EXPECT_TRUE(rows) << (rows ? "" : to_string(rows.error()));
    return rows ? *rows : store::Rows();
  }

  std::string bag_file(const fs::path& bag, const std::string& name) {
    std::ostringstream bytes;
    bytes << std::ifstream(bag / name, std::ios::binary).rdbuf();
    return bytes.str();
  }

  Result<Exporter::Summary> write_bag(const std::string& name, Exporter::Range range = {}) {
    return Exporter({pool_, recorder_, signer_, clock_, "isthmusd test"}).write(folder_ / name, range);
  }

  fs::path folder_;
  store::Pool pool_{test::Postgres::instance().fresh_database(), 2};
  SystemRandom random_;
  MasterKey master_ = *MasterKey::from_secret(Secret(std::string(32, 'm')));
  NoteSigner signer_ =
      *NoteSigner::create("isthmus.example/test", *crypto::SigningKey::from_seed(Secret(std::string(32, 's'))));
  ManualClock clock_{SystemClock().now()};
  Recorder recorder_{pool_, master_, random_};
  int made_ = 0;
};

}  // namespace

TEST_F(LogTest, GivesEveryRecordOnePlaceAndSignsTheRootOfAll) {
  record(3, 5);
  record(60, 2);
  record(3, 1);
  ASSERT_EQ(sequence(), "");
  const auto leaves = exec("SELECT idx, lane, seq, hash FROM leaf ORDER BY idx");
  ASSERT_EQ(leaves.size(), 8);
  Frontier tree;
  for (int i = 0; i < 8; ++i) {
    EXPECT_EQ(leaves.number(i, 0), i);
    tree.append(*Hash::from_bytes(leaves.bytes(i, 3)));
  }
  auto db = pool_.take();
  const auto head = *last_checkpoint(**db, "isthmus.example/test");
  ASSERT_TRUE(head);
  EXPECT_EQ(head->checkpoint, (Checkpoint{"isthmus.example/test", 8, tree.root()}));
  EXPECT_EQ(head->note, signer_.sign(head->checkpoint.text()));
  EXPECT_EQ(**read_shown_checkpoint(state() / "checkpoint.last"), head->checkpoint);
  EXPECT_EQ(*unsequenced(**db), 0);
}

TEST_F(LogTest, MergesLanesByTimeAndKeepsTheOrderWithinEach) {
  record(1, 1, std::chrono::seconds(10));
  record(1, 1, std::chrono::seconds(0));  // its clock went back
  record(2, 1, std::chrono::seconds(5));
  record(2, 1, std::chrono::seconds(20));
  ASSERT_EQ(sequence(), "");
  const auto leaves = exec("SELECT lane, seq FROM leaf ORDER BY idx");
  std::string order;
  for (int i = 0; i < leaves.size(); ++i)
    order += std::to_string(leaves.number(i, 0)) + "." + std::to_string(leaves.number(i, 1)) + " ";
  EXPECT_EQ(order, "2.1 1.1 1.2 2.2 ");
}

TEST_F(LogTest, GoesOnWhereAnotherSequencerStopped) {
  for (int i = 0; i < 3; ++i) {
    record(i, 300);
    ASSERT_EQ(sequence(), "") << i;
  }
  record(0, 200);
  ASSERT_EQ(sequence(), "");
  EXPECT_EQ(exec("SELECT count(*) FROM tile").number(0, 0), 4);  // 1100 leaves
  const auto leaves = exec("SELECT hash FROM leaf ORDER BY idx");
  Frontier tree;
  for (int i = 0; i < leaves.size(); ++i) tree.append(*Hash::from_bytes(leaves.bytes(i, 0)));
  auto db = pool_.take();
  EXPECT_EQ((*last_checkpoint(**db, signer_.name()))->checkpoint.root, tree.root());
}

TEST_F(LogTest, WritesNothingWithAnEpochThatIsNotItsOwn) {
  record(0, 1);
  auto sequencer = open();
  exec("UPDATE lane SET epoch = 1 WHERE lane = 64");
  EXPECT_EQ((*sequencer)->step(0).error().code, "lane.lost");
  EXPECT_EQ(exec("SELECT count(*) FROM leaf").number(0, 0), 0);
  sequencer = open();
  EXPECT_EQ((*sequencer)->step(1)->leaves, 1U);
  EXPECT_EQ((*sequencer)->step(1)->leaves, 0U);
}

TEST_F(LogTest, RefusesADatabaseThatIsOlderThanWhatWasShown) {
  record(0, 2);
  ASSERT_EQ(sequence(), "");
  exec("DELETE FROM leaf WHERE idx = 1");
  EXPECT_EQ(sequence(), "archive.tree-damaged");
  exec("DELETE FROM leaf");
  exec("DELETE FROM checkpoint");
  EXPECT_EQ(sequence(), "archive.checkpoint-older");
  fs::remove(state() / "checkpoint.last");
  EXPECT_EQ(sequence(), "");
  std::ofstream(state() / "checkpoint.last") << "scribble";
  EXPECT_EQ(sequence(), "archive.state");
}

TEST_F(LogTest, RefusesALogThatWasRewritten) {
  record(0, 3);
  ASSERT_EQ(sequence(), "");
  exec("DELETE FROM leaf");
  exec("DELETE FROM checkpoint");
  exec("UPDATE record SET leaf_hash = $1 WHERE seq = 2", {Param::bytes(leaf_hash("another").view())});
  fs::rename(state() / "checkpoint.last", folder_ / "kept");
  ASSERT_EQ(sequence(), "");
  fs::rename(folder_ / "kept", state() / "checkpoint.last");
  EXPECT_EQ(sequence(), "archive.checkpoint-older");
}

TEST_F(LogTest, NoticesARecordThatWasTakenAway) {
  record(5, 3);
  exec("DELETE FROM record WHERE seq = 2");
  EXPECT_EQ(sequence(), "archive.record-missing");
  EXPECT_EQ(exec("SELECT count(*) FROM leaf").number(0, 0), 0);
}

TEST_F(LogTest, FindsRecordsWhoseTimeLiesFarBack) {
  exec("SELECT make_partitions((now() AT TIME ZONE 'UTC')::date - 30)");
  record(1, 1);
  ASSERT_EQ(sequence(), "");
  record(2, 1, -std::chrono::hours(24 * 30));
  ASSERT_EQ(sequence(), "");
  EXPECT_EQ(exec("SELECT count(*) FROM leaf").number(0, 0), 2);
}

TEST_F(LogTest, KeepsTheNameItBeganWith) {
  record(0, 1);
  ASSERT_EQ(sequence(), "");
  const auto other =
      *NoteSigner::create("other.example/log", *crypto::SigningKey::from_seed(Secret(std::string(32, 's'))));
  EXPECT_EQ(Sequencer::open({pool_, other, clock_, state()}).error().code, "archive.other-origin");
}

TEST_F(LogTest, EveryFailingStatementLeavesALogThatGoesOn) {
  record(0, 300);
  ASSERT_EQ(sequence(), "");
  record(1, 300);
  for (int fail_at = 1;; ++fail_at) {
    int seen = 0;
    auto options = pool_.options();
    options.allow_statement = [&](std::string_view) { return ++seen != fail_at; };
    store::Pool failing(options, 1);
    auto sequencer = Sequencer::open({failing, signer_, clock_, state()});
    const bool stepped = sequencer && (*sequencer)->step(0);
    if (seen < fail_at) {
      ASSERT_TRUE(stepped);
      break;
    }
    ASSERT_TRUE(open()) << fail_at;
  }
  ASSERT_EQ(sequence(), "");
  EXPECT_EQ(exec("SELECT count(*) FROM leaf").number(0, 0), 600);
  EXPECT_EQ(exec("SELECT count(*) FROM tile").number(0, 0), 2);
}

TEST_F(LogTest, ExportsWhatItHoldsAndSaysWhatItDoesNot) {
  record(0, 250);
  record(1, 30);
  ASSERT_EQ(sequence(), "");
  record(0, 2);
  exec("UPDATE record SET wrapped_key = NULL, body = NULL WHERE lane = 0 AND seq = 10");
  exec("UPDATE record SET body = $1 WHERE lane = 0 AND seq = 11", {Param::bytes("changed")});
  exec("DELETE FROM record WHERE lane = 1 AND seq = 5");
  const auto summary = write_bag("bag");
  ASSERT_TRUE(summary) << to_string(summary.error());
  EXPECT_EQ(summary->log_size, 280U);
  EXPECT_EQ(summary->records, 279U);
  EXPECT_EQ(summary->erased, 1U);
  EXPECT_EQ(summary->unopened, 1U);
  EXPECT_EQ(summary->absent, 1U);
  EXPECT_EQ(summary->waiting, 2);
  const std::string records = bag_file(folder_ / "bag", "data/records.ndjson");
  EXPECT_EQ(std::count(records.begin(), records.end(), '\n'), 279);
  EXPECT_NE(records.find(R"("text":"record 0")"), std::string::npos);
  EXPECT_NE(bag_file(folder_ / "bag", "data/gaps.json").find("no longer kept"), std::string::npos);
}

TEST_F(LogTest, ExportsARangeAndRefusesAnEmptyLog) {
  EXPECT_EQ(write_bag("empty").error().code, "archive.empty");
  EXPECT_FALSE(fs::exists(folder_ / "empty"));
  record(0, 10);
  ASSERT_EQ(sequence(), "");
  EXPECT_EQ(write_bag("bag", {2, 5})->records, 3U);
  EXPECT_EQ(write_bag("bag").error().code, "bag.exists");
}

TEST_F(LogTest, OneDayHasOneKeyForAllNodes) {
  Recorder other(pool_, master_, random_);
  const auto mine = recorder_.day_key(20781, true);
  const auto theirs = other.day_key(20781, true);
  EXPECT_EQ(mine->key.reveal(), theirs->key.reveal());
  EXPECT_EQ(other.day_key(20782, false).error().code, "key.gone");
  const MasterKey stranger = *MasterKey::from_secret(Secret(std::string(32, 'x')));
  Recorder locked_out(pool_, stranger, random_);
  EXPECT_EQ(locked_out.day_key(20781, false).error().code, "key.unknown-master");
}
