#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <charconv>
#include <functional>
#include <string>
#include <string_view>
#include <thread>

namespace isthmus::http::detail {

/// A server for tests of a client that misbehaves as told: accepts on loopback, one connection after the other, and
/// gives each to the script.
class TestPeer {
 public:
  /// One accepted connection, as a script sees it. Every wait ends at a deadline, or when the peer goes.
  class Connection {
   public:
    Connection(int fd, const std::atomic<bool>& stop) : fd_(fd), stop_(stop) {}
    /// The next whole request, by its Content-Length; empty when the client closed.
    std::string request() {
      while (true) {
        const std::size_t end = in_.find("\r\n\r\n");
        if (end != std::string::npos) {
          std::size_t length = 0;
          const std::size_t at = in_.find("Content-Length: ");
          if (at < end) std::from_chars(in_.data() + at + 16, in_.data() + end, length);
          if (in_.size() >= end + 4 + length) {
            std::string out = in_.substr(0, end + 4 + length);
            in_.erase(0, out.size());
            return out;
          }
        }
        if (!more()) return {};
      }
    }
    void send(std::string_view bytes) const { (void)!::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL); }
    /// Says nothing until the client or the test ends.
    void hang() {
      while (more()) {
      }
    }

   private:
    bool more() {
      pollfd ready{fd_, POLLIN, 0};
      while (!stop_ && ::poll(&ready, 1, 20) == 0) {
      }
      std::array<char, 4096> buffer{};
      const ssize_t n = stop_ ? 0 : ::recv(fd_, buffer.data(), buffer.size(), 0);
      if (n <= 0) return false;
      in_.append(buffer.data(), static_cast<std::size_t>(n));
      return true;
    }
    int fd_;
    const std::atomic<bool>& stop_;
    std::string in_;
  };
  /// @param number of the connection, from 0. The connection closes when the script returns.
  using Script = std::function<void(Connection&, int number)>;

  explicit TestPeer(Script script) : script_(std::move(script)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t length = sizeof(at);
    (void)::bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof(at));
    (void)::listen(fd_, 64);
    (void)::getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &length);
    port_ = ntohs(at.sin_port);
    thread_ = std::jthread([this] { run(); });
  }
  ~TestPeer() {
    stop_ = true;
    thread_.join();
    ::close(fd_);
  }
  TestPeer(const TestPeer&) = delete;
  TestPeer& operator=(const TestPeer&) = delete;

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void run() {
    pollfd ready{fd_, POLLIN, 0};
    while (!stop_) {
      if (::poll(&ready, 1, 20) <= 0) continue;
      const int fd = ::accept(fd_, nullptr, nullptr);
      if (fd < 0) continue;
      Connection connection(fd, stop_);
      script_(connection, connections_++);
      ::close(fd);
    }
  }

  const Script script_;
  const int fd_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

}  // namespace isthmus::http::detail
