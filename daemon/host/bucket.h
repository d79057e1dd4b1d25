#pragma once

#include <cstdint>
#include <optional>

#include "adapter/limits.h"
#include "base/clock.h"

namespace isthmus::host {

/// One rate limit of a network, for one connection: how many requests may still be sent in the window that runs now.
///
/// It begins with what the descriptor documents and is corrected by the headers of each reply. What is left is counted
/// from the lowest number that the network told in this window, less what is on its way and what was sent and told
/// nothing: never more than the network would still take, whatever the order of the replies. When the window ends, a
/// whole one begins. A value; its owner locks.
class Bucket {
 public:
  /// Collecting leaves a tenth of a window to what people send.
  enum class Use { interactive, background };

  explicit Bucket(std::int64_t rate = 0, std::int64_t window_ms = 0);

  /// How many of this cost may be sent now; kUnlimited when nothing is known.
  [[nodiscard]] std::int64_t room(Instant now, Use use, std::int64_t cost = 1) const;
  /// When it is worth asking again; now when there is room.
  [[nodiscard]] Instant free_at(Instant now, Use use, std::int64_t cost = 1) const;
  /// Counts one request that is sent now, if there is room for it. Each is answered by one of the three below.
  [[nodiscard]] bool take(Instant now, Use use, std::int64_t cost = 1);
  void replied(Instant now, const adapter::LimitReading& reading, std::int64_t cost = 1);
  void lost(Instant now, std::int64_t cost = 1);  ///< it was sent, and nobody knows whether the network counted it
  void unsent(std::int64_t cost = 1);             ///< it never left
  /// The network asked for a pause.
  void block(Instant until);

  static constexpr std::int64_t kUnlimited = 1'000'000'000;

 private:
  void roll(Instant now);
  [[nodiscard]] std::int64_t left(Instant now, Use use) const;

  std::int64_t rate_ = 0;   // of a whole window, documented or told; 0: not known
  std::int64_t window_us_;  // documented; else the longest that was told; else what is assumed
  bool documented_ = false;
  bool measured_ = false;
  std::optional<std::int64_t> low_;  // the lowest told in this window, or a whole one; nothing: no limit is known
  Instant ends_;                     // of the window; Instant(): none runs
  bool told_ = false;                // the window's end is the network's word
  std::int64_t on_their_way_ = 0;
  std::int64_t lost_ = 0;    // of untold_: perhaps counted later than we think, in the next window
  std::int64_t untold_ = 0;  // sent in this window without an answer about the limit
  Instant blocked_until_;
};

}  // namespace isthmus::host
