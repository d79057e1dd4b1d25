#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "journal/inbox.h"
#include "journal/parked.h"

namespace isthmus::journal {

/// A call from outside that stands beside its lane's log, in parked (stage 1): quarantined since it cannot be read or
/// stored, or waiting to be read again, because its connection was suspended when its turn came or a person asked for
/// it. Its state there: quarantined_call, scheduled (waits), dead (dropped by a person).
struct AsideCall {
  std::int64_t seq = 0;  ///< of the inbox
  std::int64_t connection = 0;
  Uuid id;
  Bytes context;  ///< encode(Context)
  Bytes call;     ///< encode(Call), plain, in memory only
};

/// Sets a call aside under its number; the same call again is the same row. `call` is its plain bytes, or nothing when
/// they cannot be opened.
[[nodiscard]] Result<void> set_aside(store::Transaction& tx, const Keys& keys, const InboxRow& row, const Bytes& call,
                                     const Uuid& id, ParkedState state, const std::string& reason);
/// What waits of a lane.
struct Waiting {
  std::vector<AsideCall> calls;  ///< of the given connections, in order
  bool others = false;           ///< there are more, of these connections or of others
};
[[nodiscard]] Result<Waiting> read_waiting(store::Connection& db, const Keys& keys, int lane,
                                           std::span<const std::int64_t> connections, int rows_max);
/// Lanes and connections that have waiting calls.
[[nodiscard]] Result<std::vector<std::pair<int, std::int64_t>>> lanes_waiting(store::Connection& db);
/// It was read: it stands beside the log no more. Error store.conflict when somebody else changed it meanwhile.
[[nodiscard]] Result<void> take_back(store::Transaction& tx, int lane, std::int64_t seq);
/// It still cannot be read.
[[nodiscard]] Result<void> quarantine_again(store::Transaction& tx, int lane, std::int64_t seq,
                                            const std::string& reason);

/// Where a call stands now.
struct CallPlace {
  int lane = 0;
  std::int64_t connection = 0;
  ParkedState state = ParkedState::quarantined_call;
  std::string reason;
};
[[nodiscard]] Result<std::optional<CallPlace>> find_call(store::Connection& db, const Uuid& id);
/// A person's act: waits to be read again (scheduled), or is dropped (dead). Nothing when it is in that state already
/// or no call has this id.
[[nodiscard]] Result<std::optional<CallPlace>> change_call(store::Transaction& tx, const Uuid& id, ParkedState to);

}  // namespace isthmus::journal
