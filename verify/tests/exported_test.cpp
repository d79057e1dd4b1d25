// The whole way: records in a real database, their places in the log, a bag, and the verdict on it.
#include <gtest/gtest.h>

#include <algorithm>

#include "archive/exporter.h"
#include "archive/sequencer.h"
#include "bags.h"
#include "support/postgres.h"

using namespace isthmus;
using namespace isthmus::archive;

namespace {

/// Writes `count` records of one lane.
void record(store::Pool& pool, Recorder& recorder, const Clock& clock, int lane, int count) {
  std::vector<Entry> entries(static_cast<std::size_t>(count));
  for (Entry& entry : entries) {
    entry.draft.kind = Kind::message_received;
    entry.draft.at = clock.now();
    entry.draft.body = R"({"text":"Grüße, lane )" + std::to_string(lane) + "\"}";
  }
  const auto prepared = recorder.prepare(entries);
  ASSERT_TRUE(prepared) << to_string(prepared.error());
  auto db = pool.take();
  auto tx = store::Transaction::begin(**db);
  const auto first = tx->exec("UPDATE lane_head SET next = next + $2 WHERE stage = 3 AND lane = $1 RETURNING next - $2",
                              {store::Param::small(lane), count});
  ASSERT_TRUE(Recorder::append(*tx, lane, *prepared, first->number(0, 0)));
  ASSERT_TRUE(tx->commit());
}

}  // namespace

TEST(Exported, BagsAreAcceptedAtEverySizeOfTheLog) {
  const bags::Folder folder;
  store::Pool pool(test::Postgres::instance().fresh_database(), 2);
  SystemClock clock;
  SystemRandom random;
  const MasterKey master = *MasterKey::from_secret(Secret(std::string(32, 'm')));
  Recorder recorder(pool, master, random);
  auto sequencer = Sequencer::open({pool, bags::signer(), clock, folder.path()});
  ASSERT_TRUE(sequencer) << to_string(sequencer.error());
  Exporter exporter({pool, recorder, bags::signer(), clock, "isthmusd test"});
  int size = 0;
  for (const int more : {1, 2, 252, 1, 1, 300}) {
    record(pool, recorder, clock, size % 64, more);
    size += more;
    ASSERT_EQ((*sequencer)->step(0)->leaves, static_cast<std::size_t>(more));
    const auto dir = folder.path() / std::to_string(size);
    ASSERT_TRUE(exporter.write(dir, {}));
    verify::FolderFiles files(dir);
    const auto report = verify::verify_bag(files, bags::key());
    EXPECT_EQ(bags::codes(report), "") << size;
    EXPECT_EQ(report.records, static_cast<std::uint64_t>(size));
    EXPECT_TRUE(report.whole_log);
    const auto part = folder.path() / (std::to_string(size) + "-part");
    ASSERT_TRUE(exporter.write(part, {static_cast<std::uint64_t>(size / 2), static_cast<std::uint64_t>(size / 2 + 5)}));
    verify::FolderFiles part_files(part);
    EXPECT_EQ(bags::codes(verify::verify_bag(part_files, bags::key())), "") << size;
  }
}

TEST(Exported, BagOfATableThatWasChangedFromOutsideNamesTheRecord) {
  const bags::Folder folder;
  store::Pool pool(test::Postgres::instance().fresh_database(), 2);
  SystemClock clock;
  SystemRandom random;
  const MasterKey master = *MasterKey::from_secret(Secret(std::string(32, 'm')));
  Recorder recorder(pool, master, random);
  record(pool, recorder, clock, 7, 20);
  ASSERT_EQ((*Sequencer::open({pool, bags::signer(), clock, folder.path()}))->step(0)->leaves, 20U);
  {
    auto db = pool.take();
    // Another kind, as if a refused lead had been a message; the body can then no longer be opened either.
    ASSERT_TRUE(
        (*db)->exec("UPDATE record SET header = convert_to(replace(convert_from(header, 'UTF8'), 'message.received', "
                    "'lead.received'), 'UTF8') "
                    "WHERE lane = 7 AND seq = 5"));
  }
  Exporter exporter({pool, recorder, bags::signer(), clock, "isthmusd test"});
  ASSERT_EQ(exporter.write(folder.path() / "bag", {})->unopened, 1U);
  verify::FolderFiles files(folder.path() / "bag");
  const auto report = verify::verify_bag(files, bags::key());
  EXPECT_EQ(bags::codes(report), "log.root-differs proof.bad");
  EXPECT_EQ(report.findings.kept().front().index, 4U);
}
