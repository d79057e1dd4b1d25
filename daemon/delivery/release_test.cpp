// What happens before a send and after a release, end to end: time and purposes judged again, a dead letter sent once
// more, more parked commands than memory holds, and ends that the database refuses.
#include <gtest/gtest.h>

#include <future>

#include "delivery/dispatcher_fixture_test.h"
#include "journal/release.h"

namespace isthmus::delivery {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;
using test::FakeNetwork;

class Released : public Delivery {
 protected:
  /// As the desk does it once everything was decided again.
  void release(const Uuid& id) {
    auto db = company.pool.take();
    auto tx = store::Transaction::begin(**db);
    ASSERT_TRUE(tx.has_value());
    auto parked = journal::find_parked(*tx, company.keys, id);
    ASSERT_TRUE(parked.has_value() && parked->has_value());
    journal::NewCommand again = (*parked)->command;
    auto sealed = company.keys.seal((*parked)->body, journal::body_binding(id));
    ASSERT_TRUE(sealed.has_value());
    again.body = *sealed;
    ASSERT_TRUE(journal::release(*tx, **parked, again, "by a test", company.clock.now()).has_value());
    ASSERT_TRUE(tx->commit().has_value());
    if (node) node->dispatcher.wake(target->lane);
  }
  void restart() {
    node.reset();
    company.take_lanes();
    start();
  }
};

TEST_F(Released, ADeadLetterIsSentOnceMoreAfterWhatCameSince) {
  std::atomic<bool> mended{false};
  FakeNetwork network([&](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body == "\"bad\"" && !mended ? 422 : 200};
  });
  connect(network);
  const Uuid bad = order("post", "k", "bad");
  order("post", "k", "good");
  start();
  ASSERT_TRUE(soon([&] { return company.books().dead == 1 && company.books().delivered == 1; })) << books();
  release(bad);
  ASSERT_TRUE(soon([&] { return company.books().dead == 1; })) << "refused again, dead again: " << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(network.sends(), 3);
  mended = true;
  release(bad);
  ASSERT_TRUE(delivered(2)) << books();
  EXPECT_EQ(network.effects(), quoted({"good", "bad"}));
  EXPECT_EQ(company.count("attempt WHERE phase = 2"), 2);
  restart();
  order("post", "k", "last");
  ASSERT_TRUE(delivered(3)) << books();
  EXPECT_EQ(network.sends(), 5) << "a restart sends neither the first nor the second life of it";
}

// The node dies between the released send and its end: the open intent is of the new life, and is looked for.
TEST_F(Released, ANodeThatDiesAfterTheReleasedSendLooksBeforeItSendsAgain) {
  FakeNetwork network([&](const std::string&, const std::string&, int nth) {
    return nth == 1 ? FakeNetwork::Answer{422} : FakeNetwork::Answer{200, true, true, ""};
  });
  connect(network);
  const Uuid id = order("post", "k", "x");
  start();
  ASSERT_TRUE(soon([&] { return company.books().dead == 1; })) << books();
  release(id);
  ASSERT_TRUE(soon([&] { return network.sends() == 2; })) << books();
  node.reset();
  EXPECT_EQ(company.books().in_flight, 1) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  company.take_lanes();
  company.clock.advance(seconds(60));
  start();
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.sends(), 2);
  EXPECT_EQ(network.effects().size(), 1U);
}

// The position stands before it, held by an earlier one: its old place in the log must not send it a second time.
TEST_F(Released, ItsOldPlaceBeyondThePositionSendsNothing) {
  std::atomic<bool> mended{false};
  FakeNetwork network([&](const std::string&, const std::string& body, int) {
    if (body == "\"first\"" && !mended) return FakeNetwork::Answer{401};
    return FakeNetwork::Answer{body == "\"bad\"" && !mended ? 422 : 200};
  });
  connect(network);
  const auto world = company.directory.current();  // `target` is of it
  start();
  order("post", "a", "first");
  const Uuid bad = order("post", "b", "bad");
  ASSERT_TRUE(soon([&] {
    company.refresh();  // a person acted: what waits for people tries again
    return company.books().dead == 1;
  })) << books();
  release(bad);
  mended = true;
  restart();
  ASSERT_TRUE(delivered(2)) << books();
  EXPECT_EQ(network.effects().size(), 2U);
}

