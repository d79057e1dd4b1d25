#include <gtest/gtest.h>

#include "store/migrations.h"
#include "store/pool.h"
#include "support/postgres.h"

using namespace isthmus;
using store::Param;

namespace {

std::unique_ptr<store::Connection> connect() {
  auto opened = store::Connection::open(test::Postgres::instance().fresh_database());
  EXPECT_TRUE(opened) << (opened ? "" : to_string(opened.error()));
  return std::move(*opened);
}

}  // namespace

TEST(Store, BringsEveryTypeBackAsItWas) {
  auto c = connect();
  const Uuid id = Uuid::derived("0123456789abcdef");
  const Instant at = from_us(1'795'000'000'123'456);
  auto rows = c->exec(
      "SELECT $1::bigint, $2::text, $3::bytea, $4::uuid, $5::timestamptz, $6::boolean, $7::smallint, NULL::text, "
      "'{\"a\":1}'::jsonb",
      {-5, "né", Param::bytes(std::string_view("\0\xff", 2)), id, at, true, Param::small(-7)});
  ASSERT_TRUE(rows) << to_string(rows.error());
  EXPECT_EQ(rows->number(0, 0), -5);
  EXPECT_EQ(rows->text(0, 1), "né");
  EXPECT_EQ(rows->bytes(0, 2), std::string_view("\0\xff", 2));
  EXPECT_EQ(rows->uuid(0, 3), id);
  EXPECT_EQ(rows->instant(0, 4), at);
  EXPECT_TRUE(rows->truth(0, 5));
  EXPECT_EQ(rows->number(0, 6), -7);
  EXPECT_TRUE(rows->is_null(0, 7));
  EXPECT_EQ(rows->text(0, 8), "{\"a\": 1}");
}

TEST(Store, UnnestsArraysWithNulls) {
  auto c = connect();
  const std::vector<std::int64_t> numbers{1, 2, 3};
  const std::vector<std::optional<std::string>> texts{"a", std::nullopt, ""};
  auto rows = c->exec("SELECT n, t FROM unnest($1::bigint[], $2::text[]) AS u(n, t) ORDER BY n",
                      {Param::bigints(numbers), Param::texts(texts)});
  ASSERT_TRUE(rows) << to_string(rows.error());
  ASSERT_EQ(rows->size(), 3);
  EXPECT_EQ(rows->number(2, 0), 3);
  EXPECT_TRUE(rows->is_null(1, 1));
  EXPECT_FALSE(rows->is_null(2, 1));
}

TEST(Store, TellsFaultsOfTheDataFromFaultsOfTheServer) {
  auto c = connect();
  EXPECT_EQ(c->exec("SELECT 1/0").error().code, "store.data");
  EXPECT_EQ(c->exec("INSERT INTO unit (name) VALUES ('a'), ('a')").error().code, "store.data");
  EXPECT_EQ(c->exec("SELECT nothing FROM nowhere").error().code, "store.refused");
  EXPECT_TRUE(c->exec("SELECT 1"));
  auto other = connect();
  EXPECT_EQ(c->exec("SELECT pg_terminate_backend(pg_backend_pid())").error().code, "store.unavailable");
  EXPECT_FALSE(c->usable());
}

TEST(Store, CancelsAStatementOverItsDeadline) {
  auto options = test::Postgres::instance().fresh_database();
  options.statement_timeout = std::chrono::milliseconds(100);
  auto c = store::Connection::open(options);
  ASSERT_TRUE(c);
  EXPECT_EQ((*c)->exec("SELECT pg_sleep(30)").error().code, "store.unavailable");
}

TEST(Store, RollsBackWhatWasNotCommitted) {
  auto c = connect();
  {
    auto tx = store::Transaction::begin(*c);
    ASSERT_TRUE(tx);
    ASSERT_TRUE(tx->exec("INSERT INTO unit (name) VALUES ('lost')"));
  }
  {
    auto tx = store::Transaction::begin(*c);
    ASSERT_TRUE(tx->exec("INSERT INTO unit (name) VALUES ('kept')"));
    ASSERT_TRUE(tx->commit());
  }
  auto rows = c->exec("SELECT name FROM unit");
  ASSERT_EQ(rows->size(), 1);
  EXPECT_EQ(rows->text(0, 0), "kept");
}

TEST(Store, PoolReplacesLostConnectionsAndSaysWhenAllAreInUse) {
  store::Pool pool(test::Postgres::instance().fresh_database(), 1);
  {
    auto lease = pool.take();
    ASSERT_TRUE(lease);
    EXPECT_EQ(pool.take(std::chrono::milliseconds(10)).error().code, "store.unavailable");
    EXPECT_FALSE((*lease)->exec("SELECT pg_terminate_backend(pg_backend_pid())"));
  }
  auto again = pool.take();
  ASSERT_TRUE(again);
  EXPECT_TRUE((*again)->exec("SELECT 1"));
}

TEST(Migrations, AreAppliedOnceAndRefuseAChangedPast) {
  auto c = connect();
  auto migrations = store::built_in_migrations();
  ASSERT_FALSE(migrations.empty());
  EXPECT_TRUE(*store::is_current(*c, migrations));
  EXPECT_TRUE(store::migrate(*c, migrations)->empty());
  migrations.push_back({"9999_later", "-- runs_from: 9.9\nCREATE TABLE isthmus.later (a int)"});
  EXPECT_FALSE(*store::is_current(*c, migrations));
  EXPECT_EQ(store::migrate(*c, migrations)->size(), 1U);
  EXPECT_EQ(store::is_current(*c, store::built_in_migrations()).error().code, "store.newer-schema");
  migrations.back().sql += " ";
  EXPECT_EQ(store::migrate(*c, migrations).error().code, "store.migration");
}

TEST(Migrations, StateTheOldestReleaseThatMayUseThem) {
  for (const auto& migration : store::built_in_migrations())
    EXPECT_TRUE(migration.sql.starts_with("-- runs_from: ")) << migration.name;
}
