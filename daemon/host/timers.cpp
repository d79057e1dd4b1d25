#include "host/timers.h"

namespace isthmus::host {

Timers::Timers() : thread_([this](const std::stop_token& stop) { run(stop); }) {}
Timers::~Timers() { stop(); }

void Timers::after(std::chrono::milliseconds delay, std::function<void()> callback) {
  {
    const std::lock_guard lock(mutex_);
    pending_.emplace(std::chrono::steady_clock::now() + delay, std::move(callback));
  }
  changed_.notify_one();
}

void Timers::stop() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

void Timers::run(const std::stop_token& stop) {
  std::unique_lock lock(mutex_);
  while (!stop.stop_requested()) {
    if (pending_.empty()) {
      changed_.wait(lock, stop, [this] { return !pending_.empty(); });
      continue;
    }
    const auto due = pending_.begin()->first;
    if (std::chrono::steady_clock::now() < due) {
      changed_.wait_until(lock, stop, due, [&] { return !pending_.empty() && pending_.begin()->first < due; });
      continue;
    }
    auto callback = std::move(pending_.begin()->second);
    pending_.erase(pending_.begin());
    lock.unlock();
    callback();
    lock.lock();
  }
}

}  // namespace isthmus::host
