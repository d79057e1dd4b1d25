// The dispatcher end to end: a real database, a real server on loopback that counts effects. What users can see is
// asserted: effects on the network, rows, books.
#include "delivery/dispatcher.h"

#include <gtest/gtest.h>

#include <future>

#include "delivery/dispatcher_fixture_test.h"

namespace isthmus::delivery {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeNetwork;

TEST_F(Delivery, ACommandIsDeliveredOnceAndItsEndIsRecorded) {
  FakeNetwork network;
  connect(network);
  const Uuid id = order("post", "k", "hello");
  start();
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.effects(), quoted({"hello"}));
  EXPECT_EQ(node->sink.count, 1);
  EXPECT_EQ(company.text("SELECT remote_id FROM attempt WHERE closing"), "remote-" + id.to_string());
  EXPECT_EQ(company.count("record"), 1);
  EXPECT_EQ(company.count("parked"), 0);
}

TEST_F(Delivery, CommandsOfOneKeyLeaveInTheirOrder) {
  FakeNetwork network;
  connect(network);
  std::vector<std::string> expected;
  for (int i = 0; i < 40; ++i) {
    expected.push_back("n" + std::to_string(i));
    order("post", "one key", expected.back());
  }
  start();
  ASSERT_TRUE(delivered(40)) << books();
  EXPECT_EQ(network.effects(), quoted(expected));
}

TEST_F(Delivery, ARestartSendsNothingAgain) {
  FakeNetwork network;
  connect(network);
  for (int i = 0; i < 5; ++i) order("post", std::to_string(i), "n");
  start();
  ASSERT_TRUE(delivered(5)) << books();
  node.reset();
  company.take_lanes();
  company.clock.advance(hours(1));
  start();
  order("post", "k", "later");
  ASSERT_TRUE(delivered(6)) << books();
  EXPECT_EQ(network.sends(), 6);
}

// SM11: what fails for one key is not the others' matter.
TEST_F(Delivery, ARetryParksItsKeyInOrderWhileOtherKeysFlow) {
  FakeNetwork network([](const std::string&, const std::string& body, int nth) {
    return FakeNetwork::Answer{body == "\"a1\"" && nth <= 2 ? 503 : 200};
  });
  connect(network);
  order("post", "a", "a1");
  order("post", "a", "a2");
  order("post", "b", "b1");
  order("post", "a", "a3");
  start();
  ASSERT_TRUE(soon([&] { return network.effects().size() == 1 && company.books().waiting == 3; })) << books();
  EXPECT_EQ(network.effects(), quoted({"b1"}));
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(company.text("SELECT string_agg(state::text, ',' ORDER BY seq) FROM parked"), "1,3,3");
  for (int i = 0; i < 2; ++i) {
    company.clock.advance(seconds(30));
    ASSERT_TRUE(soon([&] { return network.sends() >= 3 + i; })) << books();
  }
  ASSERT_TRUE(delivered(4)) << books();
  EXPECT_EQ(network.effects(), quoted({"b1", "a1", "a2", "a3"}));
}

TEST_F(Delivery, WhatIsParkedAndBehindKeepsItsOrderOverARestart) {
  std::atomic<bool> mended{false};
  FakeNetwork network([&](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body == "\"a1\"" && !mended ? 503 : 200};
  });
  connect(network);
  for (const char* body : {"a1", "a2", "a3"}) order("post", "a", body);
  start();
  ASSERT_TRUE(soon([&] { return company.books().waiting == 3; })) << books();
  node.reset();
  company.take_lanes();
  mended = true;
  company.clock.advance(hours(1));
  order("post", "a", "a4");
  start();
  ASSERT_TRUE(delivered(4)) << books();
  EXPECT_EQ(network.effects(), quoted({"a1", "a2", "a3", "a4"}));
}

