#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <thread>

#include "policy/command.h"
#include "policy/pack_set.h"

namespace isthmus::policy {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHead = "policy: 1\npack: p\nversion: '7'\n";

class Policy : public ::testing::Test {
 protected:
  Policy() {
    std::string name = ::testing::TempDir() + "/isthmus-policy-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~Policy() override { fs::remove_all(folder_); }

  fs::path write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name) << text;
    return folder_ / name;
  }
  std::shared_ptr<const PackSet> load(const std::string& text) {
    Diagnostics diagnostics;
    std::shared_ptr<const PackSet> set = PackSet::load({write("p.yaml", text)}, diagnostics);
    EXPECT_NE(set, nullptr) << diagnostics.to_string();
    return set;
  }
  std::string refusal(const std::string& text) {
    Diagnostics diagnostics;
    EXPECT_EQ(PackSet::load({write("p.yaml", text)}, diagnostics), nullptr);
    return diagnostics.to_string();
  }

  fs::path folder_;
};

std::string rule(const std::string& id, const std::string& effect, const std::string& more = "") {
  return "  - { id: " + id + ", effect: " + effect + ", actions: [publish], reason: { en: e, fr: f }" +
         (more.empty() ? "" : ", " + more) + " }\n";
}

Decision publish(const PackSet& set, const std::string& text, std::vector<std::string> released = {}) {
  const std::vector<Text> texts = {{"text", text}};
  Request request;
  request.principal.subject = "marie";
  request.action = "publish";
  request.resource.texts = texts;
  request.released = released;
  return set.decide(request);
}

TEST_F(Policy, ForbidBeatsHoldBeatsWarnBeatsPermit) {
  const std::string permit = rule("permit", "permit");
  const std::string warn = rule("warn", "warn");
  const std::string hold = rule("hold", "hold", "held_for: boss");
  const std::string forbid = rule("forbid", "forbid");
  const std::string head = std::string(kHead) + "rules:\n";
  EXPECT_EQ(publish(*load(head + permit + warn + hold + forbid), "").rule, "forbid");
  EXPECT_EQ(publish(*load(head + permit + warn + hold), "").rule, "hold");
  EXPECT_EQ(publish(*load(head + permit + warn + hold), "").held_for, "boss");
  EXPECT_EQ(publish(*load(head + permit + warn), "").rule, "warn");
  const Decision permitted = publish(*load(head + permit), "");
  EXPECT_EQ(permitted.effect, Effect::permit);
  EXPECT_EQ(permitted.pack, "p");
  EXPECT_EQ(permitted.pack_version, "7");
  EXPECT_EQ(permitted.reason_fr, "f");
}

TEST_F(Policy, WhatNoRulePermitsIsForbidden) {
  const std::string head = std::string(kHead) + "rules:\n";
  for (const std::string& only :
       {rule("w", "warn"), rule("h", "hold", "held_for: boss"), rule("p", "permit", "when: \"action == 'reply'\"")}) {
    const Decision decision = publish(*load(head + only), "");
    EXPECT_EQ(decision.effect, Effect::forbid);
    EXPECT_EQ(decision.rule, "default.deny");
    EXPECT_EQ(decision.pack, "built-in");
  }
  Diagnostics diagnostics;
  const std::shared_ptr<const PackSet> empty = PackSet::load({}, diagnostics);
  ASSERT_NE(empty, nullptr);
  EXPECT_EQ(publish(*empty, "").rule, "default.deny");
  Request unknown;
  unknown.action = "fly";
  EXPECT_EQ(load(head + rule("p", "permit"))->decide(unknown).effect, Effect::forbid);
}

TEST_F(Policy, AConditionThatCannotBeEvaluatedForbidsUnderItsRulesName) {
  const std::string head = std::string(kHead) + "rules:\n" + rule("permit", "permit");
  for (const char* effect : {"permit", "warn", "forbid"}) {
    const std::string text = head + rule("broken", effect, "when: \"context.absent > 3\"");
    const Decision decision = publish(*load(text), "");
    if (std::string(effect) == "permit") {
      EXPECT_EQ(decision.effect, Effect::permit) << "the first permit was enough; the broken one was not asked";
      continue;
    }
    EXPECT_EQ(decision.effect, Effect::forbid) << effect;
    EXPECT_EQ(decision.rule, "broken");
    EXPECT_NE(decision.reason_en.find("could not be evaluated"), std::string::npos);
  }
  const Decision alone =
      publish(*load(std::string(kHead) + "rules:\n" + rule("broken", "permit", "when: \"context.absent > 3\"")), "");
  EXPECT_EQ(alone.effect, Effect::forbid);
  EXPECT_EQ(alone.rule, "broken");
}