// The same for what a person must decide: read again beyond the position, it is nobody's to send.
TEST_F(Released, WhatIsHeldBeyondThePositionStaysHeldOverARestart) {
  std::atomic<bool> mended{false};
  FakeNetwork network([&](const std::string&, const std::string& body, int) {
    if (body == "\"first\"" && !mended) return FakeNetwork::Answer{503};
    return FakeNetwork::Answer{200, true, body == "\"blind\"", ""};
  });
  connect(network);
  start();
  const Uuid held = order("blind", "b", "blind");
  ASSERT_TRUE(soon([&] { return company.books().held == 1; })) << books();
  node.reset();
  company.exec("DELETE FROM progress WHERE stage = 2");  // as if an earlier one had held the position
  company.take_lanes();
  start();
  order("post", "c", "later");
  mended = true;
  ASSERT_TRUE(soon([&] { return company.books().delivered == 1; })) << books();
  EXPECT_EQ(company.books().held, 1);
  EXPECT_EQ(company.count("attempt WHERE phase = 0 AND command = '" + held.to_string() + "'"), 1);
}

TEST_F(Released, WhatCameTooLateIsNotSentAndEndsAsExpired) {
  FakeNetwork network;
  connect(network);
  const Uuid late = order("post", "k", "late");
  order("post", "k", "in time");
  company.exec("UPDATE outbox SET not_after = now() - interval '1 second' WHERE command = $1", {late});
  company.exec("UPDATE outbox SET not_after = now() + interval '1 hour' WHERE command <> $1", {late});
  start();
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.effects(), quoted({"in time"}));
  EXPECT_EQ(company.books().expired, 1) << books();
  EXPECT_EQ(company.count("record"), 2) << "its end is recorded as the other's";
  restart();
  order("post", "k", "more");
  ASSERT_TRUE(delivered(2)) << books();
  EXPECT_EQ(network.sends(), 2);
}

TEST_F(Released, WhatExpiresWhileItWaitsForAnotherTryMakesRoomForTheNextOfItsKey) {
  FakeNetwork network([](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body == "\"never\"" ? 503 : 200};
  });
  connect(network);
  const Uuid never = order("post", "k", "never");
  order("post", "k", "next");
  company.exec("UPDATE outbox SET not_after = now() + interval '10 seconds' WHERE command = $1", {never});
  start();
  ASSERT_TRUE(soon([&] { return company.books().waiting == 2; })) << books();
  company.clock.advance(seconds(30));
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(company.books().expired, 1) << books();
  EXPECT_EQ(network.sends(), 2);
}

// Purposes travel with the command, and the adapter that is installed now says what it uses them for.
TEST_F(Released, ADatumWhosePurposesLackWhatTheTargetNeedsNowIsDeadWithTheRuleAndUnsent) {
  FakeNetwork network;
  connect(network);
  order("upsert", "a", "may not");
  company.exec("UPDATE outbox SET purposes = '{engagement,analytics}'");
  order("upsert", "a", "may");
  start();
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.effects(), quoted({"may"}));
  EXPECT_EQ(company.text("SELECT reason FROM parked WHERE state = 6"),
            "REJECTED (HTTP 0) purposes.crm: upsert needs the purpose crm; this datum may be used for: engagement, "
            "analytics");
  EXPECT_EQ(company.books().dead, 1);
}

TEST_F(Released, WhatOurOwnPeopleWroteIsNotBoundByPurposes) {
  FakeNetwork network;
  connect(network);
  order("track", "a", "ours");
  company.exec("UPDATE outbox SET purposes = '{}', author = 1");
  start();
  ASSERT_TRUE(delivered(1)) << books();
}

// An administrator's act reads the lane's parked rows again; what is on its way is waited for, not looked for.
TEST_F(Released, ARereadWaitsForWhatIsOnItsWay) {
  std::promise<void> asked, answer;
  FakeNetwork network([&](const std::string&, const std::string& body, int) {
    if (body == "\"blind\"") {
      asked.set_value();
      (void)answer.get_future().wait_for(milliseconds(300));
    }
    return FakeNetwork::Answer();
  });
  connect(network);
  order("blind", "k", "blind");
  start();
  asked.get_future().wait();
  node->dispatcher.reread(target->lane);
  ASSERT_TRUE(delivered(1)) << "nobody can look for it: forgotten, it would be held for a person. " << books();
}

