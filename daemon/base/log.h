#pragma once

#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

namespace isthmus {

enum class LogLevel { debug, info, warning, error };

/// One typed field of a log line. A Secret has no way in.
struct LogField {
  std::string_view name;
  std::variant<std::string_view, std::int64_t, double, bool> value;
};

/// Where rooms report events: a stable name (area.thing.happened) and identifiers, counts, durations, verdicts;
/// never bodies, tokens or names of people. Thread safe. ops implements it.
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) = 0;
};

/// Discards; for tests and tools.
class NoLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace isthmus
