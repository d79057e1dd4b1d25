#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "store/connection.h"

namespace isthmus::store {

/// A bounded set of connections, opened when first needed and replaced when lost. Thread safe; must outlive its leases.
class Pool {
 public:
  Pool(Options options, std::size_t size_max) : options_(std::move(options)), size_max_(size_max) {}

  /// A connection on loan; goes back when the lease ends, or is dropped if it is no longer usable.
  class Lease {
   public:
    Lease(Pool& pool, std::unique_ptr<Connection> connection) : pool_(&pool), connection_(std::move(connection)) {}
    Lease(Lease&&) = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_) pool_->give_back(std::move(connection_));
    }
    Connection& operator*() const { return *connection_; }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  /// Error store.unavailable when the server does not answer, or when all connections stay on loan for wait_max.
  [[nodiscard]] Result<Lease> take(std::chrono::milliseconds wait_max = std::chrono::milliseconds(5000));
  [[nodiscard]] const Options& options() const { return options_; }

 private:
  void give_back(std::unique_ptr<Connection> connection);

  const Options options_;
  const std::size_t size_max_;
  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Connection>> idle_;
  std::size_t lent_ = 0;
};

}  // namespace isthmus::store
