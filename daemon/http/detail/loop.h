#pragma once

#include <array>
#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "http/server.h"

namespace isthmus::http::detail {

/// What all connections of a server share. Only counters change after open().
struct Shared {
  Shared(ServerOptions given, const Clock& time, Handler to)
      : options(std::move(given)), clock(time), handler(std::move(to)) {}

  const ServerOptions options;
  const Clock& clock;
  const Handler handler;
  std::optional<boost::asio::ssl::context> tls;

  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> connections_refused{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> requests_refused{0};
  std::atomic<std::uint64_t> deadlines_missed{0};
  std::atomic<std::size_t> requests_cut_off{0};

  /// Counts a connection out; whoever waits for the last one is woken.
  void connection_closed() {
    if (connections_open.fetch_sub(1) != 1) return;
    const std::lock_guard lock(last_mutex);
    last_closed.notify_all();
  }
  std::mutex last_mutex;
  std::condition_variable last_closed;
};

/// A connection, as its loop sees it. On the loop's thread only.
class SessionFace {
 public:
  virtual ~SessionFace() = default;
  /// The deadline given to Loop::set_deadline has passed.
  virtual void expired() = 0;
  /// No further request; closes now unless one is being served.
  virtual void begin_stop() = 0;
  /// Closes, whatever goes on.
  virtual void cut_off() = 0;

 private:
  friend class Loop;
  std::size_t slot_ = 0;  // in its loop's list
};

/// One I/O thread's world: its connections never leave it, so nothing in them is locked.
/// Deadlines are looked at by one timer that walks over a dense list, which costs a request nothing but a time stamp; a
/// timer for each connection would be moved four times a request.
class Loop : public std::enable_shared_from_this<Loop> {
 public:
  static constexpr std::chrono::milliseconds kTick{100};

  explicit Loop(std::shared_ptr<Shared> all) : shared(std::move(all)), tick_(io) {}

  void add(std::shared_ptr<SessionFace> session);
  /// Of a session that was added, once.
  void remove(const SessionFace& session);
  void set_deadline(const SessionFace& session, std::chrono::steady_clock::time_point deadline) {
    slots_[session.slot_].deadline = deadline;
  }
  void begin_stop();
  void cut_off();
  /// The Date field, made once a second.
  const std::string& date();

  const std::shared_ptr<Shared> shared;
  boost::asio::io_context io{1};
  /// What arrives lands here first: a connection that waits holds no buffer.
  std::array<char, 64 << 10> scratch{};

 private:
  struct Slot {
    std::chrono::steady_clock::time_point deadline;
    std::shared_ptr<SessionFace> session;
  };

  void schedule_tick();
  void tick();
  [[nodiscard]] std::vector<std::shared_ptr<SessionFace>> sessions_until(
      std::chrono::steady_clock::time_point deadline) const;

  boost::asio::steady_timer tick_;
  bool ticking_ = false;
  std::int64_t date_second_ = -1;
  std::string date_;
  std::vector<Slot> slots_;
};

}  // namespace isthmus::http::detail
