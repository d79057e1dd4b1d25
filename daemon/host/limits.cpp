#include "host/limits.h"

#include <algorithm>

namespace isthmus::host {

Limits::Slot Limits::slot_of(std::int64_t connection, const adapter::LimitSpec& limits,
                             const adapter::HttpRequest& request, Bucket::Use use) {
  const adapter::BucketSpec* bucket = adapter::bucket_of(limits, request);
  Slot slot{connection, request.bucket, 1, use};
  if (bucket == nullptr) return slot;
  slot.bucket = bucket->name;
  slot.cost = bucket->cost;
  return slot;
}

std::optional<Instant> Limits::take(const Slot& slot, const adapter::LimitSpec& limits, const std::string& kind,
                                    Instant now) {
  return state_.with([&](State& state) -> std::optional<Instant> {
    auto found = state.buckets.find({slot.connection, slot.bucket});
    if (found == state.buckets.end()) {
      const auto spec = std::find_if(limits.buckets.begin(), limits.buckets.end(),
                                     [&](const adapter::BucketSpec& b) { return b.name == slot.bucket && b.rate > 0; });
      const Bucket fresh = spec == limits.buckets.end() ? Bucket() : Bucket(spec->rate, spec->window_ms);
      found = state.buckets.emplace(std::pair(slot.connection, slot.bucket), fresh).first;
    }
    state.needed[{slot.connection, kind}].emplace(slot.bucket, slot.cost);
    if (found->second.take(now, slot.use, slot.cost)) return std::nullopt;
    return found->second.free_at(now, slot.use, slot.cost);
  });
}

void Limits::replied(const Slot& slot, const adapter::LimitReading& reading, Instant now) {
  with_bucket(slot, [&](Bucket& bucket) { bucket.replied(now, reading, slot.cost); });
}

void Limits::lost(const Slot& slot, Instant now) {
  with_bucket(slot, [&](Bucket& bucket) { bucket.lost(now, slot.cost); });
}

void Limits::unsent(const Slot& slot) {
  with_bucket(slot, [&](Bucket& bucket) { bucket.unsent(slot.cost); });
}

void Limits::block(const Slot& slot, Instant until) {
  with_bucket(slot, [&](Bucket& bucket) { bucket.block(until); });
}

std::int64_t Limits::room(std::int64_t connection, const std::string& kind, Instant now) const {
  return state_.with([&](const State& state) {
    std::int64_t room = Bucket::kUnlimited;
    const auto needed = state.needed.find({connection, kind});
    if (needed == state.needed.end()) return room;
    for (const auto& [name, cost] : needed->second) {
      const auto bucket = state.buckets.find({connection, name});
      if (bucket != state.buckets.end())
        room = std::min(room, bucket->second.room(now, Bucket::Use::interactive, cost));
    }
    return room;
  });
}

}  // namespace isthmus::host
