#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace isthmus::bench {

/// Bytes of one connection that were not looked at yet, cut into HTTP messages with a Content-Length or without a body.
class Messages {
 public:
  /// Reads what is there. False when the other side ended the connection.
  bool fill(int descriptor);
  /// Takes the next whole message; its first line. Empty when there is none yet.
  [[nodiscard]] std::string_view next();

 private:
  std::string bytes_;
  std::size_t begin_ = 0;
};

/// Writes all of it to a socket that may be busy; the bytes of one request or answer always go at once but for a
/// moment. False when the other side ended the connection.
[[nodiscard]] bool write_all(int descriptor, std::string_view bytes);

/// A non-blocking connection to 127.0.0.1, without delay. Aborts when nobody listens.
[[nodiscard]] int connect_to(std::uint16_t port);
/// A listening socket on 127.0.0.1 and the port that the system chose.
[[nodiscard]] int listen_on_any(std::uint16_t& port);
/// An epoll instance with a timer in it; a timer's events carry this number.
inline constexpr std::uint64_t kTimer = ~std::uint64_t{0};
struct Poller {
  int epoll = -1;
  int timer = -1;
};
[[nodiscard]] Poller open_poller();
void watch(const Poller& poller, int descriptor, std::uint64_t number);
/// Nanoseconds of the steady clock at which the timer is to fire.
void set_timer(const Poller& poller, std::int64_t at_ns);
[[nodiscard]] std::int64_t now_ns();

}  // namespace isthmus::bench
