// Posts, approvals and tracked actions against a real database and the shipped rule pack. What is asserted is what
// people see: states of targets, rows, refusals with their rule.
#include "publishing/publisher.h"

#include <gtest/gtest.h>

#include "adapter/descriptor_adapter.h"
#include "store/repeat.h"
#include "support/scripted_adapter.h"
#include "support/small_company.h"

namespace isthmus::publishing {
namespace {

const char* const kHeld = "une information confidentielle";

class Publishing : public ::testing::Test {
 protected:
  Publishing() {
    Diagnostics diagnostics;
    packs = policy::PackSet::load({std::string(ISTHMUS_SOURCE_DIR) + "/policies/base.yaml"}, diagnostics);
    ISTHMUS_CHECK(packs != nullptr, "the shipped pack loads");
    company.add_connection("first", 9);
    company.add_connection("second", 2);
    marie = company.add_person("marie", "{publish,approve}");
    jean = company.add_person("jean", "{publish,approve}");
    paul = company.add_person("paul", "{publish}");
    company.refresh();
  }

  const identity::Principal& person(std::int64_t id) { return *company.directory.current()->snapshot->principal(id); }
  Result<Publisher::Created> create(std::int64_t author, const std::string& post,
                                    const std::vector<std::string>& targets, const std::string& idempotency_key = "") {
    auto document = expression::Document::parse(post);
    EXPECT_TRUE(document.has_value()) << post;
    return publisher.create(person(author), document->root(), targets, idempotency_key);
  }
  static std::string text(const std::string& words) { return R"({"text":")" + words + R"("})"; }
  Result<void> review(std::int64_t who, const Uuid& post, Publisher::Review what) {
    return publisher.review(person(who), post, what, "because");
  }
  std::string books() { return company.books().to_json(); }
  static std::string code(const Error& error) { return error.code; }

  test::SmallCompany company;
  Secret key{std::string(32, 'k')};
  std::shared_ptr<const policy::PackSet> packs;
  std::int64_t marie = 0, jean = 0, paul = 0;
  std::vector<int> woken;
  Publisher publisher{{company.pool, company.keys, company.recorder, company.directory, company.clock, company.random,
                       key, [this] { return packs; }, [this](int lane) { woken.push_back(lane); }}};
};

TEST_F(Publishing, ATimeAfterWhichAPostIsWorthNothingTravelsWithItsCommandsAndMayNotBeOver) {
  auto document = expression::Document::parse(text("hello"));
  const Instant tomorrow = company.clock.now() + std::chrono::hours(24);
  ASSERT_TRUE(publisher.create(person(marie), document->root(), {"first"}, "key", tomorrow).has_value());
  EXPECT_EQ(company.exec("SELECT not_after FROM outbox").instant(0, 0), tomorrow);
  const auto other = publisher.create(person(marie), document->root(), {"first"}, "key");
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(code(other.error()), "idempotency.mismatch") << "another time is another post";
  auto held = expression::Document::parse(text(kHeld));
  const auto waits = publisher.create(person(marie), held->root(), {"first"}, "", tomorrow);
  ASSERT_TRUE(waits.has_value());
  ASSERT_TRUE(review(jean, waits->post, Publisher::Review::approve).has_value());
  EXPECT_EQ(company.count("outbox WHERE not_after IS NOT NULL"), 2) << "approving it gives it no more time";
  const auto over = publisher.create(person(marie), document->root(), {"first"}, "", company.clock.now());
  ASSERT_FALSE(over.has_value());
  EXPECT_EQ(code(over.error()), "post.invalid");
}

TEST_F(Publishing, APostGoesToEachTargetWithADecisionAndACommandOfItsOwn) {
  const auto created = create(marie, text("hello"), {"first", "second"});
  ASSERT_TRUE(created.has_value()) << to_string(created.error());
  EXPECT_EQ(company.count("post"), 1);
  EXPECT_EQ(company.count("post_target t JOIN ledger l USING (command) JOIN outbox o USING (command) JOIN decision d "
                          "USING (command) WHERE d.effect = 1"),
            2);
  EXPECT_EQ(company.count("record"), 4) << "a decision and a command for each";
  EXPECT_EQ(woken.size(), 2U);
  EXPECT_EQ(company.books().in_flight, 2);
  EXPECT_TRUE(company.books().balanced()) << books();
}

TEST_F(Publishing, AnUnknownTargetOrOneTwiceOrNoneIsRefusedAndNothingIsMade) {
  for (const std::vector<std::string>& targets :
       {std::vector<std::string>{"first", "nowhere"}, {"first", "first"}, {}}) {
    const auto created = create(marie, text("hello"), targets);
    ASSERT_FALSE(created.has_value());
    EXPECT_EQ(created.error().code, "post.target");
  }
  EXPECT_EQ(company.count("post"), 0);
  EXPECT_EQ(company.count("decision"), 0);
}

TEST_F(Publishing, ABodyThatIsNoPostIsRefusedWithItsField) {
  const auto created = create(marie, R"({"txt":"hello"})", {"first"});
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().code, "post.invalid");
}

TEST_F(Publishing, WhatANetworkWouldRefuseIsRefusedBeforeAnythingIsMade) {
  const auto created = create(marie, text("this is too long"), {"first"});
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().code, "post.invalid");
  EXPECT_NE(created.error().what.find("300 are allowed (text.too-long)"), std::string::npos) << created.error().what;
  EXPECT_EQ(company.count("post"), 0);
}

