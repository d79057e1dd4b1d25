#pragma once

#include <algorithm>
#include <chrono>

#include "base/clock.h"
#include "base/random.h"

namespace isthmus::delivery {

/// How fast one connection may be used: how many sends at once, and until when none at all. What the network asked for
/// is a floor that nothing lifts; what we wait of our own accord a person may cut short. Grows by one with each
/// success, falls to one when throttled (AT16: a drained backlog must not knock a recovering service over). A value of
/// its lane's thread.
class Pace {
 public:
  static constexpr int kAtOnceFirst = 8;
  static constexpr int kAtOnceMax = 64;
  static constexpr int kFailuresToOpen = 5;  ///< consecutive; then the breaker opens

  [[nodiscard]] bool may_start(Instant now, int in_flight) const {
    return now >= paused_until() && in_flight < (probing_ ? 1 : at_once_);
  }
  [[nodiscard]] Instant paused_until() const { return std::max(floor_, paused_until_); }

  void succeeded() {
    failures_ = 0;
    probing_ = false;
    at_once_ = std::min(at_once_ + 1, kAtOnceMax);
  }

  /// The network asked us to wait. Its time is a floor; what is added spreads over a fifth of the wait, so that nodes
  /// and connections throttled by one header do not all come back at once (AT15).
  void throttled(Instant now, Instant not_before, Random& random) {
    const Instant floor = std::max(not_before, now + std::chrono::seconds(1));
    const auto spread = std::max<std::int64_t>((floor - now).count() / 5, 1);
    // Others were in flight when the first was refused: the latest time counts, whatever the order of their replies.
    floor_ = std::max(floor_, floor + std::chrono::microseconds(random.below(static_cast<std::uint64_t>(spread))));
    at_once_ = 1;
    probing_ = true;
  }

  /// Counts a failure of the connection itself; when too many follow each other the breaker opens for 5 s, doubling up
  /// to 5 min, and then lets one send probe. Whether it opened now.
  bool failed(Instant now, Random& random) {
    if (++failures_ < kFailuresToOpen) return false;
    pause_for(now, std::chrono::seconds(std::min(300, 5 << std::min(failures_ - kFailuresToOpen, 6))), random);
    return true;
  }

  /// A person must act (consent, configuration): look again only now and then.
  void pause_for(Instant now, std::chrono::seconds wait, Random& random) {
    const auto us = std::chrono::microseconds(wait);
    paused_until_ = now + us + std::chrono::microseconds(random.below(static_cast<std::uint64_t>(us.count() / 5 + 1)));
    probing_ = true;
    at_once_ = 1;
  }

  /// What a person changed may have mended it; the network's floor stays.
  void resume() { paused_until_ = Instant(); }

 private:
  int at_once_ = kAtOnceFirst;
  int failures_ = 0;
  bool probing_ = false;
  Instant floor_;         // the network's
  Instant paused_until_;  // our own
};

/// When a command that failed for its own sake is tried again: 2 s, doubling up to 1 h, each with up to half of it
/// added; never before what the network asked for. tries counts from 1.
[[nodiscard]] inline Instant retry_at(Instant now, int tries, Instant not_before, Random& random) {
  const std::int64_t seconds = std::min<std::int64_t>(3600, std::int64_t{1} << std::min(tries, 12));
  const std::int64_t us = seconds * 1'000'000;
  return std::max(
      now + std::chrono::microseconds(us + static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(us / 2)))),
      not_before);
}

}  // namespace isthmus::delivery
