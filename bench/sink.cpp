#include "sink.h"

#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <deque>
#include <map>

#include "sockets.h"
#include "usage.h"

namespace isthmus::bench {
namespace {

constexpr std::int64_t kDelayNs = 5'000'000;
constexpr std::string_view kAnswer = "HTTP/1.1 204 No Content\r\n\r\n";
constexpr std::uint64_t kListener = kTimer - 1;

}  // namespace

Sink::Sink() : listener_(listen_on_any(port_)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

Sink::~Sink() {
  thread_.request_stop();
  thread_.join();
  close(listener_);
}

void Sink::run(const std::stop_token& stop) {
  const Poller poller = open_poller();
  watch(poller, listener_, kListener);
  std::map<int, Messages> open;
  std::deque<std::pair<std::int64_t, int>> owed;  // when, to whom: the delay is the same for all, so in order
  while (!stop.stop_requested()) {
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(poller.epoll, events.data(), static_cast<int>(events.size()), 200);
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = events.at(static_cast<std::size_t>(i)).data.u64;
      if (number == kTimer) {
        std::uint64_t fired = 0;
        if (read(poller.timer, &fired, sizeof fired) < 0) continue;
      } else if (number == kListener) {
        const int fd = accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) watch(poller, fd, static_cast<std::uint64_t>(fd)), open[fd];
      } else {
        const int fd = static_cast<int>(number);
        const bool alive = open[fd].fill(fd);
        while (!open[fd].next().empty()) owed.emplace_back(now_ns() + kDelayNs, fd);
        if (!alive) close(fd), open.erase(fd);
      }
    }
    while (!owed.empty() && owed.front().first <= now_ns()) {
      if (open.contains(owed.front().second)) (void)write_all(owed.front().second, kAnswer);
      owed.pop_front();
      ++requests_;
    }
    if (!owed.empty()) set_timer(poller, owed.front().first);
    cpu_us_ = static_cast<std::int64_t>(cpu_seconds_of_thread() * 1e6);
  }
  for (const auto& entry : open) close(entry.first);
  close(poller.timer);
  close(poller.epoll);
}

}  // namespace isthmus::bench
