#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "base/result.h"

namespace isthmus {

/// An instant, UTC, microseconds since 1970-01-01.
using Instant = std::chrono::sys_time<std::chrono::microseconds>;

/// Time is a parameter: rooms take a Clock, only SystemClock asks the system. Thread safe.
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Instant now() const = 0;
  /// Time since some fixed point that keeps counting while the machine sleeps (CLOCK_BOOTTIME); for leases and
  /// deadlines.
  [[nodiscard]] virtual std::chrono::microseconds since_boot() const = 0;
};

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override;
  [[nodiscard]] std::chrono::microseconds since_boot() const override;
};

/// A clock that a test moves by hand; both readings advance together.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Instant start) : now_(start) {}
  [[nodiscard]] Instant now() const override { return now_; }
  [[nodiscard]] std::chrono::microseconds since_boot() const override { return now_.time_since_epoch(); }
  void advance(std::chrono::microseconds by) { now_ += by; }

 private:
  Instant now_;
};

[[nodiscard]] std::int64_t to_ms(Instant instant);
[[nodiscard]] Instant from_ms(std::int64_t ms);
[[nodiscard]] std::int64_t to_us(Instant instant);
[[nodiscard]] Instant from_us(std::int64_t us);

/// RFC 3339 in UTC with microseconds: 2026-11-24T17:00:00.000000Z.
[[nodiscard]] std::string to_rfc3339(Instant instant);
/// Reads RFC 3339 with any offset and 0 to 9 digits of fraction (beyond microseconds is cut).
[[nodiscard]] Result<Instant> from_rfc3339(std::string_view text);

}  // namespace isthmus