// What a server says of itself is what its people may write, not what the vendor's program has by default.
TEST_F(Publishing, AServersOwnLimitsDecideHowLongAPostMayBe) {
  Diagnostics diagnostics;
  const auto mastodon =
      adapter::load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/mastodon/descriptor.yaml", diagnostics);
  ASSERT_NE(mastodon, nullptr) << diagnostics.to_string();
  const std::string url = "https://masto.example";
  const std::int64_t id =
      company.add_connection_of(*mastodon, "masto", 4, url, {{"instance", url}, {"account", "acme"}});
  company.refresh();
  const auto told = [&](int characters) {
    const std::lock_guard lock(company.db_mutex);
    auto tx = store::Transaction::begin(*company.db);
    const auto& connection = *company.directory.current()->snapshot->connection(id);
    ASSERT_TRUE(identity::put_facts(*tx, connection,
                                    {R"({"text_max":)" + std::to_string(characters) + "}", company.clock.now()}));
    ASSERT_TRUE(tx->commit());
  };
  const auto publish = [&](int characters) {
    ASSERT_TRUE(*company.directory.refresh());
    const auto created = create(marie, text(std::string(static_cast<std::size_t>(characters), 'a')), {"masto"});
    EXPECT_TRUE(created.has_value()) << to_string(created.error());
  };
  const auto refusal = [&](int characters) {
    (void)company.directory.refresh();
    const auto created = create(marie, text(std::string(static_cast<std::size_t>(characters), 'a')), {"masto"});
    return created ? std::string("accepted") : created.error().code + ": " + created.error().what;
  };
  EXPECT_EQ(refusal(501), "post.invalid: masto: the text has 501 characters, 500 are allowed (text.too-long)");
  told(1000);
  publish(900);
  EXPECT_EQ(refusal(1001), "post.invalid: masto: the text has 1001 characters, 1000 are allowed (text.too-long)");
  told(300);
  EXPECT_EQ(refusal(400), "post.invalid: masto: the text has 400 characters, 300 are allowed (text.too-long)");
  EXPECT_EQ(company.count("outbox"), 1);
}

TEST_F(Publishing, AHeldPostThatItsNetworkWouldRefuseTodayIsNotReleased) {
  std::atomic<bool> short_texts = false;
  test::ScriptedAdapter adapter("other");
  adapter.description.operations = company.adapter.describe().operations;
  adapter.on_validate = [&](const adapter::Command&) {
    std::vector<adapter::Problem> problems;
    if (short_texts) problems.push_back({"text.too-long", "text", {{"max", "5"}, {"found", "31"}}});
    return problems;
  };
  company.add_connection_of(adapter, "third", 4, "https://third.example", {});
  company.refresh();
  const auto created = create(marie, text(kHeld), {"third"});
  ASSERT_TRUE(created.has_value()) << to_string(created.error());
  short_texts = true;
  const auto released = review(jean, created->post, Publisher::Review::approve);
  ASSERT_FALSE(released.has_value());
  EXPECT_EQ(released.error().code, "post.invalid");
  EXPECT_NE(released.error().what.find("third: the text has 31 characters, 5 are allowed"), std::string::npos);
  EXPECT_EQ(company.books().held, 1) << books();
  short_texts = false;
  EXPECT_TRUE(review(jean, created->post, Publisher::Review::approve).has_value());
}

