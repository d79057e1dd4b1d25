#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>

#include "base/guarded.h"
#include "host/bucket.h"

namespace isthmus::host {

/// The rate limits of all connections that this node works for. In memory only: after a restart the documented rates
/// hold until the first reply tells more. Thread safe.
class Limits {
 public:
  /// A request that counts against one limit of one connection.
  struct Slot {
    std::int64_t connection = 0;
    std::string bucket;  ///< "": the connection's only one
    std::int64_t cost = 1;
    Bucket::Use use = Bucket::Use::interactive;
  };
  static Slot slot_of(std::int64_t connection, const adapter::LimitSpec& limits, const adapter::HttpRequest& request,
                      Bucket::Use use);

  /// Counts it, and remembers that tasks of this kind need it; else when to ask again.
  [[nodiscard]] std::optional<Instant> take(const Slot& slot, const adapter::LimitSpec& limits, const std::string& kind,
                                            Instant now);
  void replied(const Slot& slot, const adapter::LimitReading& reading, Instant now);
  void lost(const Slot& slot, Instant now);
  void unsent(const Slot& slot);
  void block(const Slot& slot, Instant until);
  /// How many tasks of this kind may begin now, as far as is known: the least room of the limits that such tasks met.
  [[nodiscard]] std::int64_t room(std::int64_t connection, const std::string& kind, Instant now) const;

 private:
  struct State {
    std::map<std::pair<std::int64_t, std::string>, Bucket> buckets;
    /// (connection, kind) -> buckets and costs; kinds are few: operations and streams.
    std::map<std::pair<std::int64_t, std::string>, std::set<std::pair<std::string, std::int64_t>>> needed;
  };
  Guarded<State> state_;

  template <class Act>
  void with_bucket(const Slot& slot, Act&& act) {
    state_.with([&](State& state) {
      if (const auto found = state.buckets.find({slot.connection, slot.bucket}); found != state.buckets.end())
        act(found->second);
    });
  }
};

}  // namespace isthmus::host
