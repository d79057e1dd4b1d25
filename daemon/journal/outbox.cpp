#include "journal/outbox.h"

#include <simdjson.h>

#include <algorithm>
#include <map>

#include "base/crypto.h"
#include "base/json.h"

namespace isthmus::journal {
namespace {

using store::Param;

std::string to_json(const std::vector<std::string>& texts) {
  JsonWriter w;
  w.begin_array();
  for (const std::string& text : texts) w.value(text);
  w.end_array();
  return std::move(w).text();
}

std::vector<std::string> from_json(std::string_view json) {
  std::vector<std::string> out;
  simdjson::dom::parser parser;
  simdjson::dom::array array;
  if (parser.parse(json.data(), json.size()).get_array().get(array) != simdjson::SUCCESS) return out;
  for (const auto item : array) out.emplace_back(std::string_view(item));
  return out;
}

}  // namespace

std::string body_binding(const Uuid& command) { return "command/" + command.to_string(); }

Uuid command_id(const Secret& installation_key, std::initializer_list<std::string_view> parts) {
  std::string text;  // each part after its length, so that ("a","bc") and ("ab","c") differ
  for (const std::string_view part : parts) text += std::to_string(part.size()) + ":" + std::string(part);
  return Uuid::derived(crypto::hmac_sha256(installation_key.reveal(), text));
}

Result<std::set<Uuid>> enter_ledger(store::Transaction& tx, std::span<const NewCommand> commands, Instant now) {
  std::map<std::pair<int, Uuid>, const NewCommand*> ordered;
  for (const NewCommand& command : commands) ordered.emplace(std::pair(command.lane, command.id), &command);
  std::vector<std::int64_t> lanes, connections, verbs;
  std::vector<Uuid> ids;
  std::vector<std::string> operations;
  for (const auto& entry : ordered) {
    lanes.push_back(entry.first.first);
    ids.push_back(entry.first.second);
    connections.push_back(entry.second->connection);
    verbs.push_back(static_cast<int>(entry.second->verb));
    operations.push_back(entry.second->operation);
  }
  auto rows = tx.exec(
      "INSERT INTO ledger (lane, command, connection, verb, operation, at) SELECT l, c, n, v, o, $6 "
      "FROM unnest($1::smallint[], $2::uuid[], $3::int[], $4::smallint[], $5::text[]) AS u(l, c, n, v, o) ON CONFLICT "
      "DO NOTHING RETURNING command",
      {Param::smalls(lanes), Param::uuids(ids), Param::integers(connections), Param::smalls(verbs),
       Param::texts(operations), now});
  if (!rows) return fail(std::move(rows).error());
  std::set<Uuid> fresh;
  for (int i = 0; i < rows->size(); ++i) fresh.insert(rows->uuid(i, 0));
  return fresh;
}

Result<void> append_outbox(store::Transaction& tx, std::span<const NewCommand> commands, Instant now) {
  if (commands.empty()) return {};
  std::map<int, std::int64_t> counts;
  for (const NewCommand& command : commands) ++counts[command.lane];
  std::map<int, std::int64_t> next;
  for (const auto& [lane, count] : counts) {
    auto first = take_numbers(tx, Stage::outbox, lane, count);
    if (!first) return fail(std::move(first).error());
    next[lane] = *first;
  }
  std::vector<std::int64_t> lanes, seqs, connections, verbs, keys, authors;
  std::vector<Uuid> ids, decisions;
  std::vector<std::string> operations, remote_ids, purposes, formats, routes;
  std::vector<Bytes> order_keys, bodies;
  std::vector<std::optional<Instant>> not_after;
  for (const NewCommand& c : commands) {
    lanes.push_back(c.lane);
    seqs.push_back(next[c.lane]++);
    connections.push_back(c.connection);
    ids.push_back(c.id);
    verbs.push_back(static_cast<int>(c.verb));
    operations.push_back(c.operation);
    order_keys.push_back(c.order_key);
    remote_ids.push_back(c.remote_id);
    not_after.push_back(c.not_after);
    decisions.push_back(c.decision);
    purposes.push_back(to_json(c.purposes));
    formats.push_back(c.body_format);
    keys.push_back(c.body.key);
    bodies.push_back(c.body.bytes);
    routes.push_back(c.route);
    authors.push_back(c.author);
  }
  auto done = tx.exec(
      "INSERT INTO outbox (made, lane, seq, connection, command, verb, operation, order_key, remote_id, not_after, "
      "decision, purposes, body_format, "
      "format, journal_key, body, route, author) SELECT $1, l, s, n, c, v, o, k, r, a, d, ARRAY(SELECT "
      "jsonb_array_elements_text(p::jsonb)), f, 1, jk, b, nullif(ro, ''), nullif(au, 0) "
      "FROM unnest($2::smallint[], $3::bigint[], $4::int[], $5::uuid[], $6::smallint[], $7::text[], $8::bytea[], "
      "$9::text[], $10::timestamptz[], "
      "$11::uuid[], $12::text[], $13::text[], $14::int[], $15::bytea[], $16::text[], $17::int[]) AS u(l, s, n, c, v, "
      "o, k, r, a, d, p, f, jk, b, ro, au)",
      {now, Param::smalls(lanes), Param::bigints(seqs), Param::integers(connections), Param::uuids(ids),
       Param::smalls(verbs), Param::texts(operations), Param::byteas(order_keys), Param::texts(remote_ids),
       Param::instants(not_after), Param::uuids(decisions), Param::texts(purposes), Param::texts(formats),
       Param::integers(keys), Param::byteas(bodies), Param::texts(routes), Param::integers(authors)});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<std::vector<OutboxRow>> read_outbox(store::Connection& db, int lane, std::int64_t connection, std::int64_t after,
                                           int rows_max) {
  auto rows = db.exec(
      "SELECT o.seq, o.command, o.verb, o.operation, o.order_key, coalesce(o.remote_id, ''), o.not_after, o.decision, "
      "to_jsonb(o.purposes), o.body_format, o.journal_key, o.body, coalesce(o.route, ''), coalesce(o.author, 0), "
      "EXISTS (SELECT 1 FROM parked k WHERE k.lane = o.lane AND k.stage = 2 AND k.seq = o.seq) "
      "FROM outbox o WHERE o.lane = $1 AND o.connection = $2 AND o.seq > $3 ORDER BY o.seq LIMIT $4",
      {Param::small(lane), Param::integer(connection), after, rows_max});
  if (!rows) return fail(std::move(rows).error());
  std::vector<OutboxRow> out;
  for (int i = 0; i < rows->size(); ++i) {
    OutboxRow row;
    row.seq = rows->number(i, 0);
    NewCommand& c = row.command;
    c.lane = lane;
    c.connection = connection;
    c.id = rows->uuid(i, 1);
    c.verb = static_cast<adapter::Verb>(rows->number(i, 2));
    c.operation = rows->text(i, 3);
    c.order_key = rows->bytes(i, 4);
    c.remote_id = rows->text(i, 5);
    if (!rows->is_null(i, 6)) c.not_after = rows->instant(i, 6);
    c.decision = rows->uuid(i, 7);
    c.purposes = from_json(rows->text(i, 8));
    c.body_format = rows->text(i, 9);
    c.body = {rows->number(i, 10), Bytes(rows->bytes(i, 11))};
    c.route = rows->text(i, 12);
    c.author = rows->number(i, 13);
    row.parked = rows->truth(i, 14);
    out.push_back(std::move(row));
  }
  return out;
}

Result<std::vector<std::int64_t>> heads(store::Connection& db, Stage stage) {
  auto rows = db.exec("SELECT lane, next FROM lane_head WHERE stage = $1", {Param::small(static_cast<int>(stage))});
  if (!rows) return fail(std::move(rows).error());
  std::vector<std::int64_t> out(kLanes, 1);
  for (int i = 0; i < rows->size(); ++i) {
    const auto lane = rows->number(i, 0);
    if (lane >= 0 && lane < kLanes) out[static_cast<std::size_t>(lane)] = rows->number(i, 1);
  }
  return out;
}

}  // namespace isthmus::journal
