#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/uuid.h"
#include "journal/keys.h"
#include "journal/outbox.h"
#include "store/connection.h"

namespace isthmus::journal {

/// Why a command waits outside the log. The first three block later commands of the same (connection, key).
enum class ParkedState {
  retry = 1,
  ambiguous = 2,
  behind = 3,
  scheduled = 4,
  held = 5,
  dead = 6,
  quarantined_call = 7
};
[[nodiscard]] std::string_view to_string(ParkedState state);

struct Parked {
  std::int64_t seq = 0;  ///< its outbox number, its inbox number for a quarantined call, or one of its own when it was
                         ///< never in the log
  int stage = 2;         ///< 2: from the outbox; 1: a call from the inbox; 4: never logged (held or scheduled before)
  NewCommand command;    ///< without body
  ParkedState state = ParkedState::retry;
  Instant due;
  int tries = 0;
  std::string reason;
  std::string held_for;
  std::int64_t author = 0;  ///< principal; 0: nobody
  std::string body;         ///< plain, in memory only
};

/// Inserts, or replaces the same command or call under the same (lane, stage, seq). The body is sealed under a key of
/// its own that dies with the row. Error store.conflict when another command stands there.
[[nodiscard]] Result<void> park(store::Transaction& tx, const Keys& keys, const Parked& parked);
/// Changes state, due time, tries and reason of a parked command that delivery works on. What a person holds or dropped
/// meanwhile stays as the person left it.
[[nodiscard]] Result<void> repark(store::Transaction& tx, const Parked& parked);
[[nodiscard]] Result<void> unpark(store::Transaction& tx, const Parked& parked);

/// What delivery asks of a connection's parked commands (retry, ambiguous, behind).
struct ParkedAsk {
  int lane = 0;
  std::int64_t connection = 0;
  std::span<const std::int64_t> known;  ///< numbers that the asker has already
  Instant now;
  int chain_max = 16;  ///< of one key
  int rows_max = 512;
};
struct ParkedPage {
  std::vector<Parked> due;  ///< lowest number first
  bool more = false;        ///< there are parked commands that are neither known nor in `due`
};
/// Commands of the keys whose earliest is due, the earliest of each key first in number; of a key always its lowest
/// numbers that are not known. When everything fits, what is not due yet too.
[[nodiscard]] Result<ParkedPage> read_parked(store::Connection& db, const Keys& keys, const ParkedAsk& ask);
/// Which of these keys have parked commands beside the known ones.
[[nodiscard]] Result<std::set<Bytes>> keys_parked(store::Connection& db, int lane, std::int64_t connection,
                                                  std::span<const Bytes> keys, std::span<const std::int64_t> known);
/// One parked command, whatever its state; locked for the transaction.
[[nodiscard]] Result<std::optional<Parked>> find_parked(store::Transaction& tx, const Keys& keys, const Uuid& command);

}  // namespace isthmus::journal
