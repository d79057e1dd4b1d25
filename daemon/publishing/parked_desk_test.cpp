// What an administrator does with what is parked, against a real database: where the command stands, what the books
// say, and which rule is named when it may not go.
#include "publishing/parked_desk.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "journal/release.h"
#include "publishing/publisher.h"
#include "routing/router_fixture_test.h"

namespace isthmus::publishing {
namespace {

using routing::lead;

class ParkedDeskTest : public ::testing::Test, protected routing::RoutingWorld {
 protected:
  ParkedDeskTest() {
    marie = company.add_person("marie", "{publish}");
    jean = company.add_person("jean", "{publish,approve}");
    refresh();
  }
  void refresh() {
    company.refresh();
    source = company.directory.current()->snapshot->connection("forms");
  }
  std::string retry(const Uuid& command) {
    const auto done = desk.retry(command);
    if (!done) return done.error().code + ": " + done.error().what;
    return *done == ParkedDesk::Retried::due ? "due" : "released";
  }
  static std::string code_of(const Result<void>& done) { return done ? "done" : done.error().code; }
  /// A lead that a route made a command of; its id.
  Uuid routed_lead(const std::string& id, const std::string& person = R"({"email":"z@example.com"})") {
    const std::int64_t before = company.count("ledger");
    receive(lead(id, "k", "crm", person));
    if (router) {
      router->wake(source->lane);
    } else {
      start();
    }
    EXPECT_TRUE(test::eventually(std::chrono::seconds(20), [&] { return company.count("ledger") == before + 1; }));
    return company.exec("SELECT command FROM ledger ORDER BY at DESC LIMIT 1").uuid(0, 0);
  }
  /// As delivery leaves what a network refused: one attempt with its end, a dead letter, the position beyond it.
  void die(const Uuid& id) { leave(id, journal::ParkedState::dead); }
  void leave(const Uuid& id, journal::ParkedState state) {
    const store::Rows row = company.exec("SELECT lane, connection, seq FROM outbox WHERE command = $1", {id});
    ASSERT_EQ(row.size(), 1);
    const int lane = static_cast<int>(row.number(0, 0));
    auto db = company.pool.take();
    const auto read = journal::read_outbox(**db, lane, row.number(0, 1), row.number(0, 2) - 1, 1);
    ASSERT_TRUE(read && read->size() == 1);
    journal::Parked p;
    p.command = read->front().command;
    p.seq = row.number(0, 2);
    p.state = state;
    p.reason = "REJECTED (HTTP 422) no such field";
    p.due = company.clock.now() + std::chrono::hours(1);
    p.author = p.command.author;
    p.body = *company.keys.open(p.command.body.key, p.command.body.bytes, journal::body_binding(id));
    auto tx = store::Transaction::begin(**db);
    const bool dead = state == journal::ParkedState::dead;
    const journal::Intent intent{id, p.command.connection, 1, ""};
    const journal::End end{
        id, p.command.connection, 1, dead ? adapter::Verdict::rejected : adapter::Verdict::retry, dead, 422, "no", "",
        ""};
    ASSERT_TRUE(journal::write_intents(*tx, lane, std::span(&intent, 1), company.clock.now()));
    ASSERT_TRUE(journal::write_ends(*tx, lane, std::span(&end, 1), company.clock.now()));
    ASSERT_TRUE(journal::park(*tx, company.keys, p));
    ASSERT_TRUE(journal::move_position(*tx, journal::Stage::outbox, lane, p.command.connection, p.seq));
    ASSERT_TRUE(tx->commit());
  }
  void use_pack(const std::string& rules) {
    const auto file = std::filesystem::temp_directory_path() / ("pack-" + Uuid::random(company.random).to_string());
    std::ofstream(file) << "policy: 1\npack: site\nversion: \"2\"\ndescription: of this test\nrules:\n" << rules;
    Diagnostics diagnostics;
    auto loaded =
        policy::PackSet::load({std::string(ISTHMUS_SOURCE_DIR) + "/policies/base.yaml", file.string()}, diagnostics);
    std::filesystem::remove(file);
    ASSERT_NE(loaded, nullptr) << diagnostics.to_string();
    packs = loaded;
  }
  static std::string rule(const std::string& id, const std::string& effect, const std::string& more = "") {
    return "  - { id: " + id + ", effect: " + effect + ", actions: [deliver, publish], when: \"true\", " + more +
           "reason: { en: Not today., fr: Pas ce jour. } }\n";
  }
  void use_mapping_without_mail() {
    Diagnostics diagnostics;
    map = mapping::Mapping::parse(
        "mapping: by-mail\nversion: 2\nfrom: lead/1\nto: lead/1\nfields:\n"
        "  - { to: source, value: \"${event.source}\" }\n  - { to: external_id, value: \"${event.external_id}\" }\n"
        "  - { to: submitted_at, value: \"${event.submitted_at}\" }\n  - { to: person.name, value: "
        "\"${event.person.name}\" }\n  - { to: consent, value: \"${event.consent}\" }\n"
        "examples: [ { name: one, given: {}, held: source } ]\n",
        "by-mail.yaml", diagnostics);
    ASSERT_TRUE(map.has_value()) << diagnostics.to_string();
  }
  Uuid post(const std::string& text) {
    auto document = expression::Document::parse(R"({"text":")" + text + R"("})");
    const auto created = publisher.create(person(marie), document->root(), {"crm"}, "");
    EXPECT_TRUE(created.has_value()) << (created ? "" : to_string(created.error()));
    return created->post;
  }
  Uuid command_of(const Uuid& post_id) {
    return company.exec("SELECT command FROM post_target WHERE post = $1", {post_id}).uuid(0, 0);
  }
  const identity::Principal& person(std::int64_t id) { return *company.directory.current()->snapshot->principal(id); }