TEST_F(Policy, AReleasedHoldDoesNotHoldAgainButAnotherDoes) {
  const std::shared_ptr<const PackSet> set =
      load(std::string(kHead) + "lists: { l: [alpha], m: [beta] }\nrules:\n" + rule("permit", "permit") +
           rule("a", "hold", "held_for: x, match: [{ terms: l }]") +
           rule("b", "hold", "held_for: y, match: [{ terms: m }]"));
  EXPECT_EQ(publish(*set, "alpha beta").rule, "a");
  EXPECT_EQ(publish(*set, "alpha beta", {"p/a"}).rule, "b");
  EXPECT_EQ(publish(*set, "alpha beta", {"p/b"}).rule, "a");
  EXPECT_EQ(publish(*set, "alpha beta", {"p/a", "p/b"}).effect, Effect::permit);
  EXPECT_EQ(publish(*set, "alpha beta", {"other/a", "p/b"}).rule, "a");
}

TEST_F(Policy, NamesThePlaceOfWhatItFound) {
  const std::shared_ptr<const PackSet> set =
      load(std::string(kHead) + "rules:\n" + rule("permit", "permit") +
           rule("x", "forbid", "match: [{ pattern: 'b+' }, { detect: card_number }]"));
  const std::vector<Text> texts = {{"text", "no"}, {"link.title", "é: bbb"}};
  Request request;
  request.action = "publish";
  request.resource.texts = texts;
  const Decision decision = set->decide(request);
  ASSERT_TRUE(decision.match);
  EXPECT_EQ(decision.match->field, "link.title");
  EXPECT_EQ(decision.match->begin, 4U);
  EXPECT_EQ(decision.match->end, 7U);
}

TEST_F(Policy, ThePurposesGateStandsBeforeEveryRule) {
  const std::shared_ptr<const PackSet> set = load(std::string(kHead) + "rules:\n" + rule("permit", "permit"));
  const std::vector<std::string> purposes = {"engagement"};
  Request request;
  request.action = "publish";
  request.resource.connection = "crm";
  request.resource.purpose = "engagement";
  request.resource.purposes = purposes;
  EXPECT_EQ(set->decide(request).effect, Effect::permit);
  request.resource.purpose = "crm";
  request.resource.terms = "the terms of x";
  const Decision refused = set->decide(request);
  EXPECT_EQ(refused.effect, Effect::forbid);
  EXPECT_EQ(refused.rule, "purposes.crm");
  EXPECT_EQ(refused.reason_en, "crm would use this for crm, which the terms of x do not allow; allowed: engagement");
  request.resource.purposes = {};
  EXPECT_EQ(set->decide(request).rule, "purposes.crm");
  request.resource.purpose = "";
  EXPECT_EQ(set->decide(request).effect, Effect::permit);
}

TEST_F(Policy, RulesAreChosenByActionAdapterAndCondition) {
  const std::shared_ptr<const PackSet> set =
      load(std::string(kHead) + "rules:\n" + rule("permit", "permit") + rule("x", "forbid", "adapters: [x]") +
           rule("night", "forbid", "when: \"context.hour >= 22 or context.hour < 6\"") +
           rule("lang", "forbid", "when: \"resource.body.language? == 'xx' and 'vip' not in principal.rights\""));
  Request request;
  request.action = "publish";
  request.resource.adapter = "x";
  EXPECT_EQ(set->decide(request).rule, "x");
  request.resource.adapter = "bluesky";
  request.context = expression::Value::object({{"hour", expression::Value::of(12)}});
  EXPECT_EQ(set->decide(request).rule, "permit");
  request.context = expression::Value::object({{"hour", expression::Value::of(22)}});
  EXPECT_EQ(set->decide(request).rule, "night");
  request.context = expression::Value::object({{"hour", expression::Value::of(12)}});
  request.resource.body = expression::Value::object({{"language", expression::Value::borrowed("xx")}});
  EXPECT_EQ(set->decide(request).rule, "lang");
  const std::vector<std::string> rights = {"vip"};
  request.principal.rights = rights;
  EXPECT_EQ(set->decide(request).rule, "permit");
}

