#include "store/pool.h"

namespace isthmus::store {

Result<Pool::Lease> Pool::take(std::chrono::milliseconds wait_max) {
  std::unique_ptr<Connection> connection;
  {
    std::unique_lock lock(mutex_);
    if (!returned_.wait_for(lock, wait_max, [this] { return lent_ < size_max_; })) {
      return fail("store.unavailable", "all database connections stayed in use",
                  "raise database.pool_size or look for slow statements");
    }
    ++lent_;
    if (!idle_.empty()) {
      connection = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!connection) {
    auto opened = Connection::open(options_);
    if (!opened) {
      give_back(nullptr);
      return fail(std::move(opened).error());
    }
    connection = std::move(*opened);
  }
  return Lease(*this, std::move(connection));
}

void Pool::give_back(std::unique_ptr<Connection> connection) {
  {
    const std::lock_guard lock(mutex_);
    --lent_;
    if (connection && connection->usable()) {
      idle_.push_back(std::move(connection));
    } else if (connection) {
      idle_.clear();  // what took one connection away (a restart of the server) took the idle ones too
    }
  }
  returned_.notify_one();
}

}  // namespace isthmus::store
