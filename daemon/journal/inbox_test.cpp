#include "journal/inbox.h"

#include <latch>
#include <thread>

#include "journal/journal_fixture_test.h"
#include "journal/lanes.h"

namespace isthmus::journal {
namespace {

using InboxTest = JournalTest;

TEST_F(InboxTest, DropsTheRepeatOfADeliveryInOneBatchAndInALaterOne) {
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Exchange> batch = {exchange(3, 7, "one"), exchange(3, 7, "two"), exchange(3, 7, "one")};
    EXPECT_EQ(*append_exchanges(tx, batch), (std::vector<bool>{true, true, false}));
  });
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Exchange> batch = {exchange(3, 7, "two"), exchange(3, 7, "three")};
    EXPECT_EQ(*append_exchanges(tx, batch), (std::vector<bool>{false, true}));
  });
  const auto rows = read_inbox(**pool_.take(), 3, 0, 10);
  ASSERT_EQ(rows->size(), 3U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ((*rows)[i].seq, static_cast<std::int64_t>(i) + 1);
  EXPECT_EQ((*rows)[2].exchange.call.bytes, "sealed three");
}

TEST_F(InboxTest, DropsARepeatThatComesAfterMidnight) {
  exec("INSERT INTO seen (day, connection, key) VALUES ((now() AT TIME ZONE 'UTC')::date - 1, 7, $1)",
       {store::Param::bytes(crypto::sha256("one"))});
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Exchange> batch = {exchange(3, 7, "one")};
    EXPECT_EQ(*append_exchanges(tx, batch), std::vector<bool>{false});
  });
}

TEST_F(InboxTest, KeepsTheSameDeliveryIdOfAnotherConnection) {
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Exchange> batch = {exchange(3, 7, "one"), exchange(3, 8, "one")};
    EXPECT_EQ(*append_exchanges(tx, batch), (std::vector<bool>{true, true}));
  });
}

TEST_F(InboxTest, DropsNothingThatHasNoDeliveryId) {
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Exchange> batch = {exchange(3, 7), exchange(3, 7), exchange(3, 7)};
    EXPECT_EQ(*append_exchanges(tx, batch), (std::vector<bool>{true, true, true}));
  });
  EXPECT_EQ(count("SELECT count(*) FROM inbox"), 3);
}

TEST_F(InboxTest, GivesNoNumberToWhatIsRolledBack) {
  {
    auto db = pool_.take();
    auto tx = store::Transaction::begin(**db);
    const std::vector<Exchange> batch = {exchange(3, 7, "one")};
    ASSERT_TRUE(append_exchanges(*tx, batch));
  }
  in_transaction([&](store::Transaction& tx) {
    const std::vector<Exchange> batch = {exchange(3, 7, "one")};
    EXPECT_EQ(*append_exchanges(tx, batch), std::vector<bool>{true});
  });
  EXPECT_EQ(read_inbox(**pool_.take(), 3, 0, 10)->at(0).seq, 1);
}

TEST_F(InboxTest, ReadsBeyondAPositionInOrderAndNoFurtherThanAsked) {
  in_transaction([&](store::Transaction& tx) {
    std::vector<Exchange> batch(5, exchange(3, 7));
    batch.push_back(exchange(4, 7));
    ASSERT_TRUE(append_exchanges(tx, batch));
  });
  const auto rows = read_inbox(**pool_.take(), 3, 2, 2);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].seq, 3);
  EXPECT_EQ((*rows)[1].seq, 4);
  EXPECT_TRUE(read_inbox(**pool_.take(), 3, 5, 2)->empty());
}

// A reader that runs beside eight writers, each of which holds its transaction open for a while, meets every number
// once and in order: a number that commits later than a higher one would be passed over.
TEST(AT14, AReaderBesideEightWritersMissesNothing) {
  constexpr int kWriters = 8, kBatches = 30, kRows = 5;
  const auto options = test::Postgres::instance().fresh_database();
  store::Pool pool(options, kWriters + 1);
  std::latch start(kWriters + 1);
  std::vector<std::jthread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      auto db = pool.take();
      start.arrive_and_wait();
      for (int b = 0; b < kBatches; ++b) {
        std::vector<Exchange> batch;
        for (int r = 0; r < kRows; ++r) {
          Exchange e;
          e.lane = (w + r) % 2;  // both lanes in one transaction, asked for in either order
          e.connection = 1;
          e.received = SystemClock().now();
          e.call = {20000, std::to_string(w) + "/" + std::to_string(b) + "/" + std::to_string(r)};
          e.delivery_key = crypto::sha256(e.call.bytes);
          batch.push_back(std::move(e));
        }
        auto tx = store::Transaction::begin(**db);
        const auto fresh = append_exchanges(*tx, batch);
        ASSERT_TRUE(fresh) << to_string(fresh.error());
        ASSERT_TRUE(tx->exec("SELECT pg_sleep(0.001)"));
        ASSERT_TRUE(tx->commit());
      }
    });
  }
  auto db = pool.take();
  start.arrive_and_wait();
  std::int64_t position[2] = {0, 0};
  std::set<Bytes> read;
  const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (read.size() < kWriters * kBatches * kRows && std::chrono::steady_clock::now() < give_up) {
    for (int lane = 0; lane < 2; ++lane) {
      const auto rows = read_inbox(**db, lane, position[lane], 100);
      ASSERT_TRUE(rows) << to_string(rows.error());
      for (const InboxRow& row : *rows) {
        ASSERT_EQ(row.seq, position[lane] + 1) << "a gap in lane " << lane;
        position[lane] = row.seq;
        EXPECT_TRUE(read.insert(row.exchange.call.bytes).second) << "read twice";
      }
    }
  }
  EXPECT_EQ(read.size(), static_cast<std::size_t>(kWriters * kBatches * kRows));
}

}  // namespace
}  // namespace isthmus::journal
