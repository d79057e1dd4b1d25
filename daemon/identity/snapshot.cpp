#include "identity/snapshot.h"

#include <simdjson.h>

#include <algorithm>

#include "base/crypto.h"

namespace isthmus::identity {
namespace {

constexpr int kLanes = 64;

// jsonb that this room wrote itself: an object of texts or of integers.
template <class Take>
void each_member(std::string_view json, Take take) {
  simdjson::dom::parser parser;
  simdjson::dom::object object;
  if (parser.parse(json.data(), json.size()).get_object().get(object) != simdjson::SUCCESS) return;
  for (const auto field : object) take(std::string(field.key), field.value);
}

// text[] comes as one JSON array, which spares a binary array reader.
std::vector<std::string> texts(std::string_view json) {
  std::vector<std::string> out;
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(json.data(), json.size()).get_array().get(array) != simdjson::SUCCESS) return out;
  for (const auto item : array) out.emplace_back(std::string_view(item));
  return out;
}

Connection read_connection(const store::Rows& rows, int i) {
  Connection c;
  c.id = rows.number(i, 0);
  c.uuid = rows.uuid(i, 1);
  c.name = rows.text(i, 2);
  c.unit = rows.number(i, 3);
  c.adapter = rows.text(i, 4);
  c.descriptor_sha256 = rows.bytes(i, 5);
  c.hosts = texts(rows.text(i, 6));
  c.internal = rows.truth(i, 7);
  each_member(rows.text(i, 8), [&](std::string name, simdjson::dom::element value) {
    std::string_view text;
    if (value.get_string().get(text) == simdjson::SUCCESS) c.fields.emplace(std::move(name), text);
  });
  each_member(rows.text(i, 9), [&](std::string name, simdjson::dom::element value) {
    std::int64_t ms = 0;
    if (value.get_int64().get(ms) == simdjson::SUCCESS)
      c.collect.emplace(std::move(name), std::chrono::milliseconds(ms));
  });
  c.lane = static_cast<int>(rows.number(i, 10));
  return c;
}

}  // namespace

int lane_of(const Uuid& uuid) {
  const Bytes hash = crypto::sha256(uuid.bytes());
  return static_cast<unsigned char>(hash[0]) % kLanes;
}

Result<std::int64_t> current_version(store::Connection& connection) {
  auto rows = connection.exec("SELECT version FROM administration");
  if (!rows) return fail(std::move(rows).error());
  return rows->number(0, 0);
}

Result<std::shared_ptr<const Snapshot>> Snapshot::load(store::Connection& connection) {
  auto tx = store::Transaction::begin(connection);
  if (!tx) return fail(std::move(tx).error());
  if (auto set = tx->exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"); !set) return fail(std::move(set).error());
  auto snapshot = read(connection);
  if (!snapshot) return snapshot;
  if (auto done = tx->commit(); !done) return fail(std::move(done).error());
  return snapshot;
}

Result<std::shared_ptr<const Snapshot>> Snapshot::read(store::Connection& db) {
  auto snapshot = std::make_shared<Snapshot>();
  auto version = current_version(db);
  if (!version) return fail(std::move(version).error());
  snapshot->version_ = *version;

  auto rows = db.exec("SELECT id, name FROM unit");
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i) snapshot->units_.emplace(rows->number(i, 0), rows->text(i, 1));

  rows = db.exec(
      "SELECT id, uuid, name, unit, adapter, descriptor_sha256, to_jsonb(hosts), internal, fields, collect, lane "
      "FROM connection WHERE removed_at IS NULL");
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i) {
    Connection c = read_connection(*rows, i);
    snapshot->by_name_.emplace(c.name, c.id);
    snapshot->connections_.emplace(c.id, std::move(c));
  }

  rows = db.exec("SELECT name, source, to_jsonb(kinds), target, operation, mapping FROM route ORDER BY source, name");
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i) {
    const auto kinds = texts(rows->text(i, 2));
    snapshot->routes_.push_back({std::string(rows->text(i, 0)),
                                 rows->number(i, 1),
                                 {kinds.begin(), kinds.end()},
                                 rows->number(i, 3),
                                 std::string(rows->text(i, 4)),
                                 std::string(rows->text(i, 5))});
  }

  rows =
      db.exec("SELECT id, kind, unit, issuer, subject, to_jsonb(rights), key_hash, disabled_at IS NULL FROM principal");
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i) {
    const auto rights = texts(rows->text(i, 5));
    Principal p{rows->number(i, 0),
                std::string(rows->text(i, 1)),
                rows->number(i, 2),
                std::string(rows->text(i, 3)),
                std::string(rows->text(i, 4)),
                {rights.begin(), rights.end()}};
    if (!rows->is_null(i, 6) && rows->truth(i, 7)) snapshot->by_key_hash_.emplace(rows->bytes(i, 6), p.id);
    snapshot->principals_.emplace(p.id, std::move(p));
  }
  return snapshot;
}

const Connection* Snapshot::connection(std::int64_t id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? nullptr : &found->second;
}

const Connection* Snapshot::connection(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : connection(found->second);
}

std::span<const Route> Snapshot::routes_from(std::int64_t source) const {
  const auto less = [](const auto& a, const auto& b) {
    const auto key = [](const auto& v) {
      if constexpr (std::is_same_v<std::decay_t<decltype(v)>, Route>) {
        return v.source;
      } else {
        return v;
      }
    };
    return key(a) < key(b);
  };
  const auto first = std::lower_bound(routes_.begin(), routes_.end(), source, less);
  const auto last = std::upper_bound(first, routes_.end(), source, less);
  return {first, last};
}

const Principal* Snapshot::principal(std::int64_t id) const {
  const auto found = principals_.find(id);
  return found == principals_.end() ? nullptr : &found->second;
}

const Principal* Snapshot::holder_of(std::string_view key) const {
  // The hash is looked up, not the key: what the time of a tree search tells is about a hash that nobody can choose.
  const auto found = by_key_hash_.find(crypto::sha256(key));
  return found == by_key_hash_.end() ? nullptr : principal(found->second);
}

std::string Snapshot::unit_name(std::int64_t id) const {
  const auto found = units_.find(id);
  return found == units_.end() ? std::string() : found->second;
}

}  // namespace isthmus::identity
