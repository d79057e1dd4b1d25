#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace isthmus::http::detail {

/// A raw client for tests of a server: sends what no library would, in the pieces it wants. Every wait ends at a
/// deadline.
class TestSocket {
 public:
  static constexpr std::chrono::seconds kWait{20};

  explicit TestSocket(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
  explicit TestSocket(const std::string& path) : fd_(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    std::memcpy(to.sun_path, path.data(), path.size());
    connected_ = ::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0;
  }
  TestSocket(TestSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_), in_(std::move(other.in_)) {}
  TestSocket& operator=(TestSocket&&) = delete;
  TestSocket(const TestSocket&) = delete;
  TestSocket& operator=(const TestSocket&) = delete;
  ~TestSocket() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] bool connected() const { return connected_; }
  void finish_sending() const { ::shutdown(fd_, SHUT_WR); }

  /// Bytes that went out; fewer than given when the other side closed.
  std::size_t send(std::string_view bytes) const {
    std::size_t sent = 0;
    while (sent < bytes.size()) {
      pollfd ready{fd_, POLLOUT, 0};
      if (::poll(&ready, 1, static_cast<int>(std::chrono::milliseconds(kWait).count())) <= 0) break;
      const ssize_t n = ::send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno == EAGAIN) continue;
      if (n <= 0) break;
      sent += static_cast<std::size_t>(n);
    }
    return sent;
  }

  struct Reply {
    int status = 0;  // 0: none came
    std::string head;
    std::string body;
  };
  enum class Body { by_length, none };

  /// The next reply, by its Content-Length (none for replies to HEAD and for 1xx).
  Reply receive(Body kind = Body::by_length) {
    Reply reply;
    const auto deadline = std::chrono::steady_clock::now() + kWait;
    while (in_.find("\r\n\r\n") == std::string::npos) {
      if (!more(deadline)) return reply;
    }
    const std::size_t end = in_.find("\r\n\r\n") + 4;
    reply.head = in_.substr(0, end);
    in_.erase(0, end);
    std::from_chars(reply.head.data() + 9, reply.head.data() + 12, reply.status);
    const std::size_t length_at = reply.head.find("Content-Length: ");
    if (kind == Body::none || length_at == std::string::npos) return reply;
    std::size_t length = 0;
    std::from_chars(reply.head.data() + length_at + 16, reply.head.data() + reply.head.size(), length);
    while (in_.size() < length) {
      if (!more(deadline)) return {};
    }
    reply.body = in_.substr(0, length);
    in_.erase(0, length);
    return reply;
  }

  /// True when the other side closes before the deadline, without sending anything more.
  bool closes() {
    const auto deadline = std::chrono::steady_clock::now() + kWait;
    while (in_.empty()) {
      if (!more(deadline)) return ended_;
    }
    return false;
  }

 private:
  bool more(std::chrono::steady_clock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd ready{fd_, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return false;
    std::array<char, 16384> buffer{};
    const ssize_t n = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (n <= 0) {
      ended_ = true;
      return false;
    }
    in_.append(buffer.data(), static_cast<std::size_t>(n));
    return true;
  }

  int fd_;
  bool connected_ = false;
  bool ended_ = false;
  std::string in_;
};

}  // namespace isthmus::http::detail
