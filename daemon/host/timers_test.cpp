#include "host/timers.h"

#include <gtest/gtest.h>

#include <atomic>
#include <vector>

#include "support/eventually.h"

namespace isthmus::host {
namespace {

using namespace std::chrono_literals;

TEST(Timers, RunsCallbacksByTheirTimesNotByTheirOrder) {
  std::mutex mutex;
  std::vector<int> ran;
  Timers timers;
  const auto note = [&](int which) {
    return [&, which] {
      const std::lock_guard lock(mutex);
      ran.push_back(which);
    };
  };
  timers.after(60ms, note(3));
  timers.after(0ms, note(1));
  timers.after(30ms, note(2));
  ASSERT_TRUE(test::eventually(5s, [&] {
    const std::lock_guard lock(mutex);
    return ran.size() == 3;
  }));
  EXPECT_EQ(ran, (std::vector<int>{1, 2, 3}));
}

TEST(Timers, ACallbackMaySetAnother) {
  std::atomic<int> left = 100;
  Timers timers;
  std::function<void()> again = [&] {
    if (--left > 0) timers.after(0ms, again);
  };
  timers.after(0ms, again);
  EXPECT_TRUE(test::eventually(5s, [&] { return left == 0; }));
}

TEST(Timers, StoppingDropsWhatIsPendingAndWaitsForNothing) {
  std::atomic<bool> ran = false;
  Timers timers;
  timers.after(1h, [&] { ran = true; });
  timers.stop();
  EXPECT_FALSE(ran);
}

}  // namespace
}  // namespace isthmus::host
