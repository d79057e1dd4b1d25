#pragma once

namespace isthmus {

/// Reports a broken invariant on standard error and aborts. Never returns.
[[noreturn]] void check_failed(const char* condition, const char* why, const char* file, int line) noexcept;

}  // namespace isthmus

/// A bug of ours stops the process, in every build: the log replays. Never used on what comes from outside.
#define ISTHMUS_CHECK(condition, why) \
  ((condition) ? static_cast<void>(0) : ::isthmus::check_failed(#condition, (why), __FILE__, __LINE__))
