// What becomes of commands whose adapter, and not the network, is the trouble.
#include <gtest/gtest.h>

#include "delivery/dispatcher_fixture_test.h"

namespace isthmus::delivery {
namespace {

using std::chrono::seconds;
using test::FakeNetwork;

// A program that is away is its connection's trouble, whatever it is away for: no command pays for it.
TEST_F(Delivery, AConnectionWhoseAdapterProgramIsAwayWaitsInItsPlaceAndGoesOnWhenItIsBack) {
  FakeNetwork network;
  connect(network);
  company.adapter.fail_with("adapter.unavailable");
  order("post", "a", "first");
  order("post", "b", "second");
  start();
  ASSERT_TRUE(soon([&] { return company.count("attempt WHERE verdict = 3") >= 1; })) << books();
  for (int i = 0; i < 20; ++i) company.clock.advance(seconds(10));
  ASSERT_TRUE(soon([&] { return company.count("attempt WHERE verdict = 3") >= 3; })) << books();
  EXPECT_EQ(company.count("parked"), 0) << "nothing of it failed for its own sake";
  EXPECT_EQ(company.books().in_flight, 2) << books();
  company.adapter.fail_with("");
  company.clock.advance(seconds(10));
  ASSERT_TRUE(delivered(2)) << books();
  EXPECT_EQ(network.sends(), 2);
}

// "A call over 5 s, or two crashes on one task, quarantines the task, not the lane."
TEST_F(Delivery, ACommandThatItsAdapterCannotWorkIsADeadLetterAndItsConnectionFlows) {
  for (const char* code : {"adapter.slow", "adapter.fault"}) {
    test::SmallCompany fresh;
    FakeNetwork network;
    const std::int64_t id = fresh.add_connection("target", 5, network.url());
    fresh.refresh();
    fresh.adapter.fail_with(code);
    const auto* there = fresh.directory.current()->snapshot->connection(id);
    fresh.order(*there, "post", "a", "\"bad\"");
    Node one(fresh);
    one.patience = seconds(1);
    ASSERT_TRUE(soon([&] {
      fresh.clock.advance(seconds(10));
      return fresh.books().dead == 1;
    })) << code
        << fresh.books().to_json();
    EXPECT_EQ(fresh.count("attempt"), std::string_view(code) == "adapter.slow" ? 2 : 4)
        << "an intent and an end for each try: silence is not tried again, a crash is, once";
    fresh.adapter.fail_with("");
    fresh.order(*there, "post", "b", "\"good\"");
    one.dispatcher.wake(5);
    ASSERT_TRUE(soon([&] { return fresh.books().delivered == 1; })) << code << fresh.books().to_json();
    EXPECT_EQ(network.effects(), quoted({"good"}));
  }
}

}  // namespace
}  // namespace isthmus::delivery