// AT15: the time that a network asks for is a floor, and a throttled connection parks nothing.
TEST_F(Delivery, AThrottledConnectionStandsStillUntilTheNetworksTime) {
  std::atomic<bool> throttled{true};
  FakeNetwork network([&](const std::string&, const std::string&, int) {
    return throttled ? FakeNetwork::Answer{429, false, false, "600"} : FakeNetwork::Answer();
  });
  connect(network);
  for (int i = 0; i < 20; ++i) order("post", std::to_string(i), "n");
  start();
  ASSERT_TRUE(soon([&] { return company.count("attempt WHERE phase = 1 AND verdict = 4") >= 1; }));
  throttled = false;
  const auto sends = [&] { return network.sends(); };
  ASSERT_TRUE(
      soon([&] { return company.count("attempt WHERE phase = 0") == company.count("attempt WHERE phase = 1"); }));
  const int before = sends();
  EXPECT_LE(before, Pace::kAtOnceFirst);
  company.clock.advance(seconds(500));
  company.refresh();  // a change of the administration is no reason to come early
  EXPECT_FALSE(test::eventually(milliseconds(1500), [&] { return sends() != before; }))
      << "sent before the network's time";
  EXPECT_EQ(company.count("parked"), 0);
  EXPECT_TRUE(company.books().balanced()) << books();
  company.clock.advance(seconds(230));
  ASSERT_TRUE(delivered(20)) << books();
  EXPECT_EQ(network.effects().size(), 20U);
}

TEST_F(Delivery, AConnectionThatMustBeAuthorisedAgainWaitsForAPersonAndGoesOnWhenOneActed) {
  std::atomic<bool> authorised{false};
  FakeNetwork network(
      [&](const std::string&, const std::string&, int) { return FakeNetwork::Answer{authorised ? 200 : 401}; });
  connect(network);
  for (int i = 0; i < 3; ++i) order("post", std::to_string(i), "n");
  start();
  ASSERT_TRUE(soon([&] { return company.count("attempt WHERE verdict = 5") >= 1; }));
  EXPECT_EQ(company.count("parked"), 0);
  authorised = true;
  company.refresh();
  ASSERT_TRUE(delivered(3)) << books();
}

// AT03: refused by the network is never silent and never twice.
TEST_F(Delivery, ARejectedCommandBecomesOneDeadLetterWithEvidenceAndItsNeighboursFlow) {
  FakeNetwork network([](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body == "\"bad\"" ? 422 : 200};
  });
  connect(network);
  order("post", "k", "bad");
  order("post", "k", "good");
  start();
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.effects(), quoted({"good"}));
  EXPECT_EQ(company.books().dead, 1);
  EXPECT_EQ(company.text("SELECT reason FROM parked WHERE state = 6"), "REJECTED (HTTP 422) status 422");
  EXPECT_EQ(company.count("attempt WHERE closing AND verdict = 6 AND http = 422"), 1);
  node.reset();
  company.take_lanes();
  company.clock.advance(hours(1));
  start();
  order("post", "k", "more");
  ASSERT_TRUE(delivered(2)) << books();
  EXPECT_EQ(network.sends(), 3) << "a dead letter is not sent again by a restart";
  EXPECT_EQ(company.books().dead, 1);
}

TEST_F(Delivery, ADuplicateCountsAsSuchAndWhatIsGoneIsDead) {
  FakeNetwork network([](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body == "\"gone\"" ? 410 : 208};
  });
  connect(network);
  order("post", "a", "twice");
  order("post", "b", "gone");
  start();
  ASSERT_TRUE(soon([&] { return company.books().duplicate == 1 && company.books().dead == 1; })) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(company.books().delivered, 0);
}

