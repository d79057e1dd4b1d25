#pragma once

#include <gtest/gtest.h>

#include <map>

#include "identity/directory.h"
#include "support/postgres.h"
#include "support/scripted_adapter.h"

namespace isthmus::test {

/// A database with one unit, and connections that scripted adapters serve: what rooms below identity need of an
/// administration.
class Company {
 public:
  Company() { exec("INSERT INTO unit (name) VALUES ('acme')"); }

  store::Rows exec(std::string_view sql, const std::vector<store::Param>& params = {}) {
    auto rows = (*pool.take())->exec(sql, params);
    EXPECT_TRUE(rows) << (rows ? "" : to_string(rows.error()));
    return rows ? *rows : store::Rows();
  }
  std::int64_t count(const std::string& sql) { return exec(sql).number(0, 0); }

  /// A new connection of this name, internal addresses allowed; its id. refresh() shows it.
  std::int64_t connect(const std::string& name, const adapter::Adapter& adapter, const std::string& host, int lane,
                       const std::string& collect = "{}") {
    adapters[adapter.describe().name] = &adapter;
    auto rows = exec(
        "INSERT INTO connection (uuid, name, unit, adapter, descriptor_sha256, hosts, internal, fields, collect, lane) "
        "VALUES "
        "(gen_random_uuid(), $1, 1, $2, $3, ARRAY[$4::text], true, $5::text::jsonb, $6::text::jsonb, $7) RETURNING id",
        {name, adapter.describe().name, store::Param::bytes(adapter.describe().sha256), host,
         "{\"url\":\"" + host + "\"}", collect, store::Param::small(lane)});
    exec("UPDATE administration SET version = version + 1");
    return rows.number(0, 0);
  }
  void set_secret(const std::string& name, const std::string& field, const std::string& value) {
    refresh();
    auto db = pool.take();
    auto tx = store::Transaction::begin(**db);
    ASSERT_TRUE(vault.put(*tx, *directory.current()->snapshot->connection(name), field, Secret(value)));
    ASSERT_TRUE(tx->exec("UPDATE administration SET version = version + 1"));
    ASSERT_TRUE(tx->commit());
    refresh();
  }
  void refresh() {
    const auto done = directory.refresh();
    ASSERT_TRUE(done) << to_string(done.error());
  }

  store::Options options = Postgres::instance().fresh_database();
  store::Pool pool{options, 8};
  NoLog log;
  identity::Vault vault{Secret(std::string(32, 'k'))};
  std::map<std::string, const adapter::Adapter*, std::less<>> adapters;
  identity::Directory directory{pool, vault,
                                [this](std::string_view name) {
                                  const auto found = adapters.find(name);
                                  return found == adapters.end() ? nullptr : found->second;
                                },
                                log};
};

}  // namespace isthmus::test
