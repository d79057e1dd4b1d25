#pragma once

#include <string_view>

namespace isthmus::store {

inline constexpr int kConflictTriesMax = 4;

/// Runs a whole transaction, again when the database chose it as the loser of a conflict (store.conflict: deadlock,
/// serialization, a lock that did not come in time), at most kConflictTriesMax times: the other has gone on by then, so
/// there is nothing to wait for. `run` begins its own transaction and returns a Result; what it changes outside of it
/// must be right when it runs again.
template <class Run>
auto repeat_conflicts(Run&& run) {
  auto done = run();
  for (int tries = 1; tries < kConflictTriesMax && !done && done.error().code == "store.conflict"; ++tries)
    done = run();
  return done;
}

}  // namespace isthmus::store
