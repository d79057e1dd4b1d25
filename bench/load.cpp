#include "load.h"

#include <sys/epoll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <deque>

#include "base/check.h"
#include "sockets.h"
#include "usage.h"

namespace isthmus::bench {
namespace {

float ms(std::int64_t ns) { return static_cast<float>(ns) / 1e6F; }

/// One run of the open loop.
class Loop {
 public:
  Loop(const LoadOptions& options, const Webhooks& webhooks)
      : webhooks_(webhooks),
        gap_ns_(options.requests_per_second > 0 ? 1e9 / options.requests_per_second : 0),
        poller_(open_poller()),
        lines_(static_cast<std::size_t>(options.connections)) {
    for (std::size_t i = 0; i < lines_.size(); ++i) {
      lines_[i].socket = connect_to(options.port);
      watch(poller_, lines_[i].socket, i);
      free_.push_back(i);
    }
  }
  ~Loop() {
    for (const Line& line : lines_) close(line.socket);
    close(poller_.timer);
    close(poller_.epoll);
  }

  LoadReport run() {
    const double cpu = cpu_seconds_of_thread();
    start_ns_ = now_ns();
    while (answered_ < webhooks_.size()) {
      send_what_is_due();
      if (next_ < webhooks_.size() && !free_.empty()) set_timer(poller_, intended(next_));
      wait();
    }
    report_.seconds = static_cast<double>(now_ns() - start_ns_) * 1e-9;
    report_.cpu_seconds = cpu_seconds_of_thread() - cpu;
    return std::move(report_);
  }

 private:
  struct Line {
    int socket = -1;
    Messages messages;
    std::int64_t intended_ns = 0;
    std::int64_t free_since_ns = 0;
  };

  [[nodiscard]] std::int64_t intended(std::size_t n) const {
    return start_ns_ + static_cast<std::int64_t>(gap_ns_ * static_cast<double>(n));
  }

  void send_what_is_due() {
    while (next_ < webhooks_.size() && !free_.empty()) {
      const std::int64_t now = now_ns();
      const std::int64_t due = intended(next_);
      if (due > now) return;
      Line& line = lines_[free_.front()];
      free_.pop_front();
      if (gap_ns_ > 0) report_.stalls_ms.push_back(ms(now - std::max(due, line.free_since_ns)));
      line.intended_ns = due;
      request_.clear();
      webhooks_.write(next_++, request_);
      if (!write_all(line.socket, request_)) give_up();
    }
  }

  void wait() {
    std::array<epoll_event, 64> events{};
    const int count = epoll_wait(poller_.epoll, events.data(), static_cast<int>(events.size()), 60'000);
    if (count == 0) give_up();
    for (int i = 0; i < count; ++i) {
      const std::uint64_t number = events.at(static_cast<std::size_t>(i)).data.u64;
      if (number == kTimer) {
        std::uint64_t fired = 0;
        if (read(poller_.timer, &fired, sizeof fired) < 0) continue;
      } else {
        take_answer(number);
      }
    }
  }

  void take_answer(std::size_t number) {
    Line& line = lines_[number];
    const bool open = line.messages.fill(line.socket);
    const std::string_view first = line.messages.next();
    if (!first.empty()) {
      const std::int64_t now = now_ns();
      ++report_.statuses[first.size() > 12 ? std::atoi(std::string(first.substr(9, 3)).c_str()) : 0];
      report_.latencies_ms.push_back(ms(now - line.intended_ns));
      line.free_since_ns = now;
      ++answered_;
      free_.push_back(number);
    }
    if (!open) give_up();
  }

  [[noreturn]] static void give_up() {
    std::fprintf(stderr, "the daemon ended a connection, or did not answer for a minute; see its log\n");
    std::exit(1);
  }

  const Webhooks& webhooks_;
  double gap_ns_;
  Poller poller_;
  std::vector<Line> lines_;
  std::deque<std::size_t> free_;
  std::string request_;
  std::size_t next_ = 0;
  std::size_t answered_ = 0;
  std::int64_t start_ns_ = 0;
  LoadReport report_;
};

}  // namespace

LoadReport run_load(const LoadOptions& options, const Webhooks& webhooks) { return Loop(options, webhooks).run(); }

double percentile(std::vector<float> values, double part) {
  if (values.empty()) return 0;
  const auto at = static_cast<std::size_t>(part * static_cast<double>(values.size() - 1));
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(at), values.end());
  return static_cast<double>(values[at]);
}

}  // namespace isthmus::bench
