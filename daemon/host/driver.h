#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "adapter/auth.h"
#include "adapter/contract.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/log.h"
#include "host/timers.h"
#include "http/client.h"
#include "identity/directory.h"

namespace isthmus::host {

/// One task of one connection, to be run to its end.
struct TaskSpec {
  std::shared_ptr<const identity::World> world;
  std::int64_t connection = 0;
  adapter::Task task;
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
  /// The adapter's word, or an Error: adapter.fault, adapter.poison, host.not-approved (a request to a host that nobody
  /// approved), host.suspended. After an Error nothing is known to have happened unless sent is true.
  Result<adapter::Done> done = adapter::Done();
  int last_status = 0;  ///< of the last reply; 0: none
  bool sent = false;    ///< at least one request of the task may have reached the network
  adapter::Attrs auth;  ///< Context::auth as the adapter saw it last: what parse() of the task's replies must see too
};

/// Runs adapters' moves: checks hosts, signs requests, keeps sessions, sends, waits, and feeds replies back.
///
/// Threads:   run() from any thread; callbacks on the HTTP client's or the timers' thread: they must not block.
/// Ownership: borrows client, timers, clock and log, which must outlive it. Each run() ends in exactly one callback.
class Driver {
 public:
  Driver(http::Client& client, Timers& timers, const Clock& clock, Log& log);
  ~Driver();

  void run(TaskSpec spec, TaskHooks hooks, std::function<void(TaskEnd)> ended);

 private:
  struct Running;
  struct Sessions;

  void step(const std::shared_ptr<Running>& task, const adapter::Input& input);
  void send(const std::shared_ptr<Running>& task, adapter::HttpRequest request);
  void send_signed(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request);
  void replied(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request,
               const http::ClientResult& result);
  void with_session(const std::shared_ptr<Running>& task, std::function<void()> ready);
  void log_in(const std::shared_ptr<Running>& task, const adapter::Login& refused);
  void logged_in(const std::shared_ptr<Running>& task, const adapter::Login& login);
  void end_with(const std::shared_ptr<Running>& task, adapter::Verdict verdict, const std::string& reason,
                std::int64_t not_before_ms);
  Result<http::ClientRequest> to_http(const Running& task, const adapter::HttpRequest& request) const;
  void finish(const std::shared_ptr<Running>& task, Result<adapter::Done> done);

  http::Client& client_;
  Timers& timers_;
  const Clock& clock_;
  Log& log_;
  std::unique_ptr<Sessions> sessions_;
};

}  // namespace isthmus::host