TEST_F(Policy, FindsEachKindOfMistakeInAPack) {
  const std::string rules = "rules:\n" + rule("permit", "permit");
  EXPECT_NE(refusal(kHead).find("\"rules\" is required"), std::string::npos);
  EXPECT_NE(refusal("policy: 2\npack: p\nversion: '1'\n" + rules).find("config.out-of-range"), std::string::npos);
  const auto with = [&](const std::string& more) { return refusal(kHead + rules + more); };
  EXPECT_NE(with(rule("permit", "permit")).find("policy.repeated-rule"), std::string::npos);
  EXPECT_NE(with(rule("a", "block")).find("accepted: forbid, hold, warn or permit"), std::string::npos);
  EXPECT_NE(with(rule("a", "hold")).find("\"held_for\" is required"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "held_for: x")).find("policy.held-for"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "match: []")).find("the list is empty"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "match: [{ terms: nolist }]")).find("policy.unknown-list"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "match: [{ pattern: '(' }]")).find("policy.pattern"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "match: [{ pattern: 'x*' }]")).find("found in an empty text"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "match: [{ pattern: x, detect: iban }]")).find("exactly one of"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "match: [{ detect: ibam }]")).find("did you mean \"iban\"?"), std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "match: [{ detect: iban, except_hosts: [x] }]")).find("config.unknown-key"),
            std::string::npos);
  EXPECT_NE(with(rule("a", "warn", "when: \"principal.subjekt == 'x'\"")).find("did you mean principal.subject?"),
            std::string::npos);
  EXPECT_NE(with("  - { id: b, effect: warn, actions: [publsh], reason: { en: e, fr: f } }\n")
                .find("did you mean \"publish\"?"),
            std::string::npos);
  EXPECT_NE(with("  - { id: b, effect: warn, actions: [publish], reason: { en: e } }\n").find("\"fr\" is required"),
            std::string::npos);
  EXPECT_NE(with("lists: { l: [\" \"] }\n").find("policy.term"), std::string::npos);
  EXPECT_NE(with("lists: { l: { file: ../x.txt } }\n").find("policy.list-file"), std::string::npos);
  EXPECT_NE(with("lists: { l: { file: absent.txt } }\n").find("policy.list-file"), std::string::npos);
  EXPECT_NE(with("tests:\n  - { name: n, request: { action: publish }, expect: { effect: permit, rule: permt } }\n")
                .find("did you mean \"permit\"?"),
            std::string::npos);
  EXPECT_NE(with("tests:\n  - { name: n, request: { action: publish, resource: { txt: x } }, expect: { effect: permit, "
                 "rule: permit } }\n")
                .find("tests[0].request.resource.txt"),
            std::string::npos);
}

TEST_F(Policy, ReadsListsFromFilesBesideThePack) {
  write("terms.txt", "# comment\nAlpha\r\n\nbeta gamma\n");
  const std::string text = std::string(kHead) + "lists: { l: { file: terms.txt } }\nrules:\n" +
                           rule("permit", "permit") + rule("x", "forbid", "match: [{ terms: l }]");
  const std::shared_ptr<const PackSet> set = load(text);
  EXPECT_EQ(publish(*set, "an ALPHA").rule, "x");
  EXPECT_EQ(publish(*set, "beta gamma").rule, "x");
  EXPECT_EQ(publish(*set, "comment").rule, "permit");
  const Bytes before = set->packs().at(0).sha256;
  write("terms.txt", "delta\n");
  EXPECT_NE(load(text)->packs().at(0).sha256, before) << "the hash covers the lists";
}

TEST_F(Policy, TwoPacksOfOneNameAreRefused) {
  const std::string text = std::string(kHead) + "rules:\n" + rule("permit", "permit");
  write("a.yaml", text);
  write("b.yaml", text);
  Diagnostics diagnostics;
  EXPECT_EQ(PackSet::load({folder_}, diagnostics), nullptr);
  EXPECT_NE(diagnostics.to_string().find("policy.repeated-pack"), std::string::npos);
}

TEST_F(Policy, TestsOfAPackRunWithThePacksTheyNameOnly) {
  const fs::path first = write("a.yaml", "policy: 1\npack: a\nversion: '1'\nrules:\n" + rule("permit", "permit"));
  const std::string second = "policy: 1\npack: b\nversion: '1'\nwith: [a]\nrules:\n" +
                             rule("x", "forbid", "match: [{ pattern: bad }]") +
                             "tests:\n"
                             "  - { name: t, request: { action: publish, resource: { text: a bad word } }, expect: { "
                             "effect: forbid, rule: x, found: bad } }\n"
                             "  - { name: u, request: { action: publish, resource: { text: ok } }, expect: { effect: "
                             "permit, rule: permit, pack: a } }\n";
  const fs::path other = write("c.yaml", "policy: 1\npack: c\nversion: '1'\nrules:\n" + rule("all", "forbid"));
  Diagnostics diagnostics;
  const auto set = PackSet::load({first, write("b.yaml", second), other}, diagnostics);
  ASSERT_NE(set, nullptr) << diagnostics.to_string();
  const PackSet::TestReport report = set->run_tests();
  EXPECT_EQ(report.run, 2U);
  EXPECT_TRUE(report.failures.empty()) << report.failures.at(0).difference;
  EXPECT_EQ(report.untested, (std::vector<std::string>{"a/permit", "c/all"}));

  std::string out;
  EXPECT_EQ(policy_test({folder_ / "b.yaml"}, out), 1);
  EXPECT_NE(out.find("a pack that its tests need is not loaded"), std::string::npos);
}

