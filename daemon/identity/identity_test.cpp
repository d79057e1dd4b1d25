#include <gtest/gtest.h>

#include "base/crypto.h"
#include "identity/snapshot.h"
#include "identity/vault.h"
#include "support/postgres.h"

using namespace isthmus;

namespace {

std::unique_ptr<store::Connection> database_with_company() {
  auto opened = store::Connection::open(test::Postgres::instance().fresh_database());
  auto& c = **opened;
  EXPECT_TRUE(c.exec("INSERT INTO unit (name) VALUES ('acme')"));
  EXPECT_TRUE(
      c.exec("INSERT INTO principal (kind, unit, issuer, subject, key_hash, rights) VALUES ('person', 1, 'local', "
             "'marie', $1, '{publish}'),"
             " ('person', 1, 'local', 'gone', $2, '{publish}')",
             {store::Param::bytes(crypto::sha256("key-marie")), store::Param::bytes(crypto::sha256("key-gone"))}));
  EXPECT_TRUE(c.exec("UPDATE principal SET disabled_at = now() WHERE subject = 'gone'"));
  EXPECT_TRUE(c.exec(
      "INSERT INTO connection (uuid, name, unit, adapter, descriptor_sha256, hosts, fields, collect, lane) VALUES "
      "(gen_random_uuid(), 'a', 1, 'bluesky', '\\x00', '{https://a.example}', '{\"handle\": \"a.test\"}', "
      "'{\"mentions\": 2000}', 3),"
      "(gen_random_uuid(), 'b', 1, 'tryton', '\\x00', '{}', '{}', '{}', 4)"));
  EXPECT_TRUE(
      c.exec("INSERT INTO route (name, source, kinds, target, operation, mapping) VALUES ('r', 1, '{lead.form}', 2, "
             "'upsert_lead', 'm')"));
  return std::move(*opened);
}

}  // namespace

TEST(Snapshot, ShowsConnectionsRoutesAndHoldersOfKeys) {
  auto db = database_with_company();
  const auto snapshot = identity::Snapshot::load(*db);
  ASSERT_TRUE(snapshot) << to_string(snapshot.error());
  const auto* a = (*snapshot)->connection("a");
  ASSERT_NE(a, nullptr);
  EXPECT_EQ(a->fields.at("handle"), "a.test");
  EXPECT_EQ(a->collect.at("mentions"), std::chrono::milliseconds(2000));
  EXPECT_EQ(a->hosts, std::vector<std::string>{"https://a.example"});
  ASSERT_EQ((*snapshot)->routes_from(a->id).size(), 1U);
  EXPECT_TRUE((*snapshot)->routes_from((*snapshot)->connection("b")->id).empty());
  ASSERT_NE((*snapshot)->holder_of("key-marie"), nullptr);
  EXPECT_EQ((*snapshot)->holder_of("key-marie")->subject, "marie");
  EXPECT_EQ((*snapshot)->holder_of("key-marié"), nullptr);
  EXPECT_EQ((*snapshot)->holder_of("key-gone"), nullptr);
}

TEST(Vault, OpensOnlyForItsConnectionAndMasterKey) {
  auto db = database_with_company();
  const auto snapshot = *identity::Snapshot::load(*db);
  const identity::Vault vault(Secret(std::string(32, 'k')));
  {
    auto tx = store::Transaction::begin(*db);
    ASSERT_TRUE(vault.put(*tx, *snapshot->connection("a"), "password", Secret("s3cret")));
    EXPECT_EQ(vault.put(*tx, *snapshot->connection("a"), "password", Secret("")).error().code, "vault.empty");
    ASSERT_TRUE(tx->commit());
  }
  EXPECT_EQ(vault.get(*db, *snapshot->connection("a"))->at("password").reveal(), "s3cret");
  EXPECT_TRUE(vault.get(*db, *snapshot->connection("b"))->empty());
  EXPECT_EQ(identity::Vault(Secret(std::string(32, 'x'))).get(*db, *snapshot->connection("a")).error().code,
            "seal.refused");
  ASSERT_TRUE(db->exec("UPDATE connection_secret SET connection = 2"));
  EXPECT_EQ(vault.get(*db, *snapshot->connection("b")).error().code, "seal.refused");
}

TEST(Vault, GivesEveryNodeTheSameInstallationKey) {
  auto db = database_with_company();
  const identity::Vault vault(Secret(std::string(32, 'k')));
  const auto first = vault.installation_key(*db, "commands");
  const auto second = vault.installation_key(*db, "commands");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->reveal(), second->reveal());
  EXPECT_NE(first->reveal(), vault.installation_key(*db, "events")->reveal());
}
