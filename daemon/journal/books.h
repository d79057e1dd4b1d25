#pragma once

#include <cstdint>
#include <string>

#include "store/connection.h"

namespace isthmus::journal {

/// The two books. Every term is counted from its own table, none by subtraction, so that a loss shows as an imbalance;
/// days that were dropped (journal/retention.h) are counted by what they left in book.
///
/// Calls:    inbox = routed + quarantined + unread + dropped
/// Commands: made = delivered + duplicate + expired + dead + held + waiting + in_flight
struct Books {
  std::int64_t inbox = 0, routed = 0, quarantined = 0, unread = 0, dropped = 0;
  std::int64_t made = 0, delivered = 0, duplicate = 0, expired = 0, dead = 0, held = 0, waiting = 0, in_flight = 0;
  std::int64_t refused = 0;  ///< decisions that forbade: commands that were never made
  std::int64_t oldest_undelivered_seconds = 0;

  [[nodiscard]] bool balanced() const {
    return inbox == routed + quarantined + unread + dropped &&
           made == delivered + duplicate + expired + dead + held + waiting + in_flight;
  }
  [[nodiscard]] std::string to_json() const;
};

[[nodiscard]] Result<Books> read_books(store::Connection& db);

}  // namespace isthmus::journal
