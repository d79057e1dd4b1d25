#include "store/migrations.h"

#include <fmt/format.h>

#include <map>

#include "base/crypto.h"

namespace isthmus::store {
namespace {

constexpr std::int64_t kLock = 0x69737468;  // any number; the same in every release

Result<std::map<std::string, Bytes>> applied(Connection& connection) {
  auto rows = connection.exec("SELECT name, sha256 FROM isthmus.schema_migration");
  if (!rows) return fail(std::move(rows).error());
  std::map<std::string, Bytes> known;
  for (int i = 0; i < rows->size(); ++i) known.emplace(rows->text(i, 0), rows->bytes(i, 1));
  return known;
}

Result<void> check_known(const std::map<std::string, Bytes>& known, const std::vector<Migration>& migrations) {
  for (const auto& entry : known) {
    const Migration* ours = nullptr;
    for (const Migration& m : migrations) {
      if (m.name == entry.first) ours = &m;
    }
    if (ours == nullptr) {
      return fail("store.newer-schema",
                  fmt::format("the database has migration {}, which this release does not know", entry.first),
                  "install the release that made it, or restore a backup taken before the upgrade");
    }
    if (crypto::sha256(ours->sql) != entry.second) {
      return fail("store.migration", fmt::format("migration {} was changed after it was applied", entry.first),
                  "applied migrations are for ever: add a new one");
    }
  }
  return {};
}

Result<void> apply(Connection& connection, const Migration& migration) {
  auto tx = Transaction::begin(connection);
  if (!tx) return fail(std::move(tx).error());
  if (auto done = connection.script(migration.sql); !done) {
    Error error = std::move(done).error();
    error.what = fmt::format("migration {} failed: {}", migration.name, error.what);
    if (error.code != "store.unavailable") error.code = "store.migration";
    return fail(std::move(error));
  }
  auto noted = tx->exec("INSERT INTO isthmus.schema_migration (name, sha256) VALUES ($1, $2)",
                        {migration.name, Param::bytes(crypto::sha256(migration.sql))});
  if (!noted) return fail(std::move(noted).error());
  return tx->commit();
}

}  // namespace

Result<std::vector<std::string>> migrate(Connection& connection, const std::vector<Migration>& migrations) {
  auto prepared = connection.script(
      "CREATE SCHEMA IF NOT EXISTS isthmus;"
      "CREATE TABLE IF NOT EXISTS isthmus.schema_migration (name text COLLATE \"C\" PRIMARY KEY, sha256 bytea NOT NULL,"
      " applied_at timestamptz NOT NULL DEFAULT now())");
  if (!prepared) return fail(std::move(prepared).error());
  if (auto locked = connection.exec("SELECT pg_advisory_lock($1)", {kLock}); !locked)
    return fail(std::move(locked).error());
  std::vector<std::string> done;
  Result<void> outcome;
  auto known = applied(connection);
  if (!known) {
    outcome = fail(known.error());
  } else if (auto checked = check_known(*known, migrations); !checked) {
    outcome = std::move(checked);
  } else {
    for (const Migration& migration : migrations) {
      if (known->contains(migration.name)) continue;
      outcome = apply(connection, migration);
      if (!outcome) break;
      done.push_back(migration.name);
    }
  }
  auto unlocked = connection.exec("SELECT pg_advisory_unlock($1)", {kLock});
  if (!outcome) return fail(std::move(outcome).error());
  if (!unlocked) return fail(std::move(unlocked).error());
  return done;
}

Result<bool> is_current(Connection& connection, const std::vector<Migration>& migrations) {
  auto exists = connection.exec("SELECT to_regclass('isthmus.schema_migration') IS NOT NULL");
  if (!exists) return fail(std::move(exists).error());
  if (!exists->truth(0, 0)) return false;
  auto known = applied(connection);
  if (!known) return fail(std::move(known).error());
  if (auto checked = check_known(*known, migrations); !checked) return fail(std::move(checked).error());
  return known->size() == migrations.size();
}

}  // namespace isthmus::store