TEST_F(Publishing, AForbiddenPostLeavesItsDecisionAndNoLedgerRow) {
  const auto created = create(marie, text("my card is 4111 1111 1111 1111"), {"first", "second"});
  ASSERT_TRUE(created.has_value()) << to_string(created.error());
  EXPECT_EQ(company.count("decision WHERE effect = 4 AND rule = 'card-number'"), 2);
  EXPECT_EQ(company.count("ledger"), 0);
  EXPECT_EQ(company.count("outbox"), 0);
  EXPECT_EQ(company.count("parked"), 0);
  EXPECT_TRUE(woken.empty());
  EXPECT_TRUE(company.books().balanced()) << books();
}

TEST_F(Publishing, WhoHasNoRightIsDeniedByDefault) {
  const std::int64_t nobody = company.add_person("nobody", "{}");
  company.refresh();
  ASSERT_TRUE(create(nobody, text("hello"), {"first"}).has_value());
  EXPECT_EQ(company.text("SELECT rule FROM decision"), "default.deny");
  EXPECT_EQ(company.count("ledger"), 0);
}

TEST_F(Publishing, AHeldPostIsReleasedByAnotherAndNotByItsAuthor) {
  const auto created = create(marie, text(kHeld), {"first", "second"});
  ASSERT_TRUE(created.has_value()) << to_string(created.error());
  EXPECT_EQ(company.books().held, 2) << books();
  EXPECT_EQ(company.count("outbox"), 0);

  const auto own = review(marie, created->post, Publisher::Review::approve);
  ASSERT_FALSE(own.has_value());
  EXPECT_EQ(own.error().code, "approval.forbidden");
  EXPECT_NE(own.error().what.find("release.own"), std::string::npos) << own.error().what;
  const auto without_right = review(paul, created->post, Publisher::Review::approve);
  ASSERT_FALSE(without_right.has_value());
  EXPECT_EQ(without_right.error().code, "approval.forbidden");
  EXPECT_EQ(company.books().held, 2) << "a refused approval changes nothing";

  const auto released = review(jean, created->post, Publisher::Review::approve);
  ASSERT_TRUE(released.has_value()) << to_string(released.error());
  EXPECT_EQ(company.books().held, 0);
  EXPECT_EQ(company.books().in_flight, 2);
  EXPECT_EQ(company.books().made, 2) << "a release makes no new command";
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(company.count("decision WHERE rule = 'release.right' AND principal = " + std::to_string(jean)), 2);

  const auto again = review(jean, created->post, Publisher::Review::approve);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "approval.nothing-held");
}

TEST_F(Publishing, AReleasedPostIsTheOneThatWasHeld) {
  const auto created = create(marie, text(kHeld), {"first"});
  ASSERT_TRUE(created.has_value());
  ASSERT_TRUE(review(jean, created->post, Publisher::Review::approve).has_value());
  const store::Rows row =
      company.exec("SELECT command, journal_key, body, order_key, body_format, operation FROM outbox");
  ASSERT_EQ(row.size(), 1);
  const auto body = company.keys.open(row.number(0, 1), row.bytes(0, 2), journal::body_binding(row.uuid(0, 0)));
  ASSERT_TRUE(body.has_value());
  EXPECT_NE(body->find(kHeld), std::string::npos);
  EXPECT_EQ(row.text(0, 4), "post/1");
  EXPECT_EQ(row.text(0, 5), "post");
}

TEST_F(Publishing, WhatIsForbiddenTodayIsNotReleased) {
  const auto created = create(marie, text(kHeld), {"first"});
  ASSERT_TRUE(created.has_value());
  company.exec("UPDATE principal SET rights = '{}' WHERE id = $1", {store::Param::integer(marie)});
  company.refresh();
  const auto released = review(jean, created->post, Publisher::Review::approve);
  ASSERT_FALSE(released.has_value());
  EXPECT_EQ(released.error().code, "approval.forbidden");
  EXPECT_NE(released.error().what.find("default.deny"), std::string::npos) << released.error().what;
  EXPECT_EQ(company.books().held, 1);
}

