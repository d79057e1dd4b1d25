#pragma once

#include "journal/parked.h"

namespace isthmus::journal {

/// Puts a parked command at the log's tail again, under its own id and without a new ledger row: the parked row and its
/// old place in the log go, a release is noted among its attempts, and it stands in the outbox once more. All in the
/// caller's transaction, which holds the parked row's lock (find_parked).
///
/// @param again  the command as it shall be sent: sealed body, decision, format.
/// Takes the lane's outbox number, so it comes after every other lock.
[[nodiscard]] Result<void> release(store::Transaction& tx, const Parked& parked, const NewCommand& again,
                                   const std::string& reason, Instant now);

/// A release that was denied: the command stays where it is, with the new reason and who may lift it.
[[nodiscard]] Result<void> keep_parked(store::Transaction& tx, const Parked& parked);

/// What an administrator changed of a parked command, and where it stands.
struct ParkedPlace {
  int lane = 0;
  std::int64_t connection = 0;
  ParkedState state = ParkedState::retry;  ///< now
};
/// Due now, in its place: of what waits for another try or another look. Nothing when it is in no such state.
[[nodiscard]] Result<std::optional<ParkedPlace>> make_due(store::Transaction& tx, const Uuid& command, Instant now);
/// Held for the operator: of what waits for another try, or behind one.
[[nodiscard]] Result<std::optional<ParkedPlace>> hold_parked(store::Transaction& tx, const Uuid& command);
/// A dead letter: of what waits or is held.
[[nodiscard]] Result<std::optional<ParkedPlace>> drop_parked(store::Transaction& tx, const Uuid& command);

}  // namespace isthmus::journal
