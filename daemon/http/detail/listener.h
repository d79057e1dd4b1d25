#pragma once

#include <cstdint>
#include <string>

#include "base/result.h"
#include "http/server.h"

namespace isthmus::http::detail {

/// A socket that listens, non-blocking, closed by whoever takes the descriptor.
struct Listener {
  int descriptor = -1;
  std::uint16_t port = 0;  ///< 0 for a Unix socket
};

/// Errors: http.listen.
[[nodiscard]] Result<Listener> open_listener(const std::variant<TcpAddress, UnixAddress, InheritedSocket>& address);

/// The next connection: non-blocking, close-on-exec, without Nagle's delay.
struct Accepted {
  enum class Outcome { taken, none_waiting, no_descriptors, failed };
  Outcome outcome = Outcome::none_waiting;
  int descriptor = -1;
  std::string peer;
};
[[nodiscard]] Accepted accept_next(int listener);

}  // namespace isthmus::http::detail