TEST_F(Delivery, AMisconfiguredConnectionParksNothingAndGoesOnAfterAChange) {
  std::atomic<bool> mended{false};
  FakeNetwork network(
      [&](const std::string&, const std::string&, int) { return FakeNetwork::Answer{mended ? 200 : 403}; });
  connect(network);
  order("post", "k", "n");
  start();
  ASSERT_TRUE(soon([&] { return company.count("attempt WHERE verdict = 7") == 1; }));
  EXPECT_EQ(company.books().in_flight, 1) << books();
  mended = true;
  company.refresh();
  ASSERT_TRUE(delivered(1)) << books();
}

// A medium that the post names and nobody has: a dead letter with its hash, not a loop.
TEST_F(Delivery, APostWhoseMediumIsMissingIsADeadLetter) {
  FakeNetwork network;
  connect(network);
  start();
  (void)company.order(
      *target, "post", "k",
      R"({"text":"t","media":[{"blob":")" + std::string(64, 'a') + R"(","mime":"image/png","bytes":3}]})");
  node->dispatcher.wake(target->lane);
  ASSERT_TRUE(soon([&] { return company.books().dead == 1; })) << books();
  EXPECT_NE(company.text("SELECT reason FROM parked").find("blob.unknown"), std::string::npos)
      << company.text("SELECT reason FROM parked");
  EXPECT_EQ(network.sends(), 0);
}

// AT01: an orderly stop waits for what is in flight and writes its end.
TEST_F(Delivery, AStopWaitsForWhatIsInFlightAndLeavesNoOpenIntent) {
  std::promise<void> asked, answer;
  FakeNetwork network([&](const std::string&, const std::string&, int) {
    asked.set_value();
    answer.get_future().wait();
    return FakeNetwork::Answer();
  });
  connect(network);
  order("post", "k", "hello");
  start();
  asked.get_future().wait();
  auto stopped = std::async(std::launch::async, [&] { node->dispatcher.stop(seconds(20)); });
  answer.set_value();
  stopped.get();
  EXPECT_EQ(company.count("attempt WHERE closing"), 1);
  EXPECT_EQ(company.books().delivered, 1) << books();
}

TEST_F(Delivery, AReplyThatIsLostIsLookedForAndFoundWithoutASecondSend) {
  FakeNetwork network([](const std::string&, const std::string&, int) {
    return FakeNetwork::Answer{200, true, true, ""};
  });
  connect(network);
  const Uuid id = order("post", "k", "hello");
  start();
  ASSERT_TRUE(soon([&] { return company.count("parked WHERE state = 2") == 1; })) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  company.clock.advance(seconds(30));
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.effects(), quoted({"hello"}));
  EXPECT_EQ(network.sends(), 1);
  EXPECT_EQ(company.text("SELECT remote_id FROM attempt WHERE closing"), "remote-" + id.to_string());
}

TEST_F(Delivery, AReplyThatIsLostIsSentAgainWhenTheNetworkDoesNotHaveIt) {
  FakeNetwork network([](const std::string&, const std::string&, int nth) {
    return nth == 1 ? FakeNetwork::Answer{200, false, true, ""} : FakeNetwork::Answer();
  });
  connect(network);
  order("post", "k", "hello");
  start();
  ASSERT_TRUE(soon([&] { return company.count("parked WHERE state = 2") == 1; })) << books();
  company.clock.advance(seconds(30));
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.effects(), quoted({"hello"}));
  EXPECT_EQ(network.sends(), 2);
}

TEST_F(Delivery, AReplyThatIsLostIsHeldForAPersonWhenTheNetworkCannotTell) {
  FakeNetwork network(
      [](const std::string&, const std::string& body, int) {
        return FakeNetwork::Answer{200, true, body == "\"lost\"", ""};
      },
      [](const std::string&, bool) { return 300; });
  connect(network);
  order("post", "k", "lost");
  order("post", "k", "next");
  start();
  ASSERT_TRUE(soon([&] { return company.count("parked WHERE state = 2") == 1; })) << books();
  company.clock.advance(seconds(30));
  ASSERT_TRUE(soon([&] { return company.books().held == 1; })) << books();
  ASSERT_TRUE(delivered(1)) << "what is held does not block its key: " << books();
  EXPECT_EQ(company.text("SELECT held_for FROM parked WHERE state = 5"), "operator");
  EXPECT_EQ(network.sends(), 2);
}

