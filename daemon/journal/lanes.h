#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "store/connection.h"

namespace isthmus::journal {

inline constexpr int kLanes = 64;
inline constexpr int kSequencerLane = 64;

enum class Stage { inbox = 1, outbox = 2, records = 3 };

/// The right to act for a lane: its epoch at takeover. A zombie's fence no longer matches.
struct Fence {
  int lane = 0;
  std::int64_t epoch = 0;
};

/// First statement of every transaction that acts for a lane. Error lane.lost: another node owns it; stop acting.
[[nodiscard]] Result<void> enter(store::Transaction& tx, const Fence& fence);

/// The same for an act that is no node's own (an administrator's): the lane stays with whoever owns it until the end of
/// the transaction, so that a takeover reads all of the act or nothing.
[[nodiscard]] Result<void> keep_still(store::Transaction& tx, int lane);

/// Gives `count` consecutive numbers of a stage and lane; the first of them. Call after all shared rows are locked,
/// stages and lanes in rising order, since this holds the lane's head until the end of the transaction.
[[nodiscard]] Result<std::int64_t> take_numbers(store::Transaction& tx, Stage stage, int lane, std::int64_t count);

/// Takes every lane that is free, expired or this node's own (a restart), with a new epoch, until now + lease.
[[nodiscard]] Result<std::vector<Fence>> take_lanes(store::Connection& db, const std::string& node,
                                                    std::chrono::seconds lease);
/// Renews; the fences that are still ours. A lane that is missing from the answer was lost.
[[nodiscard]] Result<std::vector<Fence>> renew_lanes(store::Connection& db, const std::string& node,
                                                     const std::vector<Fence>& fences, std::chrono::seconds lease);
/// Gives lanes back at an orderly stop, so that another node need not wait for the lease to end.
[[nodiscard]] Result<void> give_lanes(store::Connection& db, const std::string& node, const std::vector<Fence>& fences);

/// How far a reader came; 0 before its first step.
[[nodiscard]] Result<std::int64_t> position(store::Connection& db, Stage stage, int lane, std::int64_t connection);
[[nodiscard]] Result<void> move_position(store::Transaction& tx, Stage stage, int lane, std::int64_t connection,
                                         std::int64_t position);

/// Makes the partitions of today and the next three days. Call at start and every hour.
[[nodiscard]] Result<void> make_partitions(store::Connection& db);

}  // namespace isthmus::journal
