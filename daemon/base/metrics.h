#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <vector>

namespace isthmus {

/// A number that only grows. Thread safe, a few nanoseconds.
class Counter {
 public:
  void add(std::uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

/// A number that goes up and down: a depth, an age in seconds, a state as 0 or 1. Thread safe.
class Gauge {
 public:
  void set(double value) { value_.store(value, std::memory_order_relaxed); }
  void add(double by) { value_.fetch_add(by, std::memory_order_relaxed); }
  [[nodiscard]] double value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

/// How often values fell under each of some bounds. Thread safe; a reader may see a value in one field before another.
class Histogram {
 public:
  /// @param bounds upper bounds, rising; a last one of +infinity is implied.
  explicit Histogram(std::span<const double> bounds)
      : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {}

  void observe(double value) {
    const auto at = std::lower_bound(bounds_.begin(), bounds_.end(), value) - bounds_.begin();
    counts_[static_cast<std::size_t>(at)].fetch_add(1, std::memory_order_relaxed);
    sum_.fetch_add(value, std::memory_order_relaxed);
  }
  [[nodiscard]] const std::vector<double>& bounds() const { return bounds_; }
  /// Values at or under bound number `at` and above the one before it; at == bounds().size() is what lies beyond.
  [[nodiscard]] std::uint64_t count(std::size_t at) const { return counts_[at].load(std::memory_order_relaxed); }
  [[nodiscard]] double sum() const { return sum_.load(std::memory_order_relaxed); }

 private:
  const std::vector<double> bounds_;
  std::vector<std::atomic<std::uint64_t>> counts_;
  std::atomic<double> sum_{0};
};

/// Bounds in seconds for what a person or a peer waits for: 1 ms to 30 s.
inline constexpr double kWaitSeconds[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30};

/// A label's name is a C identifier and fixed in the code; its value may be any text of few kinds (a connection's name,
/// a verdict), never an id of an event, a URL or anything a stranger chooses.
struct MetricLabel {
  std::string_view name;
  std::string_view value;
};

/// Where rooms ask, once at construction, for the numbers they keep; ops implements it and shows them at /metrics.
///
/// Names follow Prometheus: isthmus_<room>_<thing>_<unit>[_total], units seconds and bytes. The same name and labels
/// give the same object. A reference lives as long as the Metrics. Thread safe.
class Metrics {
 public:
  using Labels = std::initializer_list<MetricLabel>;

  virtual ~Metrics() = default;
  virtual Counter& counter(std::string_view name, std::string_view help, Labels labels = {}) = 0;
  virtual Gauge& gauge(std::string_view name, std::string_view help, Labels labels = {}) = 0;
  virtual Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                               Labels labels = {}) = 0;
};

/// Counts into the void; for tests and tools.
class NoMetrics final : public Metrics {
 public:
  Counter& counter(std::string_view, std::string_view, Labels) override { return counter_; }
  Gauge& gauge(std::string_view, std::string_view, Labels) override { return gauge_; }
  Histogram& histogram(std::string_view, std::string_view, std::span<const double>, Labels) override {
    return histogram_;
  }

 private:
  Counter counter_;
  Gauge gauge_;
  Histogram histogram_{{}};
};

}  // namespace isthmus
