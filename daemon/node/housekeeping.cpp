// What must happen often: the world is read again, and the node says that it lives.
#include "parts.h"

#include <condition_variable>
#include <mutex>

namespace isthmus::detail {
namespace {

constexpr std::chrono::milliseconds kRefreshEvery{500};

}  // namespace

void NodeParts::keep_house(const std::stop_token& stop) {
  Gauge& queue = metrics.gauge("isthmus_intake_queue_depth", "Verified calls that wait for a commit.", {});
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    housekeeping_beat->beat();
    auto refreshed = directory->refresh();
    if (refreshed) {
      health->good("store");
    } else {
      health->bad("store", refreshed.error().what);
    }
    queue.set(static_cast<double>(committer->depth()));
    never.wait_for(lock, stop, kRefreshEvery, [] { return false; });
  }
}

}  // namespace isthmus::detail
