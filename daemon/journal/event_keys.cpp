#include "journal/event_keys.h"

namespace isthmus::journal {
namespace {

using store::Param;

struct Columns {
  std::vector<std::int64_t> connections;
  std::vector<Bytes> keys;
  std::vector<Uuid> records;
};

Columns columns(std::span<const EventKey> events) {
  Columns out;
  for (const EventKey& event : events) {
    out.connections.push_back(event.connection);
    out.keys.push_back(event.key);
    out.records.push_back(event.record);
  }
  return out;
}

EventKeySet read_keys(const store::Rows& rows) {
  EventKeySet keys;
  for (int i = 0; i < rows.size(); ++i) keys.emplace(rows.bytes(i, 0));
  return keys;
}

}  // namespace

// A look for each key (OFFSET 0 keeps the planner from joining): the table holds 400 days.
Result<EventKeySet> known_events(store::Connection& db, int lane, std::span<const EventKey> events) {
  const Columns c = columns(events);
  auto rows = db.exec(
      "SELECT u.k FROM unnest($2::int[], $3::bytea[]) AS u(c, k) WHERE EXISTS (SELECT 1 FROM event_key e WHERE e.lane "
      "= $1 AND e.connection = u.c AND e.key = u.k OFFSET 0)",
      {Param::small(lane), Param::integers(c.connections), Param::byteas(c.keys)});
  if (!rows) return fail(std::move(rows).error());
  return read_keys(*rows);
}

Result<EventKeySet> enter_events(store::Transaction& tx, int lane, std::span<const EventKey> events, Instant now) {
  if (events.empty()) return EventKeySet();
  const Columns c = columns(events);
  auto rows = tx.exec(
      "INSERT INTO event_key (lane, connection, key, record, at) SELECT $1, c, k, r, $2 FROM unnest($3::int[], "
      "$4::bytea[], $5::uuid[]) AS u(c, k, r) ON CONFLICT DO NOTHING RETURNING key",
      {Param::small(lane), now, Param::integers(c.connections), Param::byteas(c.keys), Param::uuids(c.records)});
  if (!rows) return fail(std::move(rows).error());
  return read_keys(*rows);
}

}  // namespace isthmus::journal
