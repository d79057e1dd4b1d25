#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.h"

namespace isthmus::ops {

/// Tells the service manager our state (sd_notify(3)); does nothing where there is none. Debian 12's systemd 252 has no
/// Type=notify-reload, so a reload says nothing here: `isthmus reload --wait` gives its result.
/// @return false when a manager is there and did not take it.
bool notify_ready(std::string_view status);
bool notify_status(std::string_view status);
bool notify_stopping();

/// The period that the manager expects a sign of life in (WatchdogSec=), or nothing.
[[nodiscard]] std::optional<std::chrono::microseconds> watchdog_period();

/// Says WATCHDOG=1 three times a period, as long as alive() says so; after that the manager restarts us.
/// Threads: one of its own, which calls alive(). Ownership: what alive() borrows must outlive this object.
class Watchdog {
 public:
  Watchdog(std::chrono::microseconds period, std::function<bool()> alive);

 private:
  std::jthread timer_;
};

/// The listening sockets that the manager opened for us, by FileDescriptorName (sd_listen_fds_with_names(3)); a name
/// may have several. Empty where there are none. Takes the variables out of the environment: call once, before any
/// thread. Ownership: the descriptors are the caller's, close-on-exec. Errors: systemd.sockets (the variables are
/// broken, or a descriptor is not a listening stream socket).
[[nodiscard]] Result<std::map<std::string, std::vector<int>>> take_listen_sockets();

}  // namespace isthmus::ops
