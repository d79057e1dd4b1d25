#include "journal/inbox.h"

#include <algorithm>
#include <map>
#include <numeric>
#include <set>

#include "journal/codec.h"
#include "journal/lanes.h"

namespace isthmus::journal {
namespace {

using store::Param;

// Marks the exchanges whose delivery key is in the table already, or twice in this batch.
Result<std::vector<bool>> filter_seen(store::Transaction& tx, std::span<const Exchange> exchanges) {
  std::vector<bool> fresh(exchanges.size(), true);
  std::map<std::pair<std::int64_t, Bytes>, std::size_t> keyed;  // ordered: rows are locked in key order
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    if (!exchanges[i].delivery_key) continue;
    fresh[i] = keyed.emplace(std::pair(exchanges[i].connection, *exchanges[i].delivery_key), i).second;
  }
  if (keyed.empty()) return fresh;
  std::vector<std::int64_t> connections;
  std::vector<Bytes> keys;
  for (const auto& entry : keyed) {
    connections.push_back(entry.first.first);
    keys.push_back(entry.first.second);
  }
  // Yesterday is asked too: a sender repeats across midnight.
  auto rows = tx.exec(
      "WITH given AS (SELECT * FROM unnest($1::int[], $2::bytea[]) AS u(connection, key)) "
      "INSERT INTO seen (day, connection, key) SELECT (now() AT TIME ZONE 'UTC')::date, connection, key FROM given g "
      "WHERE NOT EXISTS "
      "(SELECT 1 FROM seen s WHERE s.day = (now() AT TIME ZONE 'UTC')::date - 1 AND s.connection = g.connection AND "
      "s.key = g.key) "
      "ON CONFLICT DO NOTHING RETURNING connection, key",
      {Param::integers(connections), Param::byteas(keys)});
  if (!rows) return fail(std::move(rows).error());
  std::set<std::pair<std::int64_t, Bytes>> inserted;
  for (int i = 0; i < rows->size(); ++i) inserted.emplace(rows->number(i, 0), Bytes(rows->bytes(i, 1)));
  for (const auto& entry : keyed) {
    if (!inserted.contains(entry.first)) fresh[entry.second] = false;
  }
  return fresh;
}

Result<std::map<int, std::int64_t>> number_lanes(store::Transaction& tx, std::span<const Exchange> exchanges,
                                                 const std::vector<bool>& fresh) {
  std::map<int, std::int64_t> counts;
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    if (fresh[i]) ++counts[exchanges[i].lane];
  }
  std::map<int, std::int64_t> next;
  for (const auto& [lane, count] : counts) {
    auto first = take_numbers(tx, Stage::inbox, lane, count);
    if (!first) return fail(std::move(first).error());
    next[lane] = *first;
  }
  return next;
}

}  // namespace

std::string call_binding(std::int64_t connection, Instant received) {
  return "call/" + std::to_string(connection) + "/" + std::to_string(to_us(received));
}

Result<std::vector<bool>> append_exchanges(store::Transaction& tx, std::span<const Exchange> exchanges) {
  auto fresh = filter_seen(tx, exchanges);
  if (!fresh) return fail(std::move(fresh).error());
  auto next = number_lanes(tx, exchanges, *fresh);
  if (!next) return fail(std::move(next).error());
  std::vector<Instant> received;
  std::vector<std::int64_t> lanes, seqs, connections, kinds, statuses, keys;
  std::vector<std::string> streams;
  std::vector<Bytes> descriptors, contexts, calls;
  for (std::size_t i = 0; i < exchanges.size(); ++i) {
    if (!(*fresh)[i]) continue;
    const Exchange& e = exchanges[i];
    received.push_back(e.received);
    lanes.push_back(e.lane);
    seqs.push_back((*next)[e.lane]++);
    connections.push_back(e.connection);
    kinds.push_back(static_cast<int>(e.kind));
    statuses.push_back(e.status);
    streams.push_back(e.stream);
    descriptors.push_back(e.descriptor_sha256);
    contexts.push_back(e.context);
    keys.push_back(e.call.key);
    calls.push_back(e.call.bytes);
  }
  if (lanes.empty()) return fresh;
  auto done = tx.exec(
      "INSERT INTO inbox (received, lane, seq, connection, kind, stream, status, descriptor_sha256, context, format, "
      "journal_key, call) "
      "SELECT r, l, s, c, k, t, st, d, x, 1, jk, b FROM unnest($1::timestamptz[], $2::smallint[], $3::bigint[], "
      "$4::int[], $5::smallint[], "
      "$6::text[], $7::smallint[], $8::bytea[], $9::bytea[], $10::int[], $11::bytea[]) AS u(r, l, s, c, k, t, st, d, "
      "x, jk, b)",
      {Param::instants(received), Param::smalls(lanes), Param::bigints(seqs), Param::integers(connections),
       Param::smalls(kinds), Param::texts(streams), Param::smalls(statuses), Param::byteas(descriptors),
       Param::byteas(contexts), Param::integers(keys), Param::byteas(calls)});
  if (!done) return fail(std::move(done).error());
  return fresh;
}

Result<std::vector<InboxRow>> read_inbox(store::Connection& db, int lane, std::int64_t after, int rows_max) {
  auto rows = db.exec(
      "SELECT seq, connection, kind, coalesce(stream, ''), coalesce(status, 0::smallint), descriptor_sha256, context, "
      "journal_key, call, received, format "
      "FROM inbox WHERE lane = $1 AND seq > $2 ORDER BY seq LIMIT $3",
      {Param::small(lane), after, rows_max});
  if (!rows) return fail(std::move(rows).error());
  std::vector<InboxRow> out;
  for (int i = 0; i < rows->size(); ++i) {
    InboxRow row;
    row.seq = rows->number(i, 0);
    Exchange& e = row.exchange;
    e.lane = lane;
    e.connection = rows->number(i, 1);
    e.kind = static_cast<ExchangeKind>(rows->number(i, 2));
    e.stream = rows->text(i, 3);
    e.status = static_cast<int>(rows->number(i, 4));
    e.descriptor_sha256 = rows->bytes(i, 5);
    e.context = rows->bytes(i, 6);
    e.call = {rows->number(i, 7), Bytes(rows->bytes(i, 8))};
    e.received = rows->instant(i, 9);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace isthmus::journal