  std::int64_t marie = 0, jean = 0;
  std::atomic<int> woken{0}, reread{0};
  ParkedDesk desk{{company.pool, company.keys, company.recorder, company.directory, company.clock, company.random,
                   company.log, key,
                   [this](std::string_view name) { return map && name == map->name() ? &*map : nullptr; },
                   [this] { return packs; }, [this](int) { ++woken; }, [this](int) { ++reread; }}};
  Publisher publisher{{company.pool, company.keys, company.recorder, company.directory, company.clock, company.random,
                       key, [this] { return packs; }, [](int) {}}};
};

TEST_F(ParkedDeskTest, ADeadLetterIsDecidedAgainAndStandsAtTheTailOnceMore) {
  const Uuid id = routed_lead("e1");
  die(id);
  const Uuid other = routed_lead("e2");
  const std::int64_t records = company.count("record");
  EXPECT_EQ(retry(id), "released");
  EXPECT_EQ(company.text("SELECT string_agg(command::text, ' ' ORDER BY seq) FROM outbox"),
            other.to_string() + " " + id.to_string());
  EXPECT_EQ(company.count("decision WHERE command = '" + id.to_string() + "' AND effect = 1"), 2);
  EXPECT_EQ(company.count("outbox o JOIN decision d ON d.id = o.decision WHERE o.command = '" + id.to_string() +
                          "' AND d.at > (SELECT min(at) FROM decision)"),
            1)
      << "it carries today's decision";
  EXPECT_EQ(company.count("record") - records, 2) << "the decision and the act";
  EXPECT_EQ(company.books().in_flight, 2);
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(woken, 1);
  EXPECT_EQ(retry(id).substr(0, 14), "parked.unknown") << "it is parked no more";
}

TEST_F(ParkedDeskTest, WhatTheMappingHeldIsMappedAgainWithTodaysMapping) {
  const Uuid id = routed_lead("no mail", R"({"name":"Zoe Dupont"})");
  ASSERT_EQ(company.books().held, 1);
  EXPECT_NE(retry(id).find("parked.denied: not released: built-in/mapping.held: route leads"), std::string::npos)
      << retry(id);
  EXPECT_NE(company.text("SELECT reason FROM parked").find("person.email"), std::string::npos);
  EXPECT_EQ(company.books().held, 1) << books();
  EXPECT_TRUE(company.books().balanced()) << books();
  use_mapping_without_mail();
  EXPECT_EQ(retry(id), "released");
  const auto rows =
      journal::read_outbox(**company.pool.take(), 7, company.exec("SELECT connection FROM outbox").number(0, 0), 0, 9);
  ASSERT_TRUE(rows && rows->size() == 1);
  const journal::NewCommand& sent = rows->front().command;
  EXPECT_EQ(sent.id, id);
  EXPECT_EQ(sent.body_format, "lead/1");
  EXPECT_EQ(sent.purposes, std::vector<std::string>{"crm"});
  const auto body = company.keys.open(sent.body.key, sent.body.bytes, journal::body_binding(id));
  ASSERT_TRUE(body.has_value());
  EXPECT_NE(body->find("Zoe Dupont"), std::string::npos) << *body;
  EXPECT_EQ(company.books().in_flight, 1);
  EXPECT_EQ(company.books().made, 1);
  EXPECT_TRUE(company.books().balanced()) << books();
}

TEST_F(ParkedDeskTest, ARuleOfTodayKeepsADeadLetterWithItsNameAndTheEvidence) {
  const Uuid id = routed_lead("e1");
  die(id);
  use_pack(rule("frozen", "forbid"));
  const std::string refused = "not released: site/frozen: Not today.; before: REJECTED (HTTP 422) no such field";
  EXPECT_EQ(retry(id), "parked.denied: " + refused);
  EXPECT_EQ(retry(id), "parked.denied: " + refused) << "said twice, the evidence stands once";
  EXPECT_EQ(company.text("SELECT reason FROM parked WHERE state = 6"), refused);
  EXPECT_EQ(company.count("decision WHERE rule = 'frozen' AND effect = 4"), 2);
  EXPECT_EQ(company.books().dead, 1);
  EXPECT_EQ(company.books().refused, 0) << "it was made: refused counts what never was";
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(woken, 0);
  use_pack(rule("thawed", "warn"));
  EXPECT_EQ(retry(id), "released");
}

// A hold by a rule of today is the first answer; who retries after it was shown knows the rule and releases it.
TEST_F(ParkedDeskTest, AHoldOnARoutesCommandIsShownFirstAndReleasedByTheNextRetry) {
  const Uuid id = routed_lead("e1");
  die(id);
  use_pack(rule("look", "hold", "held_for: privacy, "));
  EXPECT_NE(retry(id).find("parked.denied: not released: site/look"), std::string::npos);
  EXPECT_EQ(company.text("SELECT held_for FROM parked"), "privacy");
  EXPECT_EQ(retry(id), "released");
}

TEST_F(ParkedDeskTest, ARouteThatIsGoneOrGoesElsewhereAndASuspendedTargetKeepItParked) {
  const Uuid id = routed_lead("e1");
  die(id);
  company.exec("UPDATE route SET operation = 'post'");
  refresh();
  EXPECT_NE(retry(id).find("built-in/route.changed"), std::string::npos);
  company.exec("DELETE FROM route");
  refresh();
  EXPECT_NE(retry(id).find("built-in/route.gone"), std::string::npos);
  company.add_route("leads", source->id, "lead.form", company.directory.current()->snapshot->connection("crm")->id,
                    "upsert", "by-mail");
  company.exec("UPDATE connection SET descriptor_sha256 = '\\x00' WHERE name = 'crm'");
  refresh();
  EXPECT_NE(retry(id).find("built-in/route.broken"), std::string::npos) << retry(id);
  EXPECT_EQ(company.books().dead, 1);
  EXPECT_TRUE(company.books().balanced()) << books();
}

TEST_F(ParkedDeskTest, APostThatARuleHoldsIsNotTheAdministratorsToRelease) {
  const Uuid held = post("une information confidentielle");
  EXPECT_EQ(retry(command_of(held)).substr(0, 21), "parked.needs-approval");
  ASSERT_TRUE(publisher.review(person(jean), held, Publisher::Review::reject, "no").has_value());
  EXPECT_EQ(retry(command_of(held)).substr(0, 15), "parked.rejected");
  EXPECT_EQ(company.count("outbox"), 0);
}

// What another subject approved once need not be approved again; a hold of today needs somebody again, and the
// administrator is nobody.
TEST_F(ParkedDeskTest, ADeadPostThatWasApprovedGoesAgainAndANewHoldStopsIt) {
  const Uuid approved = post("une information confidentielle");
  ASSERT_TRUE(publisher.review(person(jean), approved, Publisher::Review::approve, "").has_value());
  die(command_of(approved));
  use_pack(rule("look", "hold", "held_for: editors, "));
  EXPECT_NE(retry(command_of(approved)).find("site/look"), std::string::npos);
  EXPECT_NE(retry(command_of(approved)).find("site/look"), std::string::npos) << "asking twice approves nothing";
  use_pack(rule("thawed", "warn"));
  EXPECT_EQ(retry(command_of(approved)), "released");
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(company.text("SELECT author::text FROM outbox"), std::to_string(marie));
}

TEST_F(ParkedDeskTest, WhatWaitsIsDueNowOrHeldAndThenReleased) {
  const Uuid id = routed_lead("e1");
  leave(id, journal::ParkedState::retry);
  EXPECT_EQ(retry(id), "due");
  EXPECT_EQ(company.count("parked WHERE due <= now() + interval '1 second'"), 1);
  EXPECT_EQ(reread, 1);
  EXPECT_EQ(code_of(desk.hold(id)), "done");
  EXPECT_EQ(company.books().held, 1);
  EXPECT_EQ(code_of(desk.hold(id)), "parked.state");
  EXPECT_EQ(company.text("SELECT held_for FROM parked"), "operator");
  EXPECT_EQ(retry(id), "released");
  EXPECT_TRUE(company.books().balanced()) << books();
}

TEST_F(ParkedDeskTest, DroppedIsDeadAndWhatIsBehindIsNotRetriedPastTheEarlierOne) {
  const Uuid id = routed_lead("e1");
  leave(id, journal::ParkedState::behind);
  EXPECT_EQ(retry(id).substr(0, 13), "parked.behind");
  EXPECT_EQ(code_of(desk.drop(id)), "done");
  EXPECT_EQ(code_of(desk.drop(id)), "parked.state");
  EXPECT_EQ(company.books().dead, 1);
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(company.count("record WHERE kind = 9"), 1) << "the act is archived";
  EXPECT_EQ(code_of(desk.drop(Uuid::random(company.random))), "parked.unknown");
}

TEST_F(ParkedDeskTest, AQuarantinedCallIsReadAgainAfterTheFaultWasMended) {
  sink.refuse = "e1";
  receive(lead("e1", "k", "crm"));
  receive("poison");
  start();
  ASSERT_TRUE(test::eventually(std::chrono::seconds(20), [&] { return company.books().quarantined == 2; })) << books();
  const Uuid refused = company.exec("SELECT command FROM parked ORDER BY seq LIMIT 1").uuid(0, 0);
  const Uuid poison = company.exec("SELECT command FROM parked ORDER BY seq DESC LIMIT 1").uuid(0, 0);
  auto again = desk.retry_call(poison);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "quarantine.again");
  EXPECT_NE(again.error().what.find("this call can never be read"), std::string::npos) << again.error().what;
  EXPECT_EQ(company.books().quarantined, 2) << books();
  sink.refuse = "(none)";
  again = desk.retry_call(refused);
  ASSERT_TRUE(again.has_value()) << to_string(again.error());
  EXPECT_EQ(*again, ParkedDesk::Reread::routed);
  EXPECT_EQ(sink.events, std::vector<std::string>{"e1"});
  EXPECT_EQ(company.books().made, 1);
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(code_of(desk.drop_call(poison)), "done");
  EXPECT_EQ(code_of(desk.drop_call(poison)), "quarantine.state");
  EXPECT_EQ(company.books().dropped, 1);
  EXPECT_EQ(company.books().dead, 0) << "a call is no command";
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(retry(poison).substr(0, 11), "parked.call");
  EXPECT_EQ(code_of(desk.drop_call(Uuid::random(company.random))), "quarantine.unknown");
}

TEST_F(ParkedDeskTest, WhatNobodyKnowsTheOriginOfIsNotSent) {
  const auto& crm = *company.directory.current()->snapshot->connection("crm");
  const Uuid id = company.order(crm, "upsert", "k", "{}");
  die(id);
  EXPECT_NE(retry(id).find("built-in/origin.unknown"), std::string::npos);
}

// Whichever statement fails, the command stands in one place, and the act can be done again.
TEST_F(ParkedDeskTest, WhicheverStatementFailsTheReleaseIsDoneWholeOrNotAtAll) {
  const Uuid id = routed_lead("e1");
  router->stop();
  std::int64_t n = 1;
  for (; n < 60; ++n) {
    die(id);
    company.fault.fail_at(n);
    (void)desk.retry(id);
    const bool met = company.fault.met();
    company.fault.fail_at(0);
    ASSERT_TRUE(company.books().balanced()) << "N = " << n << " " << books();
    ASSERT_EQ(company.books().dead + company.books().in_flight, 1) << "N = " << n;
    if (company.books().dead == 1) {
      ASSERT_EQ(retry(id), "released") << "N = " << n;
    }
    if (!met) break;
  }
  EXPECT_GT(n, 8);
}

}  // namespace
}  // namespace isthmus::publishing
