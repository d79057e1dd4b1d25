#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <vector>

namespace isthmus {

enum class Push { taken, full, closed };

/// A queue with an upper bound. A full queue is an answer, never a drop. Thread safe.
template <class T>
class BoundedQueue {
 public:
  explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {}

  [[nodiscard]] Push push(T item) {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return Push::closed;
      if (items_.size() >= capacity_) return Push::full;
      items_.push_back(std::move(item));
    }
    ready_.notify_one();
    return Push::taken;
  }

  /// Waits until something is there, the queue is closed and empty, or the deadline has passed (both: nothing).
  [[nodiscard]] std::optional<T> pop(std::chrono::milliseconds wait_max) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, wait_max, [this] { return closed_ || !items_.empty(); });
    if (items_.empty()) return std::nullopt;
    T item = std::move(items_.front());
    items_.pop_front();
    return item;
  }

  /// Waits like pop(), then takes what is queued, at most items_max.
  [[nodiscard]] std::vector<T> pop_all(std::size_t items_max, std::chrono::milliseconds wait_max) {
    std::unique_lock lock(mutex_);
    ready_.wait_for(lock, wait_max, [this] { return closed_ || !items_.empty(); });
    std::vector<T> batch;
    while (!items_.empty() && batch.size() < items_max) {
      batch.push_back(std::move(items_.front()));
      items_.pop_front();
    }
    return batch;
  }

  void close() {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    ready_.notify_all();
  }

  [[nodiscard]] bool closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  [[nodiscard]] std::size_t depth() const {
    const std::lock_guard lock(mutex_);
    return items_.size();
  }
  [[nodiscard]] std::size_t capacity() const { return capacity_; }

 private:
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<T> items_;
  const std::size_t capacity_;
  bool closed_ = false;
};

}  // namespace isthmus