TEST_F(Publishing, ARejectedPostIsDeadWithWhoAndWhy) {
  const auto created = create(marie, text(kHeld), {"first"});
  ASSERT_TRUE(created.has_value());
  ASSERT_TRUE(review(jean, created->post, Publisher::Review::reject).has_value());
  EXPECT_EQ(company.books().dead, 1) << books();
  EXPECT_EQ(company.count("outbox"), 0);
  EXPECT_TRUE(company.books().balanced()) << books();
  EXPECT_EQ(company.text("SELECT reason FROM parked"), "rejected by jean");
  EXPECT_EQ(company.text("SELECT reason FROM decision WHERE rule = 'review.rejected'"), "because");
}

// One target's reply was lost and nobody can tell whether it is on the network: approving the other must not send it
// again.
TEST_F(Publishing, AnApprovalLeavesATargetAloneThatIsHeldForTheOperator) {
  const auto created = create(marie, text(kHeld), {"first", "second"});
  ASSERT_TRUE(created.has_value());
  company.exec(
      "UPDATE parked SET held_for = 'operator', author = NULL, stage = 2 WHERE connection = (SELECT id FROM connection "
      "WHERE name = 'first')");
  const auto released = review(jean, created->post, Publisher::Review::approve);
  ASSERT_TRUE(released.has_value()) << to_string(released.error());
  EXPECT_EQ(company.books().held, 1) << books();
  EXPECT_EQ(company.text("SELECT c.name FROM outbox o JOIN connection c ON c.id = o.connection"), "second");
  const auto again = review(jean, created->post, Publisher::Review::approve);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, "approval.nothing-held");
}

TEST_F(Publishing, ReviewOfAPostThatIsNotThereSaysSo) {
  const auto done = review(jean, Uuid::random(company.random), Publisher::Review::approve);
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, "post.unknown");
}

TEST_F(Publishing, TheSameKeyWithTheSamePostIsOnePost) {
  const auto first = create(marie, text("hello"), {"first", "second"}, "k1");
  const auto second = create(marie, text("hello"), {"second", "first"}, "k1");
  ASSERT_TRUE(first.has_value() && second.has_value());
  EXPECT_FALSE(first->again);
  EXPECT_TRUE(second->again);
  EXPECT_EQ(first->post, second->post);
  EXPECT_EQ(company.books().made, 2) << books();
  ASSERT_TRUE(create(jean, text("hello"), {"first"}, "k1").has_value()) << "keys are each author's own";
  EXPECT_EQ(company.count("post"), 2);
}

TEST_F(Publishing, TheSameKeyWithAnotherPostOrOtherTargetsIsRefused) {
  ASSERT_TRUE(create(marie, text("hello"), {"first"}, "k1").has_value());
  const auto other_text = create(marie, text("hellp"), {"first"}, "k1");
  ASSERT_FALSE(other_text.has_value());
  EXPECT_EQ(other_text.error().code, "idempotency.mismatch");
  const auto other_target = create(marie, text("hello"), {"second"}, "k1");
  ASSERT_FALSE(other_target.has_value());
  EXPECT_EQ(other_target.error().code, "idempotency.mismatch");
  EXPECT_EQ(company.books().made, 1);
}

TEST_F(Publishing, AReplyGoesOutAsAReplyToItsMessage) {
  ASSERT_TRUE(create(marie, R"({"text":"thanks","reply_to":{"id":"remote-1"}})", {"first"}).has_value());
  EXPECT_EQ(company.text("SELECT operation || ' ' || remote_id FROM outbox"), "reply remote-1");
}

TEST_F(Publishing, AMetricIsTrackedAndAForbiddenOneSaysWhy) {
  auto metric = expression::Document::parse(
      R"({"action":"click","url":"https://a.example/","occurred_at":"2026-11-24T18:00:00Z"})");
  ASSERT_TRUE(metric.has_value());
  const auto tracked = publisher.track(person(marie), "first", metric->root());
  ASSERT_TRUE(tracked.has_value()) << to_string(tracked.error());
  EXPECT_EQ(company.text("SELECT operation FROM outbox"), "track");
  const std::int64_t nobody = company.add_person("nobody", "{}");
  company.refresh();
  const auto refused = publisher.track(person(nobody), "first", metric->root());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "policy.forbidden");
  EXPECT_EQ(company.books().made, 1);
}

