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
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace isthmus::test {

/// An HTTP/1.1 server on loopback that does what it is asked and spoils its Nth reply: the sender cannot know what
/// became of its request. One request a connection, a thread each; every wait ends with the server.
class FaultyServer {
 public:
  enum class Spoil {
    reset,   ///< the connection breaks after the request
    hang,    ///< no reply until the client gives up
    cut,     ///< half of the reply, then the end
    noise,   ///< bytes that are no HTTP
    no_json  ///< a whole 200 with a page for people
  };
  /// What is done, and the JSON that is answered. Any thread, one at a time.
  using Answer =
      std::function<std::string(const std::string& method, const std::string& target, const std::string& body)>;

  explicit FaultyServer(Answer answer)
      : answer_(std::move(answer)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
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
  ~FaultyServer() {
    stop_ = true;
    thread_.join();
    connections_.clear();
    ::close(fd_);
  }
  FaultyServer(const FaultyServer&) = delete;
  FaultyServer& operator=(const FaultyServer&) = delete;

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  /// Before the first request: which reply, from 1, is spoiled, and how.
  void spoil(int nth, Spoil how) {
    nth_ = nth;
    how_ = how;
  }
  [[nodiscard]] bool met() const { return replies_ >= nth_; }

 private:
  void run() {
    while (!stop_) {
      pollfd ready{fd_, POLLIN, 0};
      if (::poll(&ready, 1, 20) <= 0) continue;
      const int connection = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (connection >= 0) connections_.emplace_back([this, connection] { serve(connection); });
    }
  }

  void serve(int fd) {
    std::string in;
    std::size_t head = std::string::npos, length = 0;
    while (head == std::string::npos || in.size() < head + 4 + length) {
      if (!more(fd, in)) return (void)::close(fd);
      head = in.find("\r\n\r\n");
      const std::size_t at = in.find("Content-Length: ");
      if (at < head) std::from_chars(in.data() + at + 16, in.data() + in.size(), length);
    }
    const std::size_t space = in.find(' ');
    std::string answer;
    int number = 0;
    {
      const std::lock_guard lock(mutex_);
      answer =
          answer_(in.substr(0, space), in.substr(space + 1, in.find(' ', space + 1) - space - 1), in.substr(head + 4));
      number = ++replies_;
    }
    reply(fd, in, answer, number == nth_ ? &how_ : nullptr);
    ::close(fd);
  }

  void reply(int fd, std::string& in, const std::string& json, const Spoil* how) {
    const auto send = [&](std::string_view bytes) { (void)::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL); };
    const auto whole = [&](const std::string& body) {
      return "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" +
             body;
    };
    if (how == nullptr) return send(whole(json));
    switch (*how) {
      case Spoil::reset: {
        const linger now{1, 0};
        (void)::setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
        return;
      }
      case Spoil::hang:
        while (more(fd, in)) {
        }
        return;
      case Spoil::cut: {
        const std::string all = whole(json);
        return send(std::string_view(all).substr(0, all.size() - json.size() / 2 - 1));
      }
      case Spoil::noise:
        return send("\x16\x03\x01 nobody speaks like this\r\n\r\n");
      case Spoil::no_json:
        return send(whole("<!doctype html><title>Welcome</title>"));
    }
  }

  /// Reads what comes; false when the other side or the server ends.
  bool more(int fd, std::string& in) const {
    pollfd ready{fd, POLLIN, 0};
    while (!stop_ && ::poll(&ready, 1, 20) == 0) {
    }
    std::array<char, 4096> buffer{};
    const ssize_t n = stop_ ? 0 : ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n <= 0) return false;
    in.append(buffer.data(), static_cast<std::size_t>(n));
    return true;
  }

  Answer answer_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<bool> stop_{false};
  std::mutex mutex_;
  std::atomic<int> replies_{0};
  int nth_ = 0;
  Spoil how_ = Spoil::reset;
  std::vector<std::jthread> connections_;
  std::jthread thread_;
};

inline constexpr std::array kSpoils{FaultyServer::Spoil::reset, FaultyServer::Spoil::hang, FaultyServer::Spoil::cut,
                                    FaultyServer::Spoil::noise, FaultyServer::Spoil::no_json};

}  // namespace isthmus::test
