#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "journal/keys.h"
#include "journal/calls.h"
#include "journal/inbox.h"
#include "routing/plan.h"
#include "routing/sink.h"
#include "store/pool.h"

namespace isthmus::routing {

/// Reads each lane's inbox and makes, in one transaction a batch, what follows from it: event keys, records,
/// conversations, decisions, ledger and outbox rows, and the new position. All of it commits or none.
///
/// A fault of the data (an adapter's poison, a row that the database refuses) is bisected down to its call, which is
/// quarantined; its neighbours flow. A call of a connection that is suspended waits beside the log, and all later ones
/// of that connection behind it; they are read, in order, before anything else of the lane once the connection may act
/// again. A fault of the database repeats the batch; a lost lane is dropped. Threads:
/// `threads` of its own and one that looks for what a lost wake-up left; a lane is worked by one at a time. Ownership:
/// borrows everything it is given.
class Router {
 public:
  struct Parts {
    store::Pool& pool;
    journal::Keys& keys;
    archive::Recorder& recorder;
    const identity::Directory& directory;
    EventSink& sink;
    const Clock& clock;
    Random& random;
    Log& log;
    const Secret& installation_key;
    FindMapping find_mapping;
    CurrentPacks packs;
    std::function<std::int64_t(int lane)> epoch;  ///< of a lane this node owns, or 0
    std::function<void(int lane)> wake_delivery;
  };
  static constexpr int kBatchMax = 100;

  /// @param threads 0: none at all, the caller takes the turns (a simulation).
  Router(Parts parts, unsigned threads);
  ~Router();  ///< stop()
  /// Works a lane until it is empty; false when it must be tried again later. Only without threads.
  bool turn(int lane);
  void wake(int lane);
  void stop();

 private:
  static constexpr std::string_view kSuspended = "routing.suspended";
  static bool is_fault_of_data(const Error& error);
  enum class LaneState { idle, queued, running, running_again };
  void work(const std::stop_token& stop);
  void look_for_forgotten(const std::stop_token& stop);
  /// Works a lane until it is empty; false when it must be tried again later.
  bool drain(int lane, Planner& planner);
  bool drain_log(int lane, const identity::World& world, Planner& planner, bool& empty);
  /// Works what waits beside the log and may be read now.
  Result<void> drain_waiting(int lane, const identity::World& world, Planner& planner);
  Result<void> route_waiting(int lane, const journal::AsideCall& aside, const identity::World& world, Planner& planner);
  Result<void> route_batch(int lane, const std::vector<journal::InboxRow>& rows, const identity::World& world,
                           Planner& planner);
  Result<std::vector<EventPlan>> plan_row(const journal::InboxRow& row, const identity::World& world, Planner& planner);
  Result<std::vector<EventPlan>> plan_call(std::int64_t connection, const Bytes& context, const Bytes& plain,
                                           const identity::World& world, Planner& planner);
  /// What of the inbox is done with a commit: all up to a number, or the one call that waited beside it.
  struct Routed {
    std::optional<std::int64_t> position;
    std::optional<std::int64_t> aside;
  };
  Result<void> commit(int lane, const Routed& routed, std::vector<EventPlan>& plans);
  Result<void> set_aside(const journal::InboxRow& row, const Error& why);
  Result<std::vector<EventPlan>> only_unknown(std::vector<EventPlan> plans, int lane);

  Parts parts_;
  std::vector<std::atomic<LaneState>> lanes_;
  /// By lane: the epoch under which no call is known to wait beside the log; 0: one may.
  std::vector<std::atomic<std::int64_t>> nothing_waits_;
  BoundedQueue<int> queue_{128};
  std::vector<std::jthread> threads_;
};

}  // namespace isthmus::routing
