#include "identity/administration.h"

#include <algorithm>

#include "base/json.h"
#include "identity/snapshot.h"

namespace isthmus::identity {
namespace {

using config::ApplyFile;
using store::Param;

template <class Range>
std::string json_list(const Range& texts) {
  JsonWriter w;
  w.begin_array();
  for (const auto& text : texts) w.value(text);
  w.end_array();
  return std::move(w).text();
}

std::string fields_json(const std::map<std::string, std::string>& fields) {
  JsonWriter w;
  w.begin_object();
  for (const auto& [name, value] : fields) w.member(name, value);
  w.end_object();
  return std::move(w).text();
}

std::string collect_json(const std::map<std::string, std::chrono::milliseconds>& collect) {
  JsonWriter w;
  w.begin_object();
  for (const auto& [name, every] : collect) w.member(name, static_cast<std::int64_t>(every.count()));
  w.end_object();
  return std::move(w).text();
}

constexpr const char* kTexts = "ARRAY(SELECT jsonb_array_elements_text($N::text::jsonb))";
std::string array_of(int parameter) {
  std::string text = kTexts;
  text.replace(text.find("$N"), 2, "$" + std::to_string(parameter));
  return text;
}

/// Writes one file into the tables, section by section: what is referred to comes first, and goes last.
class Applier {
 public:
  Applier(store::Transaction& tx, const Installed& installed, Random& random)
      : tx_(tx), installed_(installed), random_(random) {}

  Result<void> write(const ApplyFile& file) {
    for (const auto& unit : file.units) {
      if (auto done = run("INSERT INTO unit (name) VALUES ($1) ON CONFLICT (name) DO UPDATE SET removed_at = NULL",
                          {unit.name});
          !done)
        return done;
    }
    for (const auto& unit : file.units) {
      if (auto done = run("UPDATE unit SET parent = (SELECT id FROM unit WHERE name = $2) WHERE name = $1",
                          {unit.name, unit.parent});
          !done)
        return done;
    }
    // A key may move from one holder to another in one file; in between nobody has it twice.
    if (auto done = run("UPDATE principal SET key_hash = NULL WHERE key_hash IS NOT NULL", {}); !done) return done;
    for (const auto& principal : file.principals) {
      if (auto done = write_principal(principal); !done) return done;
    }
    for (const auto& connection : file.connections) {
      if (auto done = write_connection(connection); !done) return done;
    }
    if (auto done = run("DELETE FROM route", {}); !done) return done;
    for (const auto& route : file.routes) {
      if (auto done = run("INSERT INTO route (name, source, kinds, target, operation, mapping) VALUES ($1, (SELECT id "
                          "FROM connection WHERE name = $2), " +
                              array_of(3) + ", (SELECT id FROM connection WHERE name = $4), $5, $6)",
                          {route.name, route.from, json_list(route.kinds), route.to, route.operation, route.mapping});
          !done) {
        return done;
      }
    }
    return remove_unnamed(file);
  }

 private:
  Result<void> run(const std::string& sql, const std::vector<Param>& params) {
    auto done = tx_.exec(sql, params);
    if (!done) return fail(std::move(done).error());
    return {};
  }

  Result<void> write_principal(const ApplyFile::Principal& p) {
    auto hash = from_hex(p.key_sha256);
    if (!hash) return fail(std::move(hash).error());
    return run(
        "INSERT INTO principal (kind, unit, issuer, subject, key_hash, rights) VALUES ($1, (SELECT id FROM unit WHERE "
        "name = $2), $3, $4, $5, " +
            array_of(6) +
            ") ON CONFLICT (issuer, subject) DO UPDATE SET kind = EXCLUDED.kind, unit = EXCLUDED.unit, key_hash = "
            "EXCLUDED.key_hash, "
            "rights = EXCLUDED.rights, disabled_at = NULL",
        {p.kind, p.unit, p.issuer, p.subject, hash->empty() ? Param::null() : Param::bytes(*hash),
         json_list(p.rights)});
  }

  Result<void> write_connection(const ApplyFile::Connection& c) {
    const adapter::Adapter* adapter = installed_.adapter(c.adapter);
    if (adapter == nullptr) return fail("apply.adapter", "no adapter named " + c.adapter + " is installed");
    const Uuid uuid = Uuid::random(random_);  // of a new one; an old one keeps its own, and with it its lane
    auto taken = tx_.exec("SELECT 1 FROM connection WHERE name = $1 AND (adapter <> $2 OR removed_at IS NOT NULL)",
                          {c.name, c.adapter});
    if (!taken) return fail(std::move(taken).error());
    if (!taken->empty())
      return fail("apply.name-taken",
                  "the name " + c.name + " belongs to a connection that was removed or has another adapter",
                  "names are for ever: choose another");
    return run(
        "INSERT INTO connection (uuid, name, unit, adapter, descriptor_sha256, hosts, internal, fields, collect, lane) "
        "VALUES ($1, $2, "
        "(SELECT id FROM unit WHERE name = $3), $4, $5, " +
            array_of(6) +
            ", $7, $8::text::jsonb, $9::text::jsonb, $10) "
            "ON CONFLICT (name) DO UPDATE SET unit = EXCLUDED.unit, descriptor_sha256 = EXCLUDED.descriptor_sha256, "
            "hosts = EXCLUDED.hosts, "
            "internal = EXCLUDED.internal, fields = EXCLUDED.fields, collect = EXCLUDED.collect",
        {uuid, c.name, c.unit, c.adapter, Param::bytes(adapter->describe().sha256), json_list(c.hosts), c.internal,
         fields_json(c.fields), collect_json(c.collect), Param::small(lane_of(uuid))});
  }

