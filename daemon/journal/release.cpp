#include "journal/release.h"

#include "journal/text.h"

namespace isthmus::journal {

using store::Param;

Result<void> release(store::Transaction& tx, const Parked& parked, const NewCommand& again, const std::string& reason,
                     Instant now) {
  if (auto done = unpark(tx, parked); !done) return done;
  if (parked.stage == 2) {
    // Its old row may still lie beyond the position, which an earlier command holds: read again it would be sent twice.
    auto gone = tx.exec("DELETE FROM outbox WHERE lane = $1 AND connection = $2 AND seq = $3 AND command = $4",
                        {Param::small(again.lane), Param::integer(again.connection), parked.seq, again.id});
    if (!gone) return fail(std::move(gone).error());
  }
  auto noted = tx.exec(
      "INSERT INTO attempt (at, lane, command, connection, n, phase, reason) SELECT $1, $2, $3, $4, coalesce(max(n), "
      "0::smallint) + 1, 2, $5 FROM attempt WHERE lane = $2 AND command = $3",
      {now, Param::small(again.lane), again.id, Param::integer(again.connection), storable(reason)});
  if (!noted) return fail(std::move(noted).error());
  return append_outbox(tx, std::span(&again, 1), now);
}

Result<void> keep_parked(store::Transaction& tx, const Parked& p) {
  auto done = tx.exec("UPDATE parked SET reason = $4, held_for = $5 WHERE lane = $1 AND stage = $2 AND seq = $3",
                      {Param::small(p.command.lane), Param::small(p.stage), p.seq, storable(p.reason), p.held_for});
  if (!done) return fail(std::move(done).error());
  return {};
}

namespace {

Result<std::optional<ParkedPlace>> changed(Result<store::Rows> rows) {
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return std::optional<ParkedPlace>();
  return std::optional(ParkedPlace{static_cast<int>(rows->number(0, 0)), rows->number(0, 1),
                                   static_cast<ParkedState>(rows->number(0, 2))});
}

}  // namespace

Result<std::optional<ParkedPlace>> make_due(store::Transaction& tx, const Uuid& command, Instant now) {
  return changed(
      tx.exec("UPDATE parked SET due = $2 WHERE command = $1 AND state IN (1, 2) RETURNING lane, connection, state",
              {command, now}));
}

Result<std::optional<ParkedPlace>> hold_parked(store::Transaction& tx, const Uuid& command) {
  return changed(
      tx.exec("UPDATE parked SET state = 5, held_for = 'operator', reason = 'held by an administrator; before: ' || "
              "coalesce(reason, '') WHERE command = $1 AND state IN (1, 3) RETURNING lane, connection, state",
              {command}));
}

Result<std::optional<ParkedPlace>> drop_parked(store::Transaction& tx, const Uuid& command) {
  return changed(tx.exec(
      "UPDATE parked SET state = 6, reason = coalesce(reason, '') || ' (dropped by an administrator)' WHERE command = "
      "$1 AND stage <> 1 AND state IN (1, 2, 3, 4, 5) RETURNING lane, connection, state",
      {command}));
}

}  // namespace isthmus::journal
