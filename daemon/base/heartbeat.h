#pragma once

#include <atomic>
#include <chrono>

#include "base/clock.h"

namespace isthmus {

/// The sign of life of one thread that loops: it beats at each turn, the watchdog looks how long ago that was.
/// Threads: beat() and age() from any. Ownership: borrows the clock.
class Heartbeat {
 public:
  explicit Heartbeat(const Clock& clock) : clock_(clock) { beat(); }
  void beat() { last_us_.store(clock_.since_boot().count(), std::memory_order_relaxed); }
  [[nodiscard]] std::chrono::microseconds age() const {
    return clock_.since_boot() - std::chrono::microseconds(last_us_.load(std::memory_order_relaxed));
  }

 private:
  const Clock& clock_;
  std::atomic<std::int64_t> last_us_{0};
};

}  // namespace isthmus
