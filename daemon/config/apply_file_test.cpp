#include "config/apply_file.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <fstream>
#include <sstream>

namespace isthmus::config {
namespace {

using namespace std::chrono_literals;

const std::string kKey(64, 'a');

std::string example() {
  return "units:\n  - { name: acme/france, parent: acme }\n  - { name: acme }\n"
         "principals:\n  - { subject: marie, kind: person, unit: acme/france, key_sha256: " +
         kKey +
         ", rights: [publish, approve] }\n"
         "connections:\n  - name: forms\n    unit: acme\n    adapter: webhook\n"
         "  - name: crm\n    unit: acme\n    adapter: tryton\n    hosts: [\"http://localhost:8000\"]\n    internal: "
         "allow\n"
         "    fields: { service: \"http://localhost:8000\", number: 007 }\n    collect: { changes: 90s }\n"
         "routes:\n  - { name: leads, from: forms, kinds: [lead.form], to: crm, operation: upsert_lead, mapping: "
         "lead-to-tryton }\n";
}

ApplyFile good(const std::string& text) {
  Diagnostics diagnostics;
  std::optional<ApplyFile> model = ApplyFile::parse(text, "a.yaml", diagnostics);
  EXPECT_EQ(diagnostics.to_string(), "");
  return model.value_or(ApplyFile{});
}

std::string judge(const std::string& text) {
  Diagnostics diagnostics;
  const bool accepted = ApplyFile::parse(text, "a.yaml", diagnostics).has_value();
  EXPECT_EQ(accepted, !diagnostics.has_errors());
  return diagnostics.to_string();
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(ApplyFile, ReadsEveryKey) {
  const ApplyFile model = good(example());
  ASSERT_EQ(model.units.size(), 2U);
  EXPECT_EQ(model.units[0].name, "acme");
  EXPECT_EQ(model.units[1].parent, "acme");
  EXPECT_EQ(model.principals.at(0).issuer, "local");
  EXPECT_EQ(model.principals.at(0).rights, (std::set<std::string>{"approve", "publish"}));
  ASSERT_EQ(model.connections.size(), 2U);
  EXPECT_TRUE(model.connections[0].internal);
  EXPECT_EQ(model.connections[0].fields.at("number"), "007");
  EXPECT_EQ(model.connections[0].collect.at("changes"), 90s);
  EXPECT_EQ(model.connections[0].place.line, 10);
  EXPECT_FALSE(model.connections[1].internal);
  EXPECT_EQ(model.routes.at(0).mapping, "lead-to-tryton");
}

TEST(ApplyFile, WritesACanonicalFormThatReadsBackTheSame) {
  const ApplyFile model = good(example());
  const std::string text = model.write();
  EXPECT_EQ(good(text), model);
  EXPECT_EQ(good(text).write(), text);
  EXPECT_NE(text.find("    fields: { number: \"007\", service: \"http://localhost:8000\" }\n"), std::string::npos)
      << text;
  EXPECT_EQ(good("units: []\n").write(), "units: []\nprincipals: []\nconnections: []\nroutes: []\n");
}

TEST(ApplyFile, AnyTextsComeBack) {
  EXPECT_TRUE(rc::check("fields and subjects of any characters survive write and parse", [] {
    ApplyFile model;
    model.units.push_back({"acme", "", {}});
    const auto characters = rc::gen::element<std::string>("a", "yes", " ", "\n", "\t", "\"", "\\", ":", "#", "é",
                                                          "\xC2\x85", "\xE2\x80\xA8", "\xEF\xBB\xBF", "😀", "\x7F",
                                                          "\x01", "'", "-", "{", "]", "0", "!", "&", "*", "%");
    const auto text = [&] {
      std::string all;
      for (const std::string& piece : *rc::gen::container<std::vector<std::string>>(characters)) all += piece;
      return all;
    };
    ApplyFile::Connection connection;
    connection.name = "c";
    connection.unit = "acme";
    connection.adapter = "x";
    const int fields = *rc::gen::inRange(0, 4);
    for (int i = 0; i < fields; ++i) connection.fields["k" + text()] = text();
    connection.collect["s"] = std::chrono::milliseconds(*rc::gen::inRange(100, 100'000'000));
    model.connections.push_back(connection);
    model.principals.push_back({"local", "s" + text(), "person", "acme", "", {}, {}});
    Diagnostics diagnostics;
    const std::optional<ApplyFile> back = ApplyFile::parse(model.write(), "a.yaml", diagnostics);
    if (!back) RC_FAIL(diagnostics.to_string() + model.write());
    RC_ASSERT(*back == model);
  }));
}

TEST(ApplyFile, RefusesTheNeighbourOfEachAcceptedValue) {
  const auto with = [](const std::string& what, const std::string& replacement) {
    return judge(replaced(example(), what, replacement));
  };
  EXPECT_EQ(with("name: crm", "name: crm"), "");
  EXPECT_NE(with("name: crm", "name: Crm").find("apply.form"), std::string::npos);
  EXPECT_NE(with("name: crm", "name: forms").find("connections[1].name: \"forms\" is given before"), std::string::npos);
  EXPECT_NE(with("unit: acme/france", "unit: acme/franc").find("no unit \"acme/franc\"; did you mean \"acme/france\"?"),
            std::string::npos);
  EXPECT_NE(with("to: crm", "to: mailer").find("routes[0].to: this file has no connection \"mailer\""),
            std::string::npos);
  EXPECT_NE(with(kKey, kKey + "a").find("apply.form"), std::string::npos);
  EXPECT_NE(with("approve]", "aprove]").find("did you mean \"approve\"?"), std::string::npos);
  EXPECT_NE(with("kind: person", "kind: robot").find("accepted: person or machine"), std::string::npos);
  EXPECT_NE(with("internal: allow", "internal: true").find("config.quote"), std::string::npos);
  EXPECT_NE(with("90s", "99ms").find("config.out-of-range"), std::string::npos);
  EXPECT_NE(with("kinds: [lead.form]", "kinds: []").find("the list is empty"), std::string::npos);
  EXPECT_NE(with("mapping: lead-to-tryton", "maping: x").find("did you mean \"mapping\"?"), std::string::npos);
  EXPECT_NE(with("{ name: acme }", "{ name: acme, parent: acme/france }").find("apply.circle"), std::string::npos);
}

TEST(ApplyFile, TakesHostsWithoutAPathOnly) {
  const auto host = [](const std::string& text) {
    return judge(replaced(example(), "[\"http://localhost:8000\"]", "[\"" + text + "\"]"));
  };
  for (const char* accepted :
       {"https://api.example", "http://127.0.0.1:65535", "https://[::1]:8443", "https://[2001:db8::1]"}) {
    EXPECT_EQ(host(accepted), "") << accepted;
  }
  for (const char* refused :
       {"https://api.example/", "ftp://x", "https://", "https://x:0", "https://x:65536", "https://user@x", "https://X",
        "https://x?y", "https://[::1", "api.example", "https://x:"}) {
    EXPECT_NE(host(refused).find("apply.form"), std::string::npos) << refused;
  }
}

TEST(ApplyFile, TheExampleOfTheFormatsPageIsAccepted) {
  std::stringstream page;
  page << std::ifstream(std::string(ISTHMUS_SOURCE_DIR) + "/docs/formats/apply-1.md").rdbuf();
  const std::string fence = "```yaml\n";
  const std::size_t begin = page.str().find(fence);
  ASSERT_NE(begin, std::string::npos);
  const std::string text =
      page.str().substr(begin + fence.size(), page.str().find("```\n", begin + 3) - begin - fence.size());
  EXPECT_EQ(good(text).connections.size(), 2U);
  EXPECT_EQ(good(text).write(), text) << "the example is in canonical form";
}

TEST(ApplyFile, ListsWhatApplyWouldDo) {
  const ApplyFile before = good(example());
  std::string text = replaced(example(), "90s", "2m");
  text = replaced(text, "    internal: allow\n", "");
  text =
      replaced(text,
               "  - { name: leads, from: forms, kinds: [lead.form], to: crm, operation: upsert_lead, mapping: "
               "lead-to-tryton }\n",
               "  - { name: other, from: forms, kinds: [lead.form], to: crm, operation: upsert_lead, mapping: m }\n");
  EXPECT_EQ(to_string(difference(before, good(text))),
            "~ connection crm\n"
            "    collect: { changes: 90s } -> { changes: 2m }\n"
            "    internal: allow -> (none)\n"
            "- route leads\n"
            "+ route other\n"
            "    name: other\n    from: forms\n    kinds: [lead.form]\n    to: crm\n    operation: upsert_lead\n    "
            "mapping: m\n");
  EXPECT_TRUE(difference(before, good(before.write())).empty());
}

}  // namespace
}  // namespace isthmus::config
