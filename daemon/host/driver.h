#pragma once

#include <functional>
#include <memory>

#include "adapter/auth.h"
#include "base/clock.h"
#include "base/guarded.h"
#include "base/log.h"
#include "host/program_threads.h"
#include "host/runner.h"
#include "host/timers.h"
#include "http/client.h"

namespace isthmus::host {

class Limits;

/// Runs adapters' moves: checks hosts, signs requests, keeps sessions and rate limits, sends, waits, and feeds replies
/// back.
///
/// Limits:    a request whose limit is used up is not sent. Before the first of a task, the task ends as THROTTLED with
///            the time (TaskEnd::held_back); in the middle it waits up to a minute, and then the adapter is told what
///            the network would have said: a 429 with Retry-After. A login counts against no limit.
///
/// Threads:   run() from any thread, and it does not block; callbacks on the HTTP client's, the timers' or a program's
///            thread: they must not block.
/// Ownership: borrows client, timers, programs, clock and log, which must outlive it.
class Driver final : public Runner {
 public:
  Driver(http::Client& client, Timers& timers, ProgramThreads& programs, const Clock& clock, Log& log);
  ~Driver() override;

  void run(TaskSpec spec, TaskHooks hooks, std::function<void(TaskEnd)> ended) override;
  [[nodiscard]] std::int64_t room(std::int64_t connection, const std::string& kind) const override;

 private:
  struct Running;
  struct Sessions;

  void step(const std::shared_ptr<Running>& task, adapter::Input input);
  void ask(const std::shared_ptr<Running>& task, const adapter::Input& input);
  void send(const std::shared_ptr<Running>& task, adapter::HttpRequest request);
  void send_signed(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request);
  /// Counts the request against its limit; false when it may not go now, and something else was done.
  bool may_go(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request);
  void replied(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request,
               const http::ClientResult& result);
  void with_session(const std::shared_ptr<Running>& task, std::function<void()> ready);
  void log_in(const std::shared_ptr<Running>& task, const adapter::Login& refused);
  void logged_in(const std::shared_ptr<Running>& task, const adapter::Login& login,
                 const std::shared_ptr<const identity::World>& made_from);
  void end_with(const std::shared_ptr<Running>& task, adapter::Verdict verdict, const std::string& reason,
                std::int64_t not_before_ms);
  Result<http::ClientRequest> to_http(const Running& task, const adapter::HttpRequest& request) const;
  void finish(const std::shared_ptr<Running>& task, Result<adapter::Done> done);

  http::Client& client_;
  Timers& timers_;
  ProgramThreads& programs_;
  const Clock& clock_;
  Log& log_;
  std::unique_ptr<Sessions> sessions_;
  std::unique_ptr<Limits> limits_;
};

}  // namespace isthmus::host
