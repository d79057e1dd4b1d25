#include "journal/calls.h"

#include "journal/text.h"

namespace isthmus::journal {
namespace {

using store::Param;

Result<std::optional<CallPlace>> place(Result<store::Rows> rows) {
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return std::optional<CallPlace>();
  return std::optional(CallPlace{static_cast<int>(rows->number(0, 0)), rows->number(0, 1),
                                 static_cast<ParkedState>(rows->number(0, 2)), std::string(rows->text(0, 3))});
}

}  // namespace

Result<void> set_aside(store::Transaction& tx, const Keys& keys, const InboxRow& row, const Bytes& call, const Uuid& id,
                       ParkedState state, const std::string& reason) {
  Parked parked;
  parked.seq = row.seq;
  parked.stage = 1;
  parked.command.lane = row.exchange.lane;
  parked.command.connection = row.exchange.connection;
  parked.command.id = id;
  parked.state = state;
  parked.due = row.exchange.received;
  parked.reason = reason;
  parked.body = call;
  if (auto done = park(tx, keys, parked); !done) return done;
  auto done = tx.exec("UPDATE parked SET adapter_state = $3 WHERE lane = $1 AND stage = 1 AND seq = $2",
                      {Param::small(row.exchange.lane), row.seq, Param::bytes(row.exchange.context)});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<Waiting> read_waiting(store::Connection& db, const Keys& keys, int lane,
                             std::span<const std::int64_t> connections, int rows_max) {
  auto count = db.exec("SELECT count(*) FROM parked WHERE lane = $1 AND stage = 1 AND state = 4", {Param::small(lane)});
  if (!count) return fail(std::move(count).error());
  auto rows = db.exec(
      "SELECT seq, connection, command, coalesce(adapter_state, ''), sealed_key, body FROM parked WHERE lane = $1 AND "
      "stage = 1 AND state = 4 AND connection = ANY ($2::int[]) ORDER BY seq LIMIT $3",
      {Param::small(lane), Param::integers(std::vector<std::int64_t>(connections.begin(), connections.end())),
       std::int64_t{rows_max}});
  if (!rows) return fail(std::move(rows).error());
  Waiting waiting;
  waiting.others = count->number(0, 0) > rows->size();
  for (int i = 0; i < rows->size(); ++i) {
    AsideCall call{rows->number(i, 0), rows->number(i, 1), rows->uuid(i, 2), Bytes(rows->bytes(i, 3)), {}};
    // What cannot be opened is an empty call, which no adapter can read: it is quarantined again.
    if (auto plain = keys.open_alone(rows->bytes(i, 4), rows->bytes(i, 5), body_binding(call.id)))
      call.call = std::move(*plain);
    waiting.calls.push_back(std::move(call));
  }
  return waiting;
}

Result<std::vector<std::pair<int, std::int64_t>>> lanes_waiting(store::Connection& db) {
  auto rows = db.exec("SELECT DISTINCT lane, connection FROM parked WHERE stage = 1 AND state = 4");
  if (!rows) return fail(std::move(rows).error());
  std::vector<std::pair<int, std::int64_t>> out;
  for (int i = 0; i < rows->size(); ++i) out.emplace_back(static_cast<int>(rows->number(i, 0)), rows->number(i, 1));
  return out;
}

Result<void> take_back(store::Transaction& tx, int lane, std::int64_t seq) {
  auto done =
      tx.exec("DELETE FROM parked WHERE lane = $1 AND stage = 1 AND seq = $2 AND state = 4", {Param::small(lane), seq});
  if (!done) return fail(std::move(done).error());
  if (done->affected() == 0) return fail("store.conflict", "the call is not waiting any more");
  return {};
}

Result<void> quarantine_again(store::Transaction& tx, int lane, std::int64_t seq, const std::string& reason) {
  auto done =
      tx.exec("UPDATE parked SET state = 7, reason = $3 WHERE lane = $1 AND stage = 1 AND seq = $2 AND state = 4",
              {Param::small(lane), seq, storable(reason)});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<std::optional<CallPlace>> find_call(store::Connection& db, const Uuid& id) {
  return place(db.exec(
      "SELECT lane, connection, state, coalesce(reason, '') FROM parked WHERE command = $1 AND stage = 1", {id}));
}

Result<std::optional<CallPlace>> change_call(store::Transaction& tx, const Uuid& id, ParkedState to) {
  return place(tx.exec(
      "UPDATE parked SET state = $2 WHERE command = $1 AND stage = 1 AND state <> $2 RETURNING lane, connection, "
      "state, coalesce(reason, '')",
      {id, Param::small(static_cast<int>(to))}));
}

}  // namespace isthmus::journal