// One command's end is refused by a later room, another's by its own table; the neighbours flow, and nothing is lost.
TEST_F(Released, AnEndThatTheDatabaseRefusesHoldsUpNoNeighbour) {
  FakeNetwork network;
  connect(network);
  const Uuid odd = order("post", "odd", "odd");
  company.exec("ALTER TABLE attempt ADD CONSTRAINT odd CHECK (remote_id IS DISTINCT FROM 'remote-" + odd.to_string() +
               "')");
  for (int i = 0; i < 6; ++i) order("post", std::to_string(i), "n");
  start();
  ASSERT_TRUE(delivered(6)) << books();
  EXPECT_EQ(company.books().held, 1) << books();
  EXPECT_EQ(network.sends(), 7);
  EXPECT_EQ(company.text("SELECT held_for FROM parked"), "operator");
  EXPECT_NE(company.text("SELECT reason FROM parked").find("DELIVERED (HTTP 200)"), std::string::npos)
      << company.text("SELECT reason FROM parked");
  EXPECT_EQ(node->sink.count, 6);
  restart();
  order("post", "k", "later");
  ASSERT_TRUE(delivered(7)) << books();
  EXPECT_EQ(network.sends(), 8) << "what is held is not sent again";
}

TEST_F(Released, AnEndThatALaterRoomCannotTakeIsWrittenWithoutIt) {
  FakeNetwork network;
  connect(network);
  start();
  node->sink.refuse = true;
  order("upsert", "k", "n");
  ASSERT_TRUE(delivered(1)) << books();
  EXPECT_EQ(network.sends(), 1);
  EXPECT_EQ(company.count("record"), 1);
  node->sink.refuse = false;
  order("upsert", "k", "m");
  ASSERT_TRUE(delivered(2)) << books();
  EXPECT_EQ(node->sink.count, 1);
}

// 1,500 parked, a third of them in one chain: more than memory holds. Nothing is lost, the chain keeps its order, what
// is not due keeps nobody from being sent, and a restart in between changes nothing of it.
TEST_F(Released, FifteenHundredParkedCommandsLoseNothingAndStallNobody) {
  std::atomic<bool> mended{false};
  FakeNetwork network([&](const std::string&, const std::string& body, int) {
    return FakeNetwork::Answer{body.starts_with("\"new") || mended ? 200 : 503};
  });
  connect(network);
  constexpr int kChain = 500, kOthers = 1000;
  for (int i = 0; i < kChain; ++i) order("post", "chain", "c" + std::to_string(i));
  for (int i = 0; i < kOthers; ++i) order("post", "o" + std::to_string(i), "o" + std::to_string(i));
  // As many failures between successes would have left them: parked, the position beyond them.
  {
    const std::lock_guard lock(company.db_mutex);
    auto rows = journal::read_outbox(*company.db, target->lane, target->id, 0, kChain + kOthers);
    ASSERT_TRUE(rows.has_value());
    auto tx = store::Transaction::begin(*company.db);
    for (const journal::OutboxRow& row : *rows) {
      journal::Parked p;
      p.command = row.command;
      p.seq = row.seq;
      p.state = row.seq > 1 && row.seq <= kChain ? journal::ParkedState::behind : journal::ParkedState::retry;
      p.due = company.clock.now() + hours(1);
      p.tries = 1;
      p.body = *company.keys.open(row.command.body.key, row.command.body.bytes, journal::body_binding(row.command.id));
      ASSERT_TRUE(journal::park(*tx, company.keys, p).has_value());
    }
    ASSERT_TRUE(journal::move_position(*tx, journal::Stage::outbox, target->lane, target->id, kChain + kOthers));
    ASSERT_TRUE(tx->commit().has_value());
  }
  start();
  for (int i = 0; i < 20; ++i) order("post", "n" + std::to_string(i), "new");
  order("post", "chain", "new last of the chain");
  ASSERT_TRUE(soon([&] { return company.books().delivered == 20; })) << books();
  EXPECT_EQ(company.books().waiting, kChain + kOthers + 1) << books();
  mended = true;
  company.clock.advance(hours(2));
  ASSERT_TRUE(soon([&] { return company.books().delivered > 300; })) << books();
  restart();
  company.clock.advance(seconds(60));
  ASSERT_TRUE(test::eventually(seconds(120), [&] {
    company.clock.advance(seconds(1));
    return company.books().delivered == kChain + kOthers + 21;
  })) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  std::vector<std::string> chain, expected;
  for (const std::string& body : network.effects()) {
    if (body.starts_with("\"c") || body == "\"new last of the chain\"") chain.push_back(body);
  }
  for (int i = 0; i < kChain; ++i) expected.push_back("c" + std::to_string(i));
  expected.emplace_back("new last of the chain");
  EXPECT_EQ(chain, quoted(expected));
  EXPECT_EQ(network.effects().size(), static_cast<std::size_t>(kChain + kOthers + 21));
}

}  // namespace
}  // namespace isthmus::delivery
