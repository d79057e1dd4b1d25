// Routing against a real database: calls are journaled as intake does, and what follows from them is read from the
// tables.
#include "routing/router.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "routing/router_fixture_test.h"

namespace isthmus::routing {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_F(Routing, AnEventBecomesARecordADecisionAndACommandAndThePositionMoves) {
  receive(lead("e1", "k", "crm"));
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.count("outbox"), 1);
  EXPECT_EQ(company.count("ledger"), 1);
  EXPECT_EQ(company.count("event_key"), 1);
  EXPECT_EQ(company.count("decision WHERE effect = 1 AND rule = 'deliver.routed' AND command IS NOT NULL"), 1);
  EXPECT_EQ(company.count("record"), 3) << "the event, the decision, the command";
  EXPECT_EQ(sink.events, std::vector<std::string>{"e1"});
}

TEST_F(Routing, TheSameEventByWebhookAndByPollIsOneEvent) {
  receive(lead("e1", "k", "crm"));
  receive(lead("e1", "k", "crm"));
  start();
  ASSERT_TRUE(routed(2)) << books();
  receive(lead("e1", "k", "crm") + lead("e2", "k", "crm"));
  router->wake(source->lane);
  ASSERT_TRUE(routed(3)) << books();
  EXPECT_EQ(company.count("event_key"), 2);
  EXPECT_EQ(company.count("outbox"), 2);
  EXPECT_EQ(sink.events, (std::vector<std::string>{"e1", "e2"}));
}

// Two events that differ in one byte of their key are two.
TEST_F(Routing, AnotherVersionOfAnObjectIsAnotherEvent) {
  receive(lead("e1@1", "k", "crm") + lead("e1@2", "k", "crm"));
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.count("event_key"), 2);
}

TEST_F(Routing, OneCallWithFiveHundredEventsIsRoutedWholeAndInOrder) {
  std::string call;
  for (int i = 0; i < 500; ++i) call += lead("e" + std::to_string(i), "one contact", "crm");
  receive(call);
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.books().made, 500);
  EXPECT_EQ(company.books().in_flight, 500);
  // Commands of one contact stand in the log in the order of their events.
  const store::Rows rows = company.exec("SELECT command, journal_key, body FROM outbox ORDER BY seq");
  ASSERT_EQ(rows.size(), 500);
  for (int i = 0; i < rows.size(); ++i) {
    auto body = company.keys.open(rows.number(i, 1), rows.bytes(i, 2), journal::body_binding(rows.uuid(i, 0)));
    ASSERT_TRUE(body.has_value());
    ASSERT_NE(body->find("\"external_id\":\"e" + std::to_string(i) + "\""), std::string::npos) << i << ": " << *body;
  }
}

// AT04: a call that can never be read is kept with its bytes, and its neighbours flow.
TEST_F(Routing, APoisonousCallIsQuarantinedWithItsBytesAndItsNeighboursFlow) {
  receive(lead("e1", "k", "crm"));
  receive("poison");
  receive(lead("e2", "k", "crm"));
  start();
  ASSERT_TRUE(routed(2)) << books();
  EXPECT_EQ(company.books().quarantined, 1);
  EXPECT_EQ(company.books().made, 2);
  EXPECT_EQ(company.text("SELECT reason FROM parked WHERE state = 7"), "adapter.poison: this call can never be read");
}

// A connection that may not act for now: its calls wait, and the later ones behind them, while its lane flows.
TEST_F(Routing, CallsOfASuspendedConnectionWaitAndAreReadInTheirOrderWhenItMayActAgain) {
  const std::int64_t other = company.add_connection("neighbour", source->lane);
  const std::string approved = company.text("SELECT encode(descriptor_sha256, 'hex') FROM connection LIMIT 1");
  company.exec("UPDATE connection SET descriptor_sha256 = '\\x00' WHERE name = 'forms'");
  company.refresh();
  const auto suspended = company.directory.current();
  source = suspended->snapshot->connection(source->id);
  receive(lead("e1", "k", "crm"));
  company.receive(*suspended->snapshot->connection(other), lead("n1", "k", "crm"));
  receive(lead("e2", "k", "crm"));
  start();
  ASSERT_TRUE(test::eventually(seconds(20), [&] { return company.books().routed == 1; })) << books();
  ASSERT_TRUE(
      test::eventually(seconds(20), [&] { return company.count("parked WHERE stage = 1 AND state = 4") == 2; }));
  EXPECT_EQ(company.books().unread, 2) << books();
  EXPECT_EQ(company.books().quarantined, 0);
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(sink.events, std::vector<std::string>{"n1"});
  router->stop();
  router.reset();  // another node takes the lane over: what waits is in the table
  company.take_lanes();
  receive(lead("e3", "k", "crm"));
  company.exec("UPDATE connection SET descriptor_sha256 = decode($1, 'hex')", {approved});
  company.refresh();
  start();
  ASSERT_TRUE(routed(4)) << books();
  EXPECT_EQ(sink.events, (std::vector<std::string>{"n1", "e1", "e2", "e3"}));
  EXPECT_EQ(company.count("parked"), 0);
}