// PostgreSQL ends one of two transactions that wait for each other; that one is done again, and not for ever.
TEST_F(Publishing, ATransactionThatLostAConflictIsDoneAgainAndGivenUpAfterAFewTimes) {
  company.exec("CREATE SEQUENCE conflicts");
  company.exec("CREATE TABLE losses (n int)");
  company.exec(
      "CREATE FUNCTION lose() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF nextval('conflicts') <= (SELECT n FROM "
      "losses) THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '40P01'; END IF; RETURN NULL; END $$");
  company.exec("CREATE TRIGGER lose AFTER INSERT ON record FOR EACH STATEMENT EXECUTE FUNCTION lose()");
  const auto losses = [&](int n) {
    company.exec("DELETE FROM losses");
    company.exec("INSERT INTO losses VALUES (" + std::to_string(n) + ")");
    company.exec("ALTER SEQUENCE conflicts RESTART");
  };
  losses(store::kConflictTriesMax - 1);
  const auto created = create(marie, text(kHeld), {"first", "second"});
  ASSERT_TRUE(created.has_value()) << to_string(created.error());
  EXPECT_EQ(company.books().held, 2) << books();
  EXPECT_EQ(company.count("record"), 4);
  losses(1);
  const auto released = review(jean, created->post, Publisher::Review::approve);
  ASSERT_TRUE(released.has_value()) << to_string(released.error());
  EXPECT_EQ(company.books().in_flight, 2) << books();
  losses(1000);
  const auto refused = create(marie, text("hello"), {"first"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, "store.conflict");
  EXPECT_EQ(company.count("post"), 1);
  EXPECT_TRUE(company.books().balanced()) << books();
}

// The Nth statement fails: a post is there whole, with the same key it is one post afterwards, or it is not there at
// all.
TEST_F(Publishing, WhicheverStatementFailsAPostIsThereWholeOrNotAtAll) {
  int n = 1;
  for (; n < 200 && !HasFailure(); ++n) {
    const std::string key_of_run = "run" + std::to_string(n);
    company.fault.fail_at(n);
    const auto created = create(marie, text(kHeld), {"first", "second"}, key_of_run);
    const bool met = company.fault.met();
    company.fault.fail_at(0);
    EXPECT_TRUE(created.has_value() || met);
    EXPECT_EQ(company.books().held, 2 * (n - 1) + (created ? 2 : 0)) << "N = " << n;
    const auto again = create(marie, text(kHeld), {"first", "second"}, key_of_run);
    ASSERT_TRUE(again.has_value()) << to_string(again.error());
    EXPECT_EQ(company.books().held, 2 * n) << "N = " << n;
    EXPECT_TRUE(company.books().balanced()) << "N = " << n << " " << books();
    if (!met) break;
  }
  EXPECT_GT(n, 10);
}

TEST_F(Publishing, WhicheverStatementFailsAReleaseIsDoneWholeOrNotAtAll) {
  int n = 1;
  for (; n < 200 && !HasFailure(); ++n) {
    const auto created = create(marie, text(kHeld), {"first", "second"});
    ASSERT_TRUE(created.has_value());
    company.fault.fail_at(n);
    const auto released = review(jean, created->post, Publisher::Review::approve);
    const bool met = company.fault.met();
    company.fault.fail_at(0);
    EXPECT_TRUE(released.has_value() || met);
    EXPECT_EQ(company.books().held, released ? 0 : 2) << "N = " << n;
    if (!released) {
      ASSERT_TRUE(review(jean, created->post, Publisher::Review::approve).has_value());
    }
    EXPECT_EQ(company.books().in_flight, 2 * n) << "N = " << n;
    EXPECT_TRUE(company.books().balanced()) << "N = " << n << " " << books();
    if (!met) break;
  }
  EXPECT_GT(n, 10);
}

}  // namespace
}  // namespace isthmus::publishing
