#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>

#include "delivery/item.h"
#include "delivery/pace.h"
#include "identity/directory.h"

namespace isthmus::delivery {

/// What one connection is working on, in memory; rebuilt from the journal when its lane is taken.
///
/// Order: commands of one key leave in their order. An item may start when no earlier one of its key is unfinished.
/// Threads: the lane's thread only.
struct Line {
  static constexpr int kWindowMax = 256;  ///< commands beyond the position that are held in memory
  static constexpr int kParkedMax = 512;  ///< parked ones that are held in memory; the table has them all
  static constexpr int kChainMax = 16;    ///< of one key among them, when there is no room for more

  std::int64_t connection = 0;
  int lane = 0;
  std::int64_t epoch = 0;              ///< under which it was read: what it knows may be written under no other
  std::int64_t generation = 0;         ///< tells completions of an earlier reading of the same connection
  std::int64_t position = 0;           ///< committed
  std::int64_t read_up_to = 0;         ///< highest number read into items
  std::map<std::int64_t, Item> items;  ///< by number
  bool more_parked = false;            ///< the table has parked commands that memory has not
  Instant parked_look;                 ///< when the table is asked again for those that are due
  Pace pace;
  int in_flight = 0;
  std::string paused_for;          ///< why, for people; empty: not paused
  bool a_person_may_mend = false;  ///< the pause ends when the administration changes
  std::int64_t world_version = 0;  ///< at the pause

  /// How many of a kind the network's rate limits let start now.
  using Room = std::function<std::int64_t(const std::string& kind)>;
  /// Numbers of items that may start now, lowest first; those that must be parked behind their key go to `behind`.
  /// Items whose limit is used up wait, and those of other limits pass them, in the order of each key.
  [[nodiscard]] std::vector<std::int64_t> startable(Instant now, std::vector<std::int64_t>& behind,
                                                    const Room& room = {}) const;
  /// The position that may be committed: everything up to it is done or parked.
  [[nodiscard]] std::int64_t reached() const;
  /// Numbers beyond the position that are not parked.
  [[nodiscard]] int window() const;
  [[nodiscard]] int parked() const;
  /// Forgets parked commands until kParkedMax are left, those that wait longest first, and remembers that the table has
  /// more. Of a key it keeps the earliest or nothing, so that memory never starts one past an earlier one; a key with a
  /// command that is not parked is left whole. Call only when everything in memory is written.
  void forget_surplus(Instant now);
};

}  // namespace isthmus::delivery
