#pragma once

#include <array>
#include <atomic>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "journal/lanes.h"
#include "store/pool.h"

namespace isthmus {

/// Holds this node's leases on lanes. Threads: one of its own; epoch() from any.
class LaneKeeper {
 public:
  static constexpr std::chrono::seconds kLease{20};
  static constexpr std::chrono::seconds kMargin{5};  ///< before the lease ends nobody acts for a lane any more

  LaneKeeper(store::Pool& pool, std::string node, const Clock& clock, Log& log);
  ~LaneKeeper();

  /// The epoch of a lane that this node owns and may act for now; 0 otherwise.
  [[nodiscard]] std::int64_t epoch(int lane) const;
  [[nodiscard]] int owned() const;
  /// Takes what is free at once; later again every few seconds.
  [[nodiscard]] Result<void> take();
  /// Gives everything back, so that another node need not wait.
  void give_back();

 private:
  void run(const std::stop_token& stop);
  Result<void> renew();
  void set(const std::vector<journal::Fence>& fences, std::chrono::microseconds asked_at);
  [[nodiscard]] std::vector<journal::Fence> fences() const;

  store::Pool& pool_;
  const std::string node_;
  const Clock& clock_;
  Log& log_;
  std::array<std::atomic<std::int64_t>, journal::kLanes + 1> epochs_{};
  std::atomic<std::int64_t> until_us_{0};  // on the clock that counts while the machine sleeps
  std::jthread thread_;
};

}  // namespace isthmus
