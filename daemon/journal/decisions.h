#pragma once

#include <optional>
#include <span>
#include <string>

#include "base/clock.h"
#include "base/uuid.h"
#include "store/connection.h"

namespace isthmus::journal {

/// What the decision point said, as it is stored beside what it decided. Effects: 1 permit, 2 warn, 3 hold, 4 forbid.
struct DecisionRow {
  Uuid id;
  std::optional<Uuid> command;
  std::int64_t connection = 0;  ///< where it would have gone
  int effect = 4;
  std::string rule;
  std::string pack;
  std::string pack_version;
  std::string reason;
  std::string held_for;
  std::optional<std::pair<std::uint32_t, std::uint32_t>> span;  ///< bytes of the matched text, [begin, end)
  std::int64_t principal = 0;                                   ///< who asked; 0: a route
};

[[nodiscard]] Result<void> write_decisions(store::Transaction& tx, int lane, std::span<const DecisionRow> decisions,
                                           Instant now);

}  // namespace isthmus::journal
