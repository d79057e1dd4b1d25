// The quarantine: calls from outside that stand beside the log, read again or dropped by an administrator.
#include <condition_variable>
#include <mutex>

#include "journal/calls.h"
#include "journal/lanes.h"
#include "publishing/parked_desk.h"
#include "store/repeat.h"

namespace isthmus::publishing {
namespace {

using journal::ParkedState;

constexpr std::chrono::milliseconds kLook{50};
constexpr int kLooksMax = 100;

}  // namespace

Result<journal::CallPlace> ParkedDesk::change_call(const Uuid& call, ParkedState to, const std::string& what) {
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  auto lane = tx->exec("SELECT lane FROM parked WHERE command = $1 AND stage = 1", {call});
  if (!lane) return fail(std::move(lane).error());
  if (lane->empty())
    return fail("quarantine.unknown", "no call that stands aside has this id", "isthmus quarantine list");
  if (auto still = journal::keep_still(*tx, static_cast<int>(lane->number(0, 0))); !still)
    return fail(std::move(still).error());
  auto place = journal::change_call(*tx, call, to);
  if (!place) return fail(std::move(place).error());
  if (!*place) {
    return fail("quarantine.state", to == ParkedState::dead ? "it was dropped already"
                                                            : "it waits to be read already: its connection is "
                                                              "suspended, or another read is under way");
  }
  if (auto done = record(*tx, (*place)->lane, {act("quarantine." + what, call, (*place)->connection, "done")}); !done)
    return fail(std::move(done).error());
  if (auto done = tx->commit(); !done) return fail(std::move(done).error());
  return std::move(**place);
}

Result<ParkedDesk::Reread> ParkedDesk::retry_call(const Uuid& call) {
  if (auto warm = warm_keys(); !warm) return fail(std::move(warm).error());
  auto place = store::repeat_conflicts([&] { return change_call(call, ParkedState::scheduled, "retry"); });
  if (!place) return fail(std::move(place).error());
  // The lane's owner reads it, this node or another: what comes of it is seen in the table.
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (int looks = 0; looks < kLooksMax; ++looks) {
    never.wait_for(lock, kLook);
    auto db = parts_.pool.take();
    if (!db) return fail(std::move(db).error());
    auto now = journal::find_call(**db, call);
    if (!now) return fail(std::move(now).error());
    if (!*now) return Reread::routed;
    if ((*now)->state == ParkedState::quarantined_call) {
      return fail("quarantine.again", "it still cannot be read: " + (*now)->reason,
                  "mend the adapter or what the reason names, and retry it; or drop it");
    }
  }
  return Reread::waits;
}

Result<void> ParkedDesk::drop_call(const Uuid& call) {
  if (auto warm = warm_keys(); !warm) return warm;
  auto place = store::repeat_conflicts([&] { return change_call(call, ParkedState::dead, "drop"); });
  if (!place) return fail(std::move(place).error());
  return {};
}

}  // namespace isthmus::publishing