TEST_F(Policy, ATestThatDiffersSaysHow) {
  const std::string text =
      std::string(kHead) + "rules:\n" + rule("permit", "permit") +
      "tests:\n  - { name: t, request: { action: publish }, expect: { effect: forbid, rule: default.deny } }\n";
  std::string out;
  EXPECT_EQ(policy_test({write("p.yaml", text)}, out), 1);
  EXPECT_NE(out.find("p.yaml:7: FAILED p: t: effect: expected forbid, found permit; rule: expected "
                     "built-in/default.deny, found p/permit\n"),
            std::string::npos)
      << out;
}

TEST_F(Policy, DecidesARequestFromAFile) {
  const fs::path pack = write("p.yaml", std::string(kHead) + "rules:\n" + rule("permit", "permit") +
                                            rule("x", "forbid", "match: [{ pattern: bad }]"));
  std::string out;
  EXPECT_EQ(policy_decide(write("r.json", "{\"action\": \"publish\", \"resource\": {\"text\": \"a bad \\u00e9\"}}"),
                          {pack}, out),
            3);
  EXPECT_EQ(out,
            "{\"effect\":\"forbid\",\"rule\":\"x\",\"pack\":\"p\",\"version\":\"7\",\"match\":{\"field\":\"text\","
            "\"begin\":2,\"end\":5},"
            "\"reason\":{\"en\":\"e\",\"fr\":\"f\"}}\n");
  out.clear();
  EXPECT_EQ(policy_decide(write("r.yaml", "action: publish\nresource: { text: good }\n"), {pack}, out), 0);
  EXPECT_EQ(policy_decide(write("r.yaml", "action: publsh\n"), {pack}, out), 1);
}

TEST_F(Policy, IsAskedFromManyThreads) {
  const std::shared_ptr<const PackSet> set =
      load(std::string(kHead) + "lists: { l: [alpha] }\nrules:\n" + rule("permit", "permit") +
           rule("x", "forbid", "when: \"action == 'publish'\", match: [{ terms: l }]"));
  std::vector<std::jthread> threads;
  std::vector<int> wrong(4);
  for (std::size_t t = 0; t < wrong.size(); ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 500; ++i)
        wrong[t] += publish(*set, i % 2 == 0 ? "alpha" : "beta").rule != (i % 2 == 0 ? "x" : "permit") ? 1 : 0;
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, std::vector<int>(4));
}

TEST(ShippedPacks, PassTheirOwnTestsAndTestEveryRule) {
  Diagnostics diagnostics;
  const auto set = PackSet::load({fs::path(ISTHMUS_SOURCE_DIR) / "policies"}, diagnostics);
  ASSERT_NE(set, nullptr) << diagnostics.to_string();
  EXPECT_EQ(diagnostics.to_string(), "");
  const PackSet::TestReport report = set->run_tests();
  for (const auto& failure : report.failures)
    ADD_FAILURE() << failure.place << ": " << failure.test << ": " << failure.difference;
  EXPECT_GT(report.run, 15U);
  EXPECT_TRUE(report.untested.empty()) << report.untested.at(0);
}

TEST_F(Policy, TheExampleOfTheFormatsPagePassesItsTests) {
  std::stringstream page;
  page << std::ifstream(std::string(ISTHMUS_SOURCE_DIR) + "/docs/formats/policy-1.md").rdbuf();
  const std::string fence = "```yaml\n";
  const std::size_t begin = page.str().find(fence);
  ASSERT_NE(begin, std::string::npos);
  std::string out;
  EXPECT_EQ(policy_test({write("p.yaml", page.str().substr(begin + fence.size(), page.str().find("```\n", begin + 3) -
                                                                                     begin - fence.size()))},
                        out),
            0)
      << out;
}

TEST(ContentTexts, AreThoseThatAReaderSees) {
  using expression::Document;
  const auto post = Document::parse(
      R"({"text":"t","link":{"url":"u","title":"l"},"media":[{"blob":"b","alt":"a"},{"blob":"c"}],"language":"fr"})");
  ASSERT_TRUE(post);
  std::string all;
  for (const Text& text : content_texts("post/1", post->root())) all += text.field + "=" + text.text + ";";
  EXPECT_EQ(all, "text=t;link.title=l;link.url=u;media[0].alt=a;");
  all.clear();
  for (const Text& text : content_texts("other/1", post->root())) all += text.field + ";";
  EXPECT_EQ(all, "text;link.url;link.title;media[0].blob;media[0].alt;media[1].blob;language;");
}

}  // namespace
}  // namespace isthmus::policy
