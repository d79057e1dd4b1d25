#include "lane_keeper.h"
#include "events/events.h"

#include <condition_variable>
#include <mutex>

namespace isthmus {

LaneKeeper::LaneKeeper(store::Pool& pool, std::string node, const Clock& clock, Log& log)
    : pool_(pool), node_(std::move(node)), clock_(clock), log_(log) {
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

LaneKeeper::~LaneKeeper() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
}

std::int64_t LaneKeeper::epoch(int lane) const {
  if (clock_.since_boot().count() >= until_us_.load()) return 0;
  return epochs_[static_cast<std::size_t>(lane)].load();
}

int LaneKeeper::owned() const {
  int count = 0;
  for (const auto& epoch : epochs_) count += epoch.load() != 0 ? 1 : 0;
  return count;
}

std::vector<journal::Fence> LaneKeeper::fences() const {
  std::vector<journal::Fence> out;
  for (int lane = 0; lane <= journal::kLanes; ++lane) {
    if (const std::int64_t epoch = epochs_[static_cast<std::size_t>(lane)].load(); epoch != 0)
      out.push_back({lane, epoch});
  }
  return out;
}

void LaneKeeper::set(const std::vector<journal::Fence>& owned, std::chrono::microseconds asked_at) {
  std::array<std::int64_t, journal::kLanes + 1> now{};
  for (const journal::Fence& fence : owned) now[static_cast<std::size_t>(fence.lane)] = fence.epoch;
  for (std::size_t lane = 0; lane < now.size(); ++lane) {
    const std::int64_t before = epochs_[lane].exchange(now[lane]);
    if (before != 0 && now[lane] == 0) events::lane_lost(log_, {.lane = lane, .epoch = before});
  }
  until_us_ = (asked_at + std::chrono::microseconds(kLease - kMargin)).count();
}

Result<void> LaneKeeper::take() {
  const auto asked_at = clock_.since_boot();
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto taken = journal::take_lanes(**db, node_, kLease);
  if (!taken) return fail(std::move(taken).error());
  set(*taken, asked_at);
  return {};
}

Result<void> LaneKeeper::renew() {
  const auto asked_at = clock_.since_boot();
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto ours = journal::renew_lanes(**db, node_, fences(), kLease);
  if (!ours) return fail(std::move(ours).error());
  // Lanes of a node that went away; those that are ours keep their epoch.
  auto rows = (*db)->exec(
      "UPDATE lane SET owner = $1, epoch = epoch + 1, leased_until = now() + $2 * interval '1 second' WHERE lane IN "
      "(SELECT lane FROM lane WHERE owner IS NULL OR leased_until < now() ORDER BY lane FOR UPDATE SKIP LOCKED) "
      "RETURNING lane, epoch",
      {node_, static_cast<std::int64_t>(kLease.count())});
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i) ours->push_back({static_cast<int>(rows->number(i, 0)), rows->number(i, 1)});
  set(*ours, asked_at);
  return {};
}

void LaneKeeper::give_back() {
  thread_.request_stop();
  if (thread_.joinable()) thread_.join();
  until_us_ = 0;
  if (auto db = pool_.take()) {
    if (auto done = journal::give_lanes(**db, node_, fences()); !done) {
      events::store_unavailable(log_, {.stage = "lanes", .reason = done.error().what});
    }
  }
}

void LaneKeeper::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    never.wait_for(lock, stop, std::chrono::seconds(5), [] { return false; });
    if (stop.stop_requested() || until_us_ == 0) continue;
    // A failed renewal is tried again; when the lease has run out, epoch() says so by itself.
    if (auto done = renew(); !done) {
      events::store_unavailable(log_, {.stage = "lanes", .reason = done.error().what});
    }
  }
}

}  // namespace isthmus
