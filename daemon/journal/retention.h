#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "store/connection.h"

namespace isthmus::journal {

/// How long what names an event or a command is kept: as long as senders repeat (DESIGN: 400 days).
inline constexpr std::chrono::days kNamesKept{400};
/// Deliveries are compared with those of yesterday and today.
inline constexpr std::chrono::days kSeenKept{3};

/// What the journal let go, or why it kept a day that is over its time.
struct Expired {
  int days = 0;          ///< of inbox, outbox, attempts and positions
  std::string kept_day;  ///< the first that could not go, as 2026-11-24; empty: none
  std::string
      kept_for;  ///< "unread", "in_flight", "working" (parked commands need its attempts), "busy" (another node)
  std::int64_t waiting = 0;  ///< how many rows are the reason
};

/// Drops each day that ended `kept` ago, oldest first, up to the first that holds something unfinished: a call that
/// routing has not passed, a command that delivery has not passed, attempts of a command that is being retried. Each
/// goes in a transaction of its own, with its totals into book; its keys go with the day after. Days of `seen` go too.
/// Decisions and records stay.
///
/// It counts whole days, so give it a connection with a statement timeout of minutes. Several nodes may call it.
/// Errors: store.conflict when the tables were in use for too long (call again later), those of the store.
[[nodiscard]] Result<Expired> expire_journal(store::Connection& db, Instant now, std::chrono::days kept);

/// Deletes event keys, and ledger rows of commands that ended and that nobody can ask for any more, older than
/// kNamesKept; the latter leave their number in book. How many rows went.
[[nodiscard]] Result<std::int64_t> expire_names(store::Connection& db, Instant now);

}  // namespace isthmus::journal
