#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "adapter/contract.h"
#include "base/queue.h"

namespace isthmus::host {

/// Where adapters that are programs are called: a call may take seconds, so it never holds a thread that serves others,
/// and each program has threads of its own, so a hung one delays its own connections only.
///
/// Threads:   kThreads for each program, made when it is first called. run() from any thread.
/// Bounds:    kWaitingMax calls wait for a program; one more is refused.
/// Ownership: borrows the adapters. Stop it before what its work uses.
class ProgramThreads {
 public:
  static constexpr int kThreads = 4;
  static constexpr std::size_t kWaitingMax = 1000;

  ProgramThreads() = default;
  ~ProgramThreads();  ///< stop()
  ProgramThreads(const ProgramThreads&) = delete;
  ProgramThreads& operator=(const ProgramThreads&) = delete;

  /// Runs the work on a thread of the program, whose adapter says is_program().
  /// @return whether it will be run: not when too many wait, nor after stop().
  [[nodiscard]] bool run(const adapter::Adapter& program, std::function<void()> work);
  /// Refuses what comes, drops what waits (as Timers does: an intent without an end is looked up later), joins when the
  /// calls under way have ended. Idempotent.
  void stop();

 private:
  struct Crew {
    BoundedQueue<std::function<void()>> queue{kWaitingMax};
    std::vector<std::jthread> threads;
  };
  static void serve(Crew& crew);

  std::mutex mutex_;  // of the two below
  std::map<const adapter::Adapter*, std::unique_ptr<Crew>> crews_;
  bool stopped_ = false;
};

}  // namespace isthmus::host