TEST_F(Routing, AConnectionThatBecomesActiveAgainIsNoticedWithoutAnotherCall) {
  company.exec("UPDATE connection SET descriptor_sha256 = set_byte(descriptor_sha256, 0, 0) WHERE name = 'forms'");
  company.refresh();
  const auto suspended = company.directory.current();
  source = suspended->snapshot->connection(source->id);
  receive(lead("e1", "k", "crm"));
  start();
  ASSERT_TRUE(
      test::eventually(seconds(20), [&] { return company.count("parked WHERE stage = 1 AND state = 4") == 1; }));
  company.exec("UPDATE connection SET descriptor_sha256 = set_byte(descriptor_sha256, 0, 102) WHERE name = 'forms'");
  company.refresh();
  EXPECT_TRUE(routed(1)) << books();
}

TEST_F(Routing, ACallOfAConnectionThatWasRemovedIsQuarantined) {
  receive(lead("e1", "k", "crm"));
  company.exec("DELETE FROM route");
  company.exec("UPDATE connection SET removed_at = now() WHERE name = 'forms'");
  company.refresh();
  start();
  ASSERT_TRUE(test::eventually(seconds(20), [&] { return company.books().quarantined == 1; })) << books();
  EXPECT_EQ(company.text("SELECT reason FROM parked"), "routing.removed: the connection of this call was removed");
}

TEST_F(Routing, AnEventThatTheDatabaseRefusesIsQuarantinedAndItsNeighboursFlow) {
  receive(lead("e1", "k", "crm"));
  sink.refuse = "e2";
  receive(lead("e2", "k", "crm"));
  receive(lead("e3", "k", "crm"));
  start();
  ASSERT_TRUE(routed(2)) << books();
  EXPECT_EQ(company.books().quarantined, 1);
  EXPECT_EQ(company.books().made, 2);
  EXPECT_EQ(company.count("event_key"), 2) << "nothing of a quarantined call is left behind";
}

TEST_F(Routing, AFailureOfALaterRoomRollsBackTheWholeBatchAndItIsDoneAgain) {
  receive(lead("e1", "k", "crm"));
  sink.failures = 1;
  start();
  ASSERT_TRUE(test::eventually(seconds(20), [&] { return sink.failures == 0; }));
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.count("event_key"), 1);
  EXPECT_EQ(company.count("record"), 3);
  EXPECT_EQ(company.count("decision"), 1);
  EXPECT_EQ(company.count("outbox"), 1);
}

TEST_F(Routing, WhatItsTermsForbidIsRefusedWithTheRuleAndTheTermsAndStillReachesEngagement) {
  receive(lead("e1", "k", "engagement"));
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.count("ledger"), 0);
  EXPECT_EQ(company.count("outbox"), 0);
  EXPECT_EQ(company.books().refused, 1);
  EXPECT_EQ(company.text("SELECT rule FROM decision"), "purposes.crm");
  EXPECT_NE(company.text("SELECT reason FROM decision").find("the terms of fake"), std::string::npos)
      << company.text("SELECT reason FROM decision");
  EXPECT_EQ(sink.events, std::vector<std::string>{"e1"});
  EXPECT_EQ(company.count("record"), 2) << "the event and the refusal";
}

TEST_F(Routing, AnEventWithoutAnyPurposeIsRefusedWithTheTermsToo) {
  receive(lead("e1", "k", ""));
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.count("ledger"), 0);
  EXPECT_EQ(company.text("SELECT rule FROM decision"), "purposes.crm");
  EXPECT_NE(company.text("SELECT reason FROM decision").find("the terms of fake"), std::string::npos)
      << company.text("SELECT reason FROM decision");
}

// A mapping that cannot go on holds the event for a person: it is neither refused nor lost, and cannot be sent as it
// is.
TEST_F(Routing, WhatTheMappingHoldsWaitsForAPersonWithTheFieldAndTheReason) {
  receive(lead("no mail", "k", "crm", R"({"name":"Zoe Dupont"})") + lead("e2", "k", "crm"));
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.books().held, 1) << books();
  EXPECT_EQ(company.books().made, 2) << books();
  EXPECT_EQ(company.books().in_flight, 1) << "its neighbour flows";
  EXPECT_EQ(company.text("SELECT held_for FROM parked"), "mapping");
  EXPECT_NE(company.text("SELECT reason FROM parked").find("person.email"), std::string::npos)
      << company.text("SELECT reason FROM parked");
  EXPECT_EQ(company.text("SELECT item->>'body_format' FROM parked"), "lead/1+unmapped");
  EXPECT_EQ(
      company.count("decision WHERE effect = 3 AND rule = 'mapping.held' AND command = (SELECT command FROM parked)"),
      1);
  receive(lead("no mail", "k", "crm", R"({"name":"Zoe Dupont"})"));
  router->wake(source->lane);
  ASSERT_TRUE(routed(2));
  EXPECT_EQ(company.books().held, 1) << "the same event again holds nothing more";
}

