#pragma once

#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <string>

#include "adapter/contract.h"
#include "identity/directory.h"

namespace isthmus::host {

/// One task of one connection, to be run to its end.
struct TaskSpec {
  std::shared_ptr<const identity::World> world;
  std::int64_t connection = 0;
  adapter::Task task;
  /// What the task is alike with: tasks of one kind of one connection meet the same rate limits (an operation, with or
  /// without media; a stream).
  std::string kind;
  adapter::Context context;            ///< without auth, which the driver fills
  std::map<std::string, Bytes> blobs;  ///< media of the commands, by hash
};

/// Told on the driver's threads while a task runs; may be empty.
struct TaskHooks {
  /// A reply that came to a request of the task (not of a login), before the adapter sees it.
  std::function<void(const adapter::HttpRequest&, const adapter::HttpReply&)> on_reply;
};

/// How a task ended.
struct TaskEnd {
  /// The adapter's word, or an Error: adapter.fault, adapter.poison, adapter.slow, adapter.unavailable,
  /// host.not-approved (a request to a host that nobody approved), host.suspended. After an Error nothing is known to
  /// have happened unless sent is true.
  Result<adapter::Done> done = adapter::Done();
  int last_status = 0;  ///< of the last reply; 0: none
  bool sent = false;    ///< at least one request of the task may have reached the network
  Instant over_by;      ///< when the last request is over at the latest: its sending and its timeout
  std::string bucket;   ///< the network's limit that the last request counted against; "": the connection's only one
  /// Nothing was sent, because a limit that the network told of is used up: the outcomes say until when.
  bool held_back = false;
  adapter::Attrs auth;  ///< Context::auth as the adapter saw it last: what parse() of the task's replies must see too
};

/// Runs tasks to their end: the driver over real connections, a simulation over a network of its own.
class Runner {
 public:
  virtual ~Runner() = default;
  /// Any thread. Ends in exactly one callback, on any thread, perhaps before it returns; the callback must not block.
  virtual void run(TaskSpec spec, TaskHooks hooks, std::function<void(TaskEnd)> ended) = 0;
  /// How many tasks of this kind the network's rate limits let begin now, as far as is known. Any thread.
  [[nodiscard]] virtual std::int64_t room(std::int64_t connection, const std::string& kind) const {
    (void)connection;
    (void)kind;
    return std::numeric_limits<std::int64_t>::max();
  }
};

}  // namespace isthmus::host
