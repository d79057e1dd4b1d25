#include "journal/attempts.h"

#include <map>

#include "journal/text.h"

namespace isthmus::journal {

using store::Param;

Result<void> write_intents(store::Transaction& tx, int lane, std::span<const Intent> intents, Instant now) {
  std::vector<Uuid> commands;
  std::vector<std::int64_t> connections, numbers;
  std::vector<Bytes> states;
  for (const Intent& intent : intents) {
    commands.push_back(intent.command);
    connections.push_back(intent.connection);
    numbers.push_back(intent.n);
    states.push_back(intent.state);
  }
  auto done = tx.exec(
      "INSERT INTO attempt (at, lane, command, connection, n, phase, state) SELECT $1, $2, c, i, n, 0, s "
      "FROM unnest($3::uuid[], $4::int[], $5::smallint[], $6::bytea[]) AS u(c, i, n, s)",
      {now, Param::small(lane), Param::uuids(commands), Param::integers(connections), Param::smalls(numbers),
       Param::byteas(states)});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<void> write_ends(store::Transaction& tx, int lane, std::span<const End> ends, Instant now) {
  std::vector<Uuid> commands;
  std::vector<std::int64_t> connections, numbers, verdicts, statuses;
  std::vector<bool> closing;
  std::vector<std::string> reasons, remote_ids, remote_urls;
  for (const End& end : ends) {
    commands.push_back(end.command);
    connections.push_back(end.connection);
    numbers.push_back(end.n);
    verdicts.push_back(end.expired ? kExpired : static_cast<int>(end.verdict));
    closing.push_back(end.closing);
    statuses.push_back(end.http_status);
    reasons.push_back(storable(end.reason));
    remote_ids.push_back(storable(end.remote_id));
    remote_urls.push_back(storable(end.remote_url));
  }
  auto done = tx.exec(
      "INSERT INTO attempt (at, lane, command, connection, n, phase, verdict, closing, http, reason, remote_id, "
      "remote_url) "
      "SELECT $1, $2, c, i, n, 1, v, cl, h, r, ri, ru FROM unnest($3::uuid[], $4::int[], $5::smallint[], "
      "$6::smallint[], $7::boolean[], "
      "$8::smallint[], $9::text[], $10::text[], $11::text[]) AS u(c, i, n, v, cl, h, r, ri, ru)",
      {now, Param::small(lane), Param::uuids(commands), Param::integers(connections), Param::smalls(numbers),
       Param::smalls(verdicts), Param::booleans(closing), Param::smalls(statuses), Param::texts(reasons),
       Param::texts(remote_ids), Param::texts(remote_urls)});
  if (!done) return fail(std::move(done).error());
  return {};
}

// A look for each command: told to find any of a list, the planner reads the whole lane. Days before the command was
// made are not looked into, but for one, since the nodes' clocks differ.
Result<std::vector<History>> histories(store::Connection& db, int lane, std::span<const Uuid> commands) {
  auto rows = db.exec(
      "SELECT u.c, h.* FROM unnest($2::uuid[]) AS u(c) "
      "LEFT JOIN LATERAL (SELECT at FROM ledger WHERE lane = $1 AND command = u.c OFFSET 0) l ON true "
      "CROSS JOIN LATERAL (SELECT coalesce(max(n), 0::smallint), min(at) FILTER (WHERE phase = 0), max(at) FILTER "
      "(WHERE phase = 0), coalesce(max(n) FILTER (WHERE phase = 0), 0::smallint) > coalesce(max(n) FILTER (WHERE phase "
      "<> 0), 0::smallint), coalesce(max(n) FILTER (WHERE closing) >= coalesce(max(n) FILTER (WHERE phase = 2), "
      "0::smallint), false), count(*) AS written FROM attempt WHERE lane = $1 AND "
      "command = u.c AND at >= coalesce(l.at, '-infinity') - interval '1 day') h WHERE h.written > 0",
      {Param::small(lane), Param::uuids(commands)});
  if (!rows) return fail(std::move(rows).error());
  std::map<Uuid, History> known;
  for (int i = 0; i < rows->size(); ++i) {
    History h;
    h.attempts = static_cast<int>(rows->number(i, 1));
    if (!rows->is_null(i, 2)) h.first_attempt = rows->instant(i, 2);
    if (!rows->is_null(i, 3)) h.last_intent = rows->instant(i, 3);
    h.open_intent = rows->truth(i, 4);
    h.closed = rows->truth(i, 5);
    known.emplace(rows->uuid(i, 0), h);
  }
  std::vector<History> out;
  for (const Uuid& command : commands) out.push_back(known[command]);
  return out;
}

}  // namespace isthmus::journal