TEST_F(Delivery, ALookThatFailsIsNotAnEndOfTheCommand) {
  std::atomic<int> looks{0};
  FakeNetwork network(
      [](const std::string&, const std::string&, int) {
        return FakeNetwork::Answer{200, true, true, ""};
      },
      [&](const std::string&, bool truth) { return ++looks == 1 ? 422
                                                   : truth      ? 200
                                                                : 404; });
  connect(network);
  order("post", "k", "hello");
  start();
  ASSERT_TRUE(soon([&] { return company.count("parked WHERE state = 2") == 1; })) << books();
  company.clock.advance(seconds(30));
  ASSERT_TRUE(soon([&] { return company.books().held == 1; }))
      << "refused to say: a person decides; never REJECTED. " << books();
  EXPECT_EQ(company.books().dead, 0);
  EXPECT_EQ(network.sends(), 1);
}

// The window between a send and its end. What a crash leaves is an intent without an end.
TEST_F(Delivery, AfterACrashAnOpenIntentIsLookedForBeforeAnythingIsSent) {
  FakeNetwork network([](const std::string&, const std::string&, int) {
    return FakeNetwork::Answer{200, true, true, ""};
  });
  connect(network);
  order("post", "k", "hello");
  start();
  ASSERT_TRUE(soon([&] { return network.sends() == 1; }));
  node.reset();  // before the end is known
  ASSERT_EQ(company.count("attempt WHERE phase = 0"), 1);
  ASSERT_EQ(company.count("attempt WHERE phase = 1"), 0);
  EXPECT_EQ(company.books().in_flight, 1);
  company.take_lanes();
  start();
  EXPECT_FALSE(test::eventually(milliseconds(1200), [&] { return network.looks() > 0; }))
      << "it may still be on its way";
  company.clock.advance(seconds(60));
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.sends(), 1);
  EXPECT_EQ(network.effects(), quoted({"hello"}));
}

// A look that could not be had (here: unauthorised) must not make a later restart believe that the attempt had ended.
TEST_F(Delivery, AnOpenIntentStaysOpenWhenTheLookIsRefusedAndTheNodeRestarts) {
  std::atomic<bool> authorised{false};
  FakeNetwork network(
      [](const std::string&, const std::string&, int) {
        return FakeNetwork::Answer{200, true, true, ""};
      },
      [&](const std::string&, bool truth) { return !authorised ? 401
                                                   : truth     ? 200
                                                               : 404; });
  connect(network);
  order("post", "k", "hello");
  start();
  ASSERT_TRUE(soon([&] { return network.sends() == 1; }));
  node.reset();
  company.take_lanes();
  company.clock.advance(seconds(60));
  start();
  ASSERT_TRUE(soon([&] { return network.looks() >= 1; }));
  node->patience = seconds(5);
  node.reset();
  company.take_lanes();
  authorised = true;
  company.clock.advance(seconds(120));
  start();
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.sends(), 1);
}

TEST_F(Delivery, AfterACrashWhatNobodyCanLookForIsHeldForAPersonAndWhatMayBeRepeatedIsRepeated) {
  FakeNetwork network([](const std::string&, const std::string&, int nth) {
    return FakeNetwork::Answer{200, true, nth == 1, ""};
  });
  connect(network);
  order("blind", "a", "blind");
  order("upsert", "b", "upsert");
  start();
  ASSERT_TRUE(soon([&] { return network.sends() == 2; }));
  node.reset();
  company.take_lanes();
  company.clock.advance(seconds(60));
  start();
  ASSERT_TRUE(soon([&] { return company.books().held == 1 && company.books().delivered == 1; })) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(network.sends(), 3);
}

