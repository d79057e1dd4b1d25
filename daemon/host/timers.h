#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

namespace isthmus::host {

/// Runs callbacks after a while, on one thread of its own. A callback must not block. Thread safe.
class Timers {
 public:
  Timers();
  ~Timers();  ///< stop()
  void after(std::chrono::milliseconds delay, std::function<void()> callback);
  /// Drops what is pending and joins.
  void stop();

 private:
  void run(const std::stop_token& stop);
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> pending_;
  std::jthread thread_;
};

}  // namespace isthmus::host