TEST_F(Routing, AnEventThatPolicyForbidsMakesNoCommand) {
  receive(lead("e1", "k", "crm", R"({"email":"z@example.com"})", "my card is 4111 1111 1111 1111"));
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.count("ledger"), 0);
  EXPECT_EQ(company.text("SELECT rule FROM decision"), "card-number");
}

TEST_F(Routing, ARouteWhoseMappingIsNotInstalledRefusesWithItsName) {
  company.exec("UPDATE route SET mapping = 'gone'");
  company.refresh();
  source = company.directory.current()->snapshot->connection(source->id);
  receive(lead("e1", "k", "crm"));
  start();
  ASSERT_TRUE(routed(1)) << books();
  EXPECT_EQ(company.text("SELECT rule || ' ' || reason FROM decision"),
            "route.broken route leads: the mapping gone is not installed");
}

TEST_F(Routing, ALaneOfAnotherNodeIsLeftAlone) {
  receive(lead("e1", "k", "crm"));
  company.exec("UPDATE lane SET epoch = epoch + 1");
  start();
  EXPECT_FALSE(test::eventually(milliseconds(1200), [&] { return company.count("event_key") > 0; }));
  EXPECT_EQ(company.books().unread, 1);
}

// AT06: nobody told the router, and no other event comes.
TEST_F(Routing, ALostWakeUpDelaysAnEventByLessThanASecondAndAHalf) {
  start();
  receive(lead("e1", "k", "crm"));
  EXPECT_TRUE(test::eventually(milliseconds(1500), [&] { return company.books().routed == 1; }));
}

// The Nth statement fails, N from 1 until a run meets none: each event is there once, or the books would not balance.
TEST(RoutingFault, WhicheverStatementFailsEachEventIsRoutedOnce) {
  std::int64_t n = 1;
  for (; n < 400 && !::testing::Test::HasFailure(); ++n) {
    RoutingWorld world;
    world.receive(lead("e1", "a", "crm") + lead("e2", "a", "crm"));
    world.receive("poison");
    world.receive(lead("e1", "a", "crm") + lead("no mail", "b", "crm", R"({"name":"Zoe"})"));
    world.company.fault.fail_at(n);
    world.start();
    EXPECT_TRUE(test::eventually(
        seconds(20), [&] { return world.company.books().routed == 2 && world.company.books().quarantined == 1; }))
        << "N = " << n << " " << world.books();
    const bool met = world.company.fault.met();
    world.router->stop();
    const journal::Books books = world.company.books();
    EXPECT_TRUE(books.balanced()) << "N = " << n << " " << books.to_json();
    EXPECT_EQ(books.made, 3) << "N = " << n;
    EXPECT_EQ(books.in_flight, 2) << "N = " << n;
    EXPECT_EQ(books.held, 1) << "N = " << n;
    EXPECT_EQ(world.company.count("event_key"), 3) << "N = " << n;
    EXPECT_EQ(world.company.count("record"), 9) << "N = " << n;
    EXPECT_EQ(world.company.count("decision"), 3) << "N = " << n;
    if (!met) break;
  }
  EXPECT_GT(n, 15);
}

// The same for calls that waited beside the log: each is read once, and none stays behind.
TEST(RoutingFault, WhicheverStatementFailsACallThatWaitedIsReadOnce) {
  std::int64_t n = 1;
  for (; n < 200 && !::testing::Test::HasFailure(); ++n) {
    RoutingWorld world;
    test::SmallCompany& company = world.company;
    company.exec("UPDATE connection SET descriptor_sha256 = set_byte(descriptor_sha256, 0, 0) WHERE name = 'forms'");
    company.refresh();
    const auto suspended = company.directory.current();
    world.source = suspended->snapshot->connection(world.source->id);
    world.receive(lead("e1", "a", "crm"));
    world.receive("poison");
    world.start();
    ASSERT_TRUE(
        test::eventually(seconds(20), [&] { return company.count("parked WHERE stage = 1 AND state = 4") == 2; }));
    world.router->stop();
    company.exec("UPDATE connection SET descriptor_sha256 = set_byte(descriptor_sha256, 0, 102) WHERE name = 'forms'");
    company.refresh();
    company.fault.fail_at(n);
    world.start();
    EXPECT_TRUE(
        test::eventually(seconds(20), [&] { return company.books().routed == 1 && company.books().quarantined == 1; }))
        << "N = " << n << " " << world.books();
    const bool met = company.fault.met();
    world.router->stop();
    const journal::Books books = company.books();
    EXPECT_TRUE(books.balanced()) << "N = " << n << " " << books.to_json();
    EXPECT_EQ(books.in_flight, 1) << "N = " << n << " " << books.to_json();
    EXPECT_EQ(company.count("event_key"), 1) << "N = " << n;
    EXPECT_EQ(company.count("record"), 3) << "N = " << n;
    if (!met) break;
  }
  EXPECT_GT(n, 15);
}

}  // namespace
}  // namespace isthmus::routing
