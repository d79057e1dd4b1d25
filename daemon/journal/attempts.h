#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "adapter/contract.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "store/connection.h"

namespace isthmus::journal {

/// Before a send: what is about to be tried, with the adapter's state. After a crash an intent without an end is
/// AMBIGUOUS.
struct Intent {
  Uuid command;
  std::int64_t connection = 0;
  int n = 1;  ///< 1, 2, ...
  Bytes state;
};

/// The verdict that is stored of a command whose time ran out before it was sent; no adapter can give it.
inline constexpr int kExpired = 10;

/// After a send: what came of attempt n. A closing end is the command's last word, until a person releases the command
/// again (journal/release.h).
struct End {
  Uuid command;
  std::int64_t connection = 0;
  int n = 1;
  adapter::Verdict verdict = adapter::Verdict::retry;
  bool closing = false;
  int http_status = 0;  ///< 0: no reply
  std::string reason;   ///< code and sentence; no body, no token
  std::string remote_id;
  std::string remote_url;
  bool expired = false;  ///< stored as kExpired instead of the verdict
};

[[nodiscard]] Result<void> write_intents(store::Transaction& tx, int lane, std::span<const Intent> intents,
                                         Instant now);
[[nodiscard]] Result<void> write_ends(store::Transaction& tx, int lane, std::span<const End> ends, Instant now);

/// What the journal says of a command: enough to go on after a restart.
struct History {
  int attempts = 0;  ///< the highest number of an attempt so far
  std::optional<Instant> first_attempt;
  std::optional<Instant> last_intent;
  bool open_intent = false;  ///< the last intent has no end, and nobody released the command since
  bool closed = false;       ///< its last word was said, and nobody released it since
};
[[nodiscard]] Result<std::vector<History>> histories(store::Connection& db, int lane, std::span<const Uuid> commands);

}  // namespace isthmus::journal
