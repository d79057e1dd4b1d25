#pragma once

#include <string>

#include "journal/outbox.h"
#include "journal/parked.h"

namespace isthmus::delivery {

/// A command that its connection works on: beyond the position, or parked and blocking its key.
struct Item {
  enum class State { waiting, sending, looking, done };
  enum class Next { send, look };  ///< look: its fate is unknown, ask the network first

  journal::NewCommand command;
  std::string body;  ///< plain
  std::string kind;  ///< its operation, and whether it has media: such commands meet the same rate limits
  State state = State::waiting;
  Next next = Next::send;
  bool parked = false;     ///< has a row in parked
  bool behind = false;     ///< parked only because an earlier one of its key is
  bool blocked = false;    ///< an earlier one of its key is parked and not in memory
  int attempts = 0;        ///< number of the last intent
  int tries = 0;           ///< failures for its own sake
  int faults = 0;          ///< of the adapter
  std::string unreadable;  ///< why its body cannot be opened; such a command can only be buried
  Instant due;
  Instant over_by;  ///< when the last request of its last attempt is over at the latest
  Instant first_attempt;
};

/// The kind of a command, by its plain body.
[[nodiscard]] std::string kind_of(const journal::NewCommand& command, const std::string& body);

}  // namespace isthmus::delivery
