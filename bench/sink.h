#pragma once

#include <atomic>
#include <cstdint>
#include <thread>

namespace isthmus::bench {

/// A system that deliveries go to: an HTTP server on 127.0.0.1 that answers every request with 204, 5 ms after it came.
/// Threads: one of its own; the counts from any.
class Sink {
 public:
  Sink();
  ~Sink();
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::uint64_t requests() const { return requests_; }
  /// User and system time of its thread so far.
  [[nodiscard]] double cpu_seconds() const { return static_cast<double>(cpu_us_) * 1e-6; }

 private:
  void run(const std::stop_token& stop);

  std::uint16_t port_ = 0;
  int listener_ = -1;
  std::atomic<std::uint64_t> requests_{0};
  std::atomic<std::int64_t> cpu_us_{0};
  std::jthread thread_;
};

}  // namespace isthmus::bench
