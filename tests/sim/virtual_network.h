#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "host/runner.h"

namespace isthmus::sim {

/// What a command did to the other side.
struct Effect {
  std::string command;
  std::string body;
};

/// The other side of every connection, on a clock that does not run by itself: it refuses, loses, throttles and delays
/// as its randomness says. What a crashed node had sent still arrives; its replies reach nobody.
///
/// Threads: one. Ownership: borrows clock and randomness.
class VirtualNetwork {
 public:
  using Trace = std::function<void(const std::string& what)>;

  VirtualNetwork(const Clock& clock, Random& random) : clock_(clock), random_(random) {}
  void trace(Trace trace) { trace_ = std::move(trace); }

  /// Runs tasks for one life of a node: what it sent before it died stays sent.
  class Port final : public host::Runner {
   public:
    explicit Port(VirtualNetwork& network) : network_(network) {}
    void run(host::TaskSpec spec, host::TaskHooks hooks, std::function<void(host::TaskEnd)> ended) override;

   private:
    VirtualNetwork& network_;
    std::shared_ptr<int> life_ = std::make_shared<int>(0);
  };

  /// From now on every request is taken and answered: the end of a run.
  void calm() { calm_ = true; }
  /// Lets everything happen that is due.
  void run_due();
  /// When the next thing happens; no earlier than now.
  [[nodiscard]] std::optional<Instant> next() const;
  [[nodiscard]] const std::vector<Effect>& effects() const { return effects_; }
  /// How often a command took effect.
  [[nodiscard]] int taken(const std::string& command) const;

 private:
  struct Task {
    host::TaskSpec spec;
    std::function<void(host::TaskEnd)> ended;
    const adapter::Adapter* adapter = nullptr;
    Bytes state;
    host::TaskEnd end;
    std::weak_ptr<int> life;
  };
  enum class Fate { answered, throttled, unauthorised, broken, unreachable, never_arrives, reply_lost };

  void start(std::shared_ptr<Task> task);
  void step(const std::shared_ptr<Task>& task, const adapter::Input& input);
  void send(const std::shared_ptr<Task>& task, const adapter::HttpRequest& request);
  [[nodiscard]] Fate draw_fate();
  adapter::HttpReply take(const adapter::HttpRequest& request, Fate fate);
  void reply(const std::shared_ptr<Task>& task, Instant at, adapter::Input input);
  void at(Instant when, std::function<void()> what) { due_.emplace(when, std::move(what)); }
  [[nodiscard]] std::chrono::microseconds some_ms(std::uint64_t most);

  const Clock& clock_;
  Random& random_;
  Trace trace_ = [](const std::string&) {};
  bool calm_ = false;
  std::multimap<Instant, std::function<void()>> due_;
  std::vector<Effect> effects_;
  std::map<std::string, int> taken_;
};

}  // namespace isthmus::sim
