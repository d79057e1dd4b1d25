#pragma once

#include <cstdint>
#include <set>
#include <span>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "store/connection.h"

namespace isthmus::journal {

/// What names an event for ever, with the record that holds it: the binding check against repeats.
struct EventKey {
  std::int64_t connection = 0;
  Bytes key;  ///< keyed hash of connection and dedup key
  Uuid record;
};

using EventKeySet = std::set<Bytes, std::less<>>;

/// Which of these are known already: saves the work of a transaction that would refuse them.
[[nodiscard]] Result<EventKeySet> known_events(store::Connection& db, int lane, std::span<const EventKey> events);
/// Which of these were not known, and now are.
/// @param events in the order of (connection, key), in which their rows are locked.
[[nodiscard]] Result<EventKeySet> enter_events(store::Transaction& tx, int lane, std::span<const EventKey> events,
                                               Instant now);

}  // namespace isthmus::journal