TEST_F(Delivery, ACommandThatTheNetworkNeverTakesDoesNotKeepTheBreakerOpenForTheOthers) {
  FakeNetwork network([](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body == "\"never\"" ? 500 : 200};
  });
  connect(network);
  order("post", "never", "never");
  start();
  for (int i = 0; i < 8; ++i) {
    const int before = network.sends();
    ASSERT_TRUE(soon([&] {
      company.clock.advance(seconds(5));
      return network.sends() > before;
    })) << i;
  }
  for (int i = 0; i < 3; ++i) order("post", std::to_string(i), "good");
  ASSERT_TRUE(soon([&] {
    company.clock.advance(seconds(1));
    return network.effects().size() == 3;
  })) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
}

TEST_F(Delivery, ACommandIsGivenUpAfterItsLastTryWithTheReason) {
  FakeNetwork network([](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body == "\"never\"" ? 500 : 200};
  });
  connect(network);
  order("post", "never", "never");
  start();
  for (int others = 1; others < 60 && company.books().dead == 0; ++others) {
    order("post", "other" + std::to_string(others), "good");  // successes between keep the breaker shut
    ASSERT_TRUE(soon([&] { return network.effects().size() == static_cast<std::size_t>(others); })) << books();
    company.clock.advance(std::chrono::minutes(5));
  }
  ASSERT_EQ(company.books().dead, 1) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(company.text("SELECT substr(reason, 1, 36) FROM parked WHERE state = 6"),
            "GONE (HTTP 500) given up after 12 tr");
}

// One body that cannot be opened is a dead letter; it does not stop what comes after it.
TEST_F(Delivery, ABodyThatCannotBeOpenedIsBuriedAndTheOthersFlow) {
  FakeNetwork network;
  connect(network);
  const Uuid broken = order("post", "k", "broken");
  order("post", "k", "good");
  company.exec("UPDATE outbox SET body = '\\x00112233' WHERE command = $1", {broken});
  start();
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(company.books().dead, 1);
  EXPECT_EQ(network.effects(), quoted({"good"}));
}

TEST_F(Delivery, ALaneThatWentToAnotherNodeIsNotWritten) {
  FakeNetwork network([](const std::string&, const std::string&, int) {
    return FakeNetwork::Answer{200, true, true, ""};
  });
  connect(network);
  order("post", "k", "hello");
  start();
  ASSERT_TRUE(soon([&] { return network.sends() == 1; }));
  company.exec("UPDATE lane SET epoch = epoch + 1 WHERE lane = 5");  // another node took it; ours does not know yet
  EXPECT_FALSE(test::eventually(milliseconds(1500), [&] { return company.count("attempt WHERE phase = 1") > 0; }));
  EXPECT_EQ(company.books().in_flight, 1) << books();
}

// An administrator's "retry now" changes the row; what the dispatcher has in memory must not hide it.
TEST_F(Delivery, AParkedCommandThatIsMadeDueIsWorkedAfterARereadAndADroppedOneIsNot) {
  std::atomic<bool> mended{false};
  FakeNetwork network(
      [&](const std::string&, const std::string&, int) { return FakeNetwork::Answer{mended ? 200 : 503}; });
  connect(network);
  const Uuid first = order("post", "a", "a");
  const Uuid second = order("post", "b", "b");
  start();
  ASSERT_TRUE(soon([&] { return company.books().waiting == 2; })) << books();
  mended = true;
  company.exec("UPDATE parked SET due = now() + interval '1 day'");
  company.exec("UPDATE parked SET due = now() - interval '1 second' WHERE command = $1", {first});
  company.exec("UPDATE parked SET state = 6 WHERE command = $1", {second});
  node->dispatcher.reread(target->lane);
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.effects(), quoted({"a"}));
  EXPECT_EQ(company.books().dead, 1);
}

}  // namespace
}  // namespace isthmus::delivery
