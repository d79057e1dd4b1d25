#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "base/heartbeat.h"

namespace isthmus::ops {

/// Whether the daemon may take work (readiness) and whether it is worth keeping (liveness).
///
/// Readiness: named conditions, all of which must be good; each starts bad with the reason "starting". A dead database
/// is readiness. Liveness: each watched thread must have beaten its heart within its bound; the watchdog asks only
/// this, so an outage outside never makes systemd restart us. Threads: any. Ownership: borrows the clock and the
/// watched heartbeats.
class Health {
 public:
  struct Condition {
    std::string name;
    bool good = false;
    std::string reason;  ///< of a bad one; no secrets
    Instant since;       ///< when it last turned good or bad
  };

  /// @param conditions the names that must all become good before the daemon is ready.
  Health(const Clock& clock, std::vector<std::string> conditions);

  /// A name that was not declared is a bug (ISTHMUS_CHECK).
  void good(std::string_view condition);
  void bad(std::string_view condition, std::string_view reason);

  /// Watches a loop from now on; it is late when it has not beaten for age_max.
  void watch(std::string name, const Heartbeat& heartbeat, std::chrono::milliseconds age_max);

  /// The one number to watch: when the oldest undelivered item was accepted, or nothing when all is delivered.
  void set_oldest_undelivered(std::optional<Instant> accepted_at);
  [[nodiscard]] std::chrono::seconds oldest_undelivered_age() const;

  [[nodiscard]] bool ready() const;
  [[nodiscard]] std::vector<Condition> conditions() const;
  /// Names of the watched loops that are late; empty: alive.
  [[nodiscard]] std::vector<std::string> late() const;

  /// The body of /readyz (200 when ready(), else 503):
  /// {"ready":false,"oldest_undelivered_seconds":0,"conditions":[{"name","good","reason"?,"since"}]}.
  [[nodiscard]] std::string readiness_json() const;
  /// The body of /healthz (200 when late() is empty, else 503): {"alive":true,"late":[]}.
  [[nodiscard]] std::string liveness_json() const;

 private:
  struct Watched {
    std::string name;
    const Heartbeat* heartbeat;
    std::chrono::milliseconds age_max;
  };
  struct State {
    std::vector<Condition> conditions;
    std::vector<Watched> watched;
    std::optional<Instant> oldest;
  };
  void turn(std::string_view condition, bool good, std::string_view reason);

  const Clock& clock_;
  Guarded<State> state_;
};

}  // namespace isthmus::ops
