#include "sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include "base/check.h"

namespace isthmus::bench {
namespace {

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

std::size_t content_length(std::string_view head) {
  constexpr std::string_view kName = "\r\ncontent-length:";
  const auto found = std::search(head.begin(), head.end(), kName.begin(), kName.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + 32) : a) == b;
  });
  if (found == head.end()) return 0;
  const char* at = &*found + kName.size();
  while (*at == ' ') ++at;
  std::size_t length = 0;
  std::from_chars(at, head.data() + head.size(), length);
  return length;
}

}  // namespace

bool Messages::fill(int descriptor) {
  if (begin_ == bytes_.size()) {
    bytes_.clear();
    begin_ = 0;
  }
  while (true) {
    const std::size_t had = bytes_.size();
    constexpr std::size_t kRead = 16 << 10;
    bytes_.resize(had + kRead);
    const ssize_t got = recv(descriptor, bytes_.data() + had, kRead, 0);
    bytes_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (static_cast<std::size_t>(got) < kRead) return true;
  }
}

std::string_view Messages::next() {
  const std::string_view rest = std::string_view(bytes_).substr(begin_);
  const auto head_end = rest.find("\r\n\r\n");
  if (head_end == std::string_view::npos) return {};
  const std::string_view head = rest.substr(0, head_end + 2);
  const std::size_t whole = head_end + 4 + content_length(head);
  if (rest.size() < whole) return {};
  begin_ += whole;
  return head.substr(0, head.find("\r\n"));
}

bool write_all(int descriptor, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      pollfd fd{descriptor, POLLOUT, 0};
      if (poll(&fd, 1, 10'000) <= 0) return false;
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

int connect_to(std::uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = loopback(port);
  ISTHMUS_CHECK(fd >= 0 && connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0,
                "the daemon's public door takes connections");
  const int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  fcntl(fd, F_SETFL, O_NONBLOCK);
  return fd;
}

int listen_on_any(std::uint16_t& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  sockaddr_in address = loopback(0);
  socklen_t size = sizeof address;
  ISTHMUS_CHECK(fd >= 0 && bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 && listen(fd, 1024) == 0 &&
                    getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0,
                "a port of 127.0.0.1 is free");
  port = ntohs(address.sin_port);
  return fd;
}

Poller open_poller() {
  Poller poller{epoll_create1(EPOLL_CLOEXEC), timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK)};
  ISTHMUS_CHECK(poller.epoll >= 0 && poller.timer >= 0, "epoll and a timer can be made");
  watch(poller, poller.timer, kTimer);
  return poller;
}

void watch(const Poller& poller, int descriptor, std::uint64_t number) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u64 = number;
  ISTHMUS_CHECK(epoll_ctl(poller.epoll, EPOLL_CTL_ADD, descriptor, &event) == 0, "a socket can be watched");
}

void set_timer(const Poller& poller, std::int64_t at_ns) {
  itimerspec when{};
  when.it_value.tv_sec = at_ns / 1'000'000'000;
  when.it_value.tv_nsec = std::max<std::int64_t>(at_ns % 1'000'000'000, 1);
  timerfd_settime(poller.timer, TFD_TIMER_ABSTIME, &when, nullptr);
}

std::int64_t now_ns() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000 + now.tv_nsec;
}

}  // namespace isthmus::bench
