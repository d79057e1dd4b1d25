#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "adapter/contract.h"
#include "base/log.h"
#include "base/queue.h"
#include "journal/inbox.h"
#include "journal/keys.h"
#include "store/pool.h"

namespace isthmus::intake {

/// What became of a call that was handed to the committer.
enum class Accepted { stored, repeat, unavailable };

/// A verified call on its way into the inbox.
struct Submission {
  journal::Exchange exchange;  ///< without the sealed call
  adapter::Call call;
  std::function<void(Accepted)> done;  ///< called once, on the committer's thread: must not block
};

/// Commits verified calls in groups: what queued while the last commit ran, up to 500 and 16 MiB, goes into the next
/// one. Nothing lingers.
///
/// Threads:   one of its own; submit() from any.
/// Errors:    a full queue or a database that does not answer is `unavailable` (503 to the sender), never a false 2xx.
class Committer {
 public:
  static constexpr std::size_t kGroupMax = 500;
  static constexpr std::size_t kGroupBytesMax = 16U << 20U;  ///< of bodies; one larger body goes alone
  static constexpr std::size_t kQueueMax = 20'000;
  static constexpr std::size_t kQueueBytesMax = 256U << 20U;  ///< of bodies that wait or are being committed

  /// @param wake told, after each commit, which lanes have something new.
  Committer(store::Pool& pool, journal::Keys& keys, Log& log, std::function<void(int lane)> wake);
  ~Committer();  ///< stop()

  void submit(Submission submission);
  /// Commits what is queued, then joins.
  void stop();
  [[nodiscard]] std::size_t depth() const { return queue_.depth(); }

 private:
  void run();
  void commit(std::vector<Submission> group);
  Result<std::vector<bool>> write(std::vector<Submission>& group);

  store::Pool& pool_;
  journal::Keys& keys_;
  Log& log_;
  std::function<void(int)> wake_;
  BoundedQueue<Submission> queue_{kQueueMax};
  std::atomic<std::size_t> queued_bytes_{0};
  bool was_down_ = false;
  std::jthread thread_;
};

}  // namespace isthmus::intake
