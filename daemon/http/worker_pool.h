#pragma once

#include <functional>
#include <thread>
#include <vector>

#include "base/queue.h"
#include "http/server.h"

namespace isthmus::http {

/// A handler that may block, for a worker pool.
using BlockingHandler = std::function<Response(const Request&)>;

/// Threads that run blocking handlers, with an upper bound on what waits for them.
///
/// Threads:   `threads` of its own; all methods from any thread.
/// Ownership: a Handler made by blocking() borrows the pool: stop the servers that use it first.
class WorkerPool {
 public:
  WorkerPool(std::size_t threads, std::size_t waiting_max);
  ~WorkerPool();  ///< stop()
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// A handler for a server: runs on the pool; when waiting_max requests wait already, or after stop(), 503 with
  /// Retry-After.
  [[nodiscard]] Handler blocking(BlockingHandler handler);

  [[nodiscard]] std::size_t waiting() const { return queue_.depth(); }
  /// Runs what waits, then joins. Idempotent.
  void stop();

 private:
  void run();
  BoundedQueue<std::function<void()>> queue_;
  std::vector<std::jthread> threads_;
};

}  // namespace isthmus::http