  Result<void> remove_unnamed(const ApplyFile& file) {
    std::vector<std::string> connections, principals, units;
    for (const auto& c : file.connections) connections.push_back(c.name);
    for (const auto& p : file.principals) principals.push_back(p.issuer + "\n" + p.subject);
    for (const auto& u : file.units) units.push_back(u.name);
    if (auto done = run("UPDATE connection SET removed_at = now() WHERE removed_at IS NULL AND name <> ALL($1)",
                        {Param::texts(connections)});
        !done)
      return done;
    if (auto done = run("UPDATE principal SET disabled_at = now(), key_hash = NULL WHERE disabled_at IS NULL AND "
                        "issuer || E'\\n' || subject <> ALL($1)",
                        {Param::texts(principals)});
        !done) {
      return done;
    }
    // A unit that history refers to stays, and so do the units above it: marked, so that it does not come back with an
    // export.
    if (auto done = run("UPDATE unit SET removed_at = now() WHERE removed_at IS NULL AND name <> ALL($1)",
                        {Param::texts(units)});
        !done)
      return done;
    return run(
        "WITH RECURSIVE needed AS (SELECT id, parent FROM unit u WHERE removed_at IS NULL OR EXISTS (SELECT 1 FROM "
        "connection c WHERE c.unit = u.id) "
        "OR EXISTS (SELECT 1 FROM principal p WHERE p.unit = u.id) UNION SELECT u.id, u.parent FROM unit u JOIN needed "
        "n ON u.id = n.parent) "
        "DELETE FROM unit WHERE id NOT IN (SELECT id FROM needed)",
        {});
  }

  store::Transaction& tx_;
  const Installed& installed_;
  Random& random_;
};

/// In the caller's transaction.
Result<ApplyFile> read_administration(store::Connection& db) {
  ApplyFile file;
  auto rows = db.exec(
      "SELECT u.name, coalesce(p.name, '') FROM unit u LEFT JOIN unit p ON p.id = u.parent WHERE u.removed_at IS NULL");
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i)
    file.units.push_back({std::string(rows->text(i, 0)), std::string(rows->text(i, 1)), {}});
  rows =
      db.exec("SELECT issuer, subject, encode(coalesce(key_hash, ''), 'hex') FROM principal WHERE disabled_at IS NULL");
  if (!rows) return fail(std::move(rows).error());
  std::map<std::pair<std::string, std::string>, std::string> keys;
  for (int i = 0; i < rows->size(); ++i)
    keys[{std::string(rows->text(i, 0)), std::string(rows->text(i, 1))}] = rows->text(i, 2);
  auto snapshot = Snapshot::read(db);
  if (!snapshot) return fail(std::move(snapshot).error());
  for (const auto& entry : (*snapshot)->principals()) {
    const Principal& p = entry.second;
    const auto key = keys.find({p.issuer, p.subject});
    if (key == keys.end()) continue;
    file.principals.push_back({p.issuer, p.subject, p.kind, (*snapshot)->unit_name(p.unit), key->second, p.rights, {}});
  }
  for (const auto& entry : (*snapshot)->connections()) {
    const Connection& c = entry.second;
    file.connections.push_back(
        {c.name, (*snapshot)->unit_name(c.unit), c.adapter, c.hosts, c.internal, c.fields, c.collect, {}});
  }
  for (const Route& r : (*snapshot)->routes()) {
    const Connection* from = (*snapshot)->connection(r.source);
    const Connection* to = (*snapshot)->connection(r.target);
    if (from != nullptr && to != nullptr)
      file.routes.push_back({r.name, from->name, r.kinds, to->name, r.operation, r.mapping, {}});
  }
  file.sort();
  return file;
}

}  // namespace

Result<ApplyFile> export_administration(store::Connection& db) {
  auto tx = store::Transaction::begin(db);
  if (!tx) return fail(std::move(tx).error());
  if (auto set = tx->exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); !set) return fail(std::move(set).error());
  auto file = read_administration(db);
  if (!file) return file;
  if (auto done = tx->commit(); !done) return fail(std::move(done).error());
  return file;
}

Result<std::vector<config::ApplyChange>> apply(store::Connection& db, const ApplyFile& file, const Installed& installed,
                                               Random& random) {
  auto tx = store::Transaction::begin(db);
  if (!tx) return fail(std::move(tx).error());
  if (auto locked = tx->exec("UPDATE administration SET version = version + 1"); !locked)
    return fail(std::move(locked).error());
  // Only now: whoever applied while we waited for the row is part of what we change.
  auto before = read_administration(db);
  if (!before) return fail(std::move(before).error());
  auto changes = config::difference(*before, file);
  if (auto done = Applier(*tx, installed, random).write(file); !done) return fail(std::move(done).error());
  if (auto done = tx->commit(); !done) return fail(std::move(done).error());
  return changes;
}

}  // namespace isthmus::identity
