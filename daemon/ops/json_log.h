#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace isthmus::ops {

/// The log: one JSON object a line to a file descriptor (standard error, which journald reads).
///
///     {"event":"lane.taken","time":"2026-11-24T17:00:00.000000Z","level":"info","lane":7,"epoch":3}
///
/// Boost.Log's synchronous sink over a buffer: a line costs about a microsecond and no system call. The buffer is
/// written when it is full, every flush_period, at once with a warning or an error, and by the destructor; always whole
/// lines. Threads:    any. One thread of its own flushes. Ownership:  borrows the clock and the descriptor, which stays
/// open. Errors:     a line that cannot be written is gone and counted (lost()): the log never stops the daemon. The
/// process
///             must ignore SIGPIPE.
/// Bounds:     a text field is cut after text_bytes_max bytes, at a character, with "…"; bytes that are not UTF-8
/// become U+FFFD.
class JsonLog final : public Log {
 public:
  struct Limits {
    std::size_t buffer_bytes = std::size_t{64} << 10;
    std::size_t text_bytes_max = 2048;
    std::chrono::milliseconds flush_period{1000};
  };

  JsonLog(int descriptor, LogLevel level_min, const Clock& clock, Limits limits);
  JsonLog(int descriptor, LogLevel level_min, const Clock& clock) : JsonLog(descriptor, level_min, clock, Limits{}) {}
  ~JsonLog() override;
  JsonLog(const JsonLog&) = delete;
  JsonLog& operator=(const JsonLog&) = delete;

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override;
  void flush();
  /// Lines under it are not made; a reload may move it.
  void set_level(LogLevel level_min) { level_min_.store(level_min, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t lost() const;

 private:
  struct Pipe;  // keeps Boost.Log's headers out of here

  const Clock& clock_;
  const Limits limits_;
  std::atomic<LogLevel> level_min_;
  std::unique_ptr<Pipe> pipe_;
};

/// The level of a name of the settings: debug, info, warning, error; anything else is info.
[[nodiscard]] LogLevel level_from(std::string_view name);

}  // namespace isthmus::ops
