#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <functional>

namespace isthmus::bench {

/// User and system time that a process has used, in seconds; all its threads, and the children it has waited for.
/// Steps of 10 ms, so measure over seconds.
[[nodiscard]] double cpu_seconds(pid_t process);
/// The same of a PostgreSQL server: its first process and all that it started.
[[nodiscard]] double cpu_seconds_with_children(pid_t process);
/// What of a process is in memory now, in bytes.
[[nodiscard]] std::int64_t resident_bytes(pid_t process);
/// User and system time of the calling thread, in seconds.
[[nodiscard]] double cpu_seconds_of_thread();

using SteadyTime = std::chrono::steady_clock::time_point;
[[nodiscard]] inline double seconds_since(SteadyTime start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

/// Looks every 20 ms whether the condition holds; false when it still does not after `patience`.
[[nodiscard]] bool eventually(std::chrono::seconds patience, const std::function<bool()>& condition);

}  // namespace isthmus::bench
