#include "ops/systemd.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <systemd/sd-daemon.h>

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <cstring>
#include <mutex>

namespace isthmus::ops {
namespace {

// The protocol is lines; a line feed in a status would end it.
std::string one_line(std::string_view status) {
  std::string line(status);
  std::replace(line.begin(), line.end(), '\n', ' ');
  return line;
}

bool notify(const std::string& state) { return ::sd_notify(0, state.c_str()) >= 0; }

}  // namespace

bool notify_ready(std::string_view status) { return notify("READY=1\nSTATUS=" + one_line(status)); }
bool notify_status(std::string_view status) { return notify("STATUS=" + one_line(status)); }
bool notify_stopping() { return notify("STOPPING=1\nSTATUS=stopping"); }

std::optional<std::chrono::microseconds> watchdog_period() {
  std::uint64_t period_us = 0;
  if (::sd_watchdog_enabled(0, &period_us) <= 0) return std::nullopt;
  return std::chrono::microseconds(period_us);
}

Watchdog::Watchdog(std::chrono::microseconds period, std::function<bool()> alive)
    : timer_([period, alive = std::move(alive)](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any wake;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
          if (alive()) notify("WATCHDOG=1");
          wake.wait_for(lock, stop, period / 3, [] { return false; });
        }
      }) {}

Result<std::map<std::string, std::vector<int>>> take_listen_sockets() {
  char** raw_names = nullptr;
  const int count = ::sd_listen_fds_with_names(1, &raw_names);
  if (count < 0) {
    return fail("systemd.sockets", fmt::format("reading the sockets that systemd passed: {}", std::strerror(-count)));
  }
  std::map<std::string, std::vector<int>> sockets;
  std::optional<Error> wrong;
  for (int at = 0; at < count; ++at) {
    const int descriptor = SD_LISTEN_FDS_START + at;
    const std::string name = raw_names[at];
    std::free(raw_names[at]);  // NOLINT: each name and the list are malloc'ed by libsystemd
    if (::sd_is_socket(descriptor, AF_UNSPEC, SOCK_STREAM, 1) <= 0) {
      wrong = Error{"systemd.sockets",
                    fmt::format("descriptor {} named \"{}\" is not a listening stream socket", descriptor, name),
                    "a .socket unit of isthmusd uses ListenStream= and Accept=no",
                    {}};
    }
    sockets[name].push_back(descriptor);
  }
  std::free(raw_names);  // NOLINT
  if (wrong) return fail(std::move(*wrong));
  return sockets;
}

}  // namespace isthmus::ops
