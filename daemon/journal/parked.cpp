#include "journal/parked.h"

#include <simdjson.h>

#include <algorithm>

#include "base/json.h"
#include "journal/text.h"

namespace isthmus::journal {
namespace {

using store::Param;

constexpr std::string_view kColumns =
    "seq, stage, connection, command, order_key, state, due, tries, coalesce(reason, ''), coalesce(held_for, ''), "
    "coalesce(author, 0), item, sealed_key, body, lane";

std::string item_of(const NewCommand& c) {
  JsonWriter w;
  w.begin_object()
      .member("verb", static_cast<int>(c.verb))
      .member("operation", c.operation)
      .member("remote_id", storable(c.remote_id));
  w.member("body_format", c.body_format).member("decision", c.decision.to_string());
  if (c.not_after) w.member("not_after_us", to_us(*c.not_after));
  if (!c.route.empty()) w.member("route", c.route);
  w.key("purposes").begin_array();
  for (const std::string& purpose : c.purposes) w.value(purpose);
  w.end_array().end_object();
  return std::move(w).text();
}

void read_item(std::string_view json, NewCommand& c) {
  simdjson::dom::parser parser;
  simdjson::dom::object item;
  if (parser.parse(json.data(), json.size()).get_object().get(item) != simdjson::SUCCESS) return;
  c.verb = static_cast<adapter::Verb>(std::int64_t(item["verb"]));
  c.operation = std::string_view(item["operation"]);
  c.remote_id = std::string_view(item["remote_id"]);
  c.body_format = std::string_view(item["body_format"]);
  if (auto id = Uuid::parse(std::string_view(item["decision"]))) c.decision = *id;
  std::int64_t us = 0;
  if (item["not_after_us"].get_int64().get(us) == simdjson::SUCCESS) c.not_after = from_us(us);
  std::string_view route;
  if (item["route"].get_string().get(route) == simdjson::SUCCESS) c.route = route;
  const simdjson::dom::array purposes = item["purposes"];
  for (const auto purpose : purposes) c.purposes.emplace_back(std::string_view(purpose));
}

Result<Parked> read_row(const store::Rows& rows, int i, const Keys& keys) {
  Parked p;
  p.seq = rows.number(i, 0);
  p.stage = static_cast<int>(rows.number(i, 1));
  p.command.connection = rows.number(i, 2);
  if (!rows.is_null(i, 3)) p.command.id = rows.uuid(i, 3);
  p.command.order_key = rows.bytes(i, 4);
  p.state = static_cast<ParkedState>(rows.number(i, 5));
  p.due = rows.instant(i, 6);
  p.tries = static_cast<int>(rows.number(i, 7));
  p.reason = rows.text(i, 8);
  p.held_for = rows.text(i, 9);
  p.author = p.command.author = rows.number(i, 10);
  read_item(rows.text(i, 11), p.command);
  p.command.lane = static_cast<int>(rows.number(i, 14));
  auto body = keys.open_alone(rows.bytes(i, 12), rows.bytes(i, 13), body_binding(p.command.id));
  if (!body) return fail(std::move(body).error());
  p.body = std::move(*body);
  return p;
}

}  // namespace

std::string_view to_string(ParkedState state) {
  switch (state) {
    case ParkedState::retry:
      return "retry";
    case ParkedState::ambiguous:
      return "ambiguous";
    case ParkedState::behind:
      return "behind";
    case ParkedState::scheduled:
      return "scheduled";
    case ParkedState::held:
      return "held";
    case ParkedState::dead:
      return "dead";
    case ParkedState::quarantined_call:
      return "quarantined";
  }
  return "unknown";
}

Result<void> park(store::Transaction& tx, const Keys& keys, const Parked& p) {
  const auto sealed = keys.seal_alone(p.body, body_binding(p.command.id));
  auto done = tx.exec(
      "INSERT INTO parked (lane, seq, connection, command, stage, order_key, state, due, tries, reason, held_for, "
      "author, item, sealed_key, body) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, nullif($12::int, 0), $13::text::jsonb, $14, $15) "
      "ON CONFLICT (lane, stage, seq) DO UPDATE SET state = EXCLUDED.state, due = EXCLUDED.due, tries = "
      "EXCLUDED.tries, reason = EXCLUDED.reason, "
      "held_for = EXCLUDED.held_for, author = EXCLUDED.author, item = EXCLUDED.item, sealed_key = EXCLUDED.sealed_key, "
      "body = EXCLUDED.body, "
      "command = EXCLUDED.command WHERE parked.command = EXCLUDED.command OR parked.stage = 1",  // an inbox number
                                                                                                 // names one call for
                                                                                                 // ever

      {Param::small(p.command.lane), p.seq, Param::integer(p.command.connection), p.command.id, Param::small(p.stage),
       Param::bytes(p.command.order_key), Param::small(static_cast<int>(p.state)), p.due, Param::small(p.tries),
       storable(p.reason), p.held_for, Param::integer(p.author), item_of(p.command), Param::bytes(sealed.wrapped_key),
       Param::bytes(sealed.bytes)});
  if (!done) return fail(std::move(done).error());
  // Numbers of what was never logged come from the clock, so two may ask for one place: the later one takes another at
  // its next try.
  if (done->affected() == 0) return fail("store.conflict", "another command is parked under this number", "try again");
  return {};
}

Result<void> repark(store::Transaction& tx, const Parked& p) {
  auto done = tx.exec(
      "UPDATE parked SET state = $4, due = $5, tries = $6, reason = $7 WHERE lane = $1 AND stage = $2 AND seq = $3 "
      "AND (state IN (1, 2, 3) OR stage <> 2)",
      {Param::small(p.command.lane), Param::small(p.stage), p.seq, Param::small(static_cast<int>(p.state)), p.due,
       Param::small(p.tries), storable(p.reason)});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<void> unpark(store::Transaction& tx, const Parked& p) {
  auto done = tx.exec("DELETE FROM parked WHERE lane = $1 AND stage = $2 AND seq = $3",
                      {Param::small(p.command.lane), Param::small(p.stage), p.seq});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<ParkedPage> read_parked(store::Connection& db, const Keys& keys, const ParkedAsk& ask) {
  const std::vector<std::int64_t> known(ask.known.begin(), ask.known.end());
  auto count = db.exec("SELECT count(*) FROM parked WHERE lane = $1 AND connection = $2 AND state IN (1, 2, 3)",
                       {Param::small(ask.lane), Param::integer(ask.connection)});
  if (!count) return fail(std::move(count).error());
  const std::int64_t others = count->number(0, 0) - static_cast<std::int64_t>(known.size());
  const bool all = others <= ask.rows_max;
  // Heads: the earliest of each key. Their followers come with them, a few of each key, so that one long chain does not
  // take the place of all others.
  auto rows = db.exec(
      "SELECT " + std::string(kColumns) +
          " FROM (SELECT p.*, row_number() OVER (PARTITION BY order_key ORDER BY seq) AS place FROM parked p WHERE "
          "lane "
          "= $1 AND connection = $2 AND state IN (1, 2, 3) AND seq <> ALL ($3::bigint[]) AND ($4 OR order_key IN "
          "(SELECT h.order_key FROM parked h WHERE h.lane = $1 AND h.connection = $2 AND h.state IN (1, 2, 3) AND "
          "h.due "
          "<= $5 AND NOT EXISTS (SELECT 1 FROM parked e WHERE e.lane = $1 AND e.connection = $2 AND e.state IN (1, 2, "
          "3) "
          "AND e.order_key = h.order_key AND e.seq < h.seq) ORDER BY h.due))) q WHERE $4 OR place <= $6 ORDER BY CASE "
          "WHEN $4 THEN 0 ELSE place END, seq LIMIT $7",
      {Param::small(ask.lane), Param::integer(ask.connection), Param::bigints(known), all, ask.now,
       std::int64_t{ask.chain_max}, std::int64_t{ask.rows_max}});
  if (!rows) return fail(std::move(rows).error());
  ParkedPage page;
  for (int i = 0; i < rows->size(); ++i) {
    auto row = read_row(*rows, i, keys);
    if (!row) return fail(std::move(row).error());
    page.due.push_back(std::move(*row));
  }
  page.more = others > rows->size();
  std::sort(page.due.begin(), page.due.end(), [](const Parked& a, const Parked& b) { return a.seq < b.seq; });
  return page;
}

Result<std::set<Bytes>> keys_parked(store::Connection& db, int lane, std::int64_t connection,
                                    std::span<const Bytes> keys, std::span<const std::int64_t> known) {
  auto rows = db.exec(
      "SELECT DISTINCT order_key FROM parked WHERE lane = $1 AND connection = $2 AND state IN (1, 2, 3) AND order_key "
      "= "
      "ANY ($3::bytea[]) AND seq <> ALL ($4::bigint[])",
      {Param::small(lane), Param::integer(connection), Param::byteas(std::vector<Bytes>(keys.begin(), keys.end())),
       Param::bigints(std::vector<std::int64_t>(known.begin(), known.end()))});
  if (!rows) return fail(std::move(rows).error());
  std::set<Bytes> out;
  for (int i = 0; i < rows->size(); ++i) out.emplace(rows->bytes(i, 0));
  return out;
}

Result<std::optional<Parked>> find_parked(store::Transaction& tx, const Keys& keys, const Uuid& command) {
  auto rows = tx.exec("SELECT " + std::string(kColumns) + " FROM parked WHERE command = $1 FOR UPDATE", {command});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return std::optional<Parked>();
  auto row = read_row(*rows, 0, keys);
  if (!row) return fail(std::move(row).error());
  return std::optional<Parked>(std::move(*row));
}

}  // namespace isthmus::journal
