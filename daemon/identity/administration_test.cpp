#include "identity/administration.h"

#include <gtest/gtest.h>

#include <future>

#include "base/crypto.h"
#include "support/company.h"
#include "support/eventually.h"

namespace isthmus::identity {
namespace {

const std::string kUnits =
    "units:\n  - { name: acme }\n  - { name: acme/france, parent: acme }\n  - { name: acme/france/south, parent: "
    "acme/france }\n";

class AdministrationTest : public testing::Test {
 protected:
  AdministrationTest() {
    forms_.description.fields = {{"url", "url", true, ""}, {"source", "string", true, "forms"}};
    forms_.description.streams = {{"submissions", 30000}};
    crm_.description.operations = {{"upsert_lead", adapter::Verb::upsert, "lead/1", "crm", true, 0, true, 1}};
    crm_.needed_hosts = {"https://crm.example"};
    installed_.adapter = [this](std::string_view name) -> const adapter::Adapter* {
      return name == "forms" ? &forms_ : name == "crm" ? &crm_ : nullptr;
    };
    installed_.mapping = [](const std::string& name) {
      using Formats = std::pair<std::string, std::string>;
      return name == "lead"   ? std::optional(Formats("lead/1", "lead/1"))
             : name == "post" ? std::optional(Formats("lead/1", "post/1"))
                              : std::nullopt;
    };
  }

  static std::string key(char c) { return to_hex(crypto::sha256(std::string(1, c))); }
  static std::string principal(const std::string& subject, char c, const std::string& unit = "acme") {
    return "  - { subject: " + subject + ", kind: person, unit: " + unit + ", key_sha256: " + key(c) +
           ", rights: [read, publish] }\n";
  }
  static std::string forms() {
    return "  - { name: forms, unit: acme/france/south, adapter: forms, hosts: [\"https://forms.example\"], fields: { "
           "url: \"https://forms.example\" }, collect: { submissions: 30s } }\n";
  }
  static std::string crm() {
    return "  - { name: crm, unit: acme, adapter: crm, hosts: [\"https://crm.example\"], internal: allow }\n";
  }
  static std::string route(const std::string& operation = "upsert_lead", const std::string& mapping = "lead") {
    return "routes:\n  - { name: leads, from: forms, kinds: [lead.form], to: crm, operation: " + operation +
           ", mapping: " + mapping + " }\n";
  }
  static std::string whole() {
    return kUnits + "principals:\n" + principal("marie", 'm') + "connections:\n" + forms() + crm() + route();
  }

  static config::ApplyFile parse(const std::string& text) {
    Diagnostics diagnostics;
    auto file = config::ApplyFile::parse(text, "a.yaml", diagnostics);
    EXPECT_TRUE(file) << diagnostics.to_string();
    return file.value_or(config::ApplyFile());
  }
  /// What changed, as people read it; or the error's code.
  std::string apply_text(const std::string& text) {
    auto changes = apply(**company_.pool.take(), parse(text), installed_, random_);
    return changes ? config::to_string(*changes) : changes.error().code;
  }
  config::ApplyFile exported() { return *export_administration(**company_.pool.take()); }
  std::string judge(const std::string& text) {
    Diagnostics diagnostics;
    check_against_installed(parse(text), "a.yaml", installed_, diagnostics);
    return diagnostics.to_string();
  }

  test::ScriptedAdapter forms_{"forms"}, crm_{"crm"};
  Installed installed_;
  SystemRandom random_;
  test::Company company_;
};

TEST_F(AdministrationTest, TheSameFileComesBackAndChangesNothingTheSecondTime) {
  EXPECT_NE(apply_text(whole()).find("+ connection crm"), std::string::npos);
  EXPECT_EQ(exported().write(), parse(whole()).write());
  EXPECT_EQ(apply_text(whole()), "");
  EXPECT_EQ(apply_text(exported().write()), "");
}

TEST_F(AdministrationTest, AConnectionKeepsItsIdAndLaneWhenItsFieldsChange) {
  ASSERT_NE(apply_text(whole()), "");
  const auto before = company_.exec("SELECT id, lane FROM connection WHERE name = 'forms'");
  std::string changed = whole();
  changed.replace(changed.find("fields: { url: \"https://forms.example\""), 39,
                  "fields: { url: \"https://forms.exemple\"");
  EXPECT_NE(apply_text(changed).find("~ connection forms"), std::string::npos);
  const auto after = company_.exec("SELECT id, lane FROM connection WHERE name = 'forms'");
  EXPECT_EQ(after.number(0, 0), before.number(0, 0));
  EXPECT_EQ(after.number(0, 1), before.number(0, 1));
}

TEST_F(AdministrationTest, MovesTheVersionSoThatNodesReadAgain) {
  company_.adapters = {{"forms", &forms_}, {"crm", &crm_}};
  company_.refresh();
  EXPECT_FALSE(*company_.directory.refresh());
  ASSERT_NE(apply_text(whole()), "");
  EXPECT_TRUE(*company_.directory.refresh());
  const auto world = company_.directory.current();
  EXPECT_EQ(world->adapter_of(world->snapshot->connection("forms")->id), &forms_);
  EXPECT_EQ(world->snapshot->holder_of("m")->subject, "marie");
}

// What somebody else applied while we waited for the administration is what we change, and what we are told.
TEST_F(AdministrationTest, OfTwoThatApplyAtOnceTheSecondIsToldWhatItChangedOfTheFirsts) {
  ASSERT_NE(apply_text(whole()), "");
  auto first = company_.pool.take();
  auto tx = store::Transaction::begin(**first);
  ASSERT_TRUE(tx);
  ASSERT_TRUE(tx->exec("UPDATE administration SET version = version + 1"));
  ASSERT_TRUE(tx->exec("INSERT INTO unit (name) VALUES ('beta')"));
  auto second = std::async(std::launch::async, [&] { return apply_text(whole()); });
  ASSERT_TRUE(test::eventually(std::chrono::seconds(10), [&] {
    return company_.count(
               "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
               "wait_event_type = 'Lock'") == 1;
  }));
  ASSERT_TRUE(tx->commit());
  EXPECT_NE(second.get().find("- unit beta"), std::string::npos);
}

TEST_F(AdministrationTest, OfTwoThatApplyTheSameFileAtOnceOneChangesEverythingAndTheOtherNothing) {
  auto one = std::async(std::launch::async, [&] { return apply_text(whole()); });
  const std::string other = apply_text(whole());
  const std::string changed = one.get() + other;
  EXPECT_NE(changed.find("+ connection crm"), std::string::npos) << changed;
  EXPECT_EQ(changed.find("+ connection crm"), changed.rfind("+ connection crm")) << changed;
}

TEST_F(AdministrationTest, ADescriptorThatChangedSuspendsItsConnectionsUntilTheFileIsAppliedAgain) {
  company_.adapters = {{"forms", &forms_}, {"crm", &crm_}};
  ASSERT_NE(apply_text(whole()), "");
  company_.refresh();
  crm_.description.sha256 = Bytes(32, 'n');  // a package was upgraded
  company_.exec("UPDATE administration SET version = version + 1");
  company_.refresh();
  const auto id = company_.directory.current()->snapshot->connection("crm")->id;
  EXPECT_EQ(company_.directory.current()->adapter_of(id), nullptr);
  EXPECT_NE(company_.directory.current()->suspended.at(id).find("apply again"), std::string::npos);
  EXPECT_EQ(apply_text(whole()), "");
  company_.refresh();
  EXPECT_EQ(company_.directory.current()->adapter_of(id), &crm_);
}

TEST_F(AdministrationTest, ARemovedConnectionKeepsItsHistoryAndItsName) {
  ASSERT_NE(apply_text(whole()), "");
  const auto id = company_.exec("SELECT id FROM connection WHERE name = 'forms'").number(0, 0);
  company_.exec(
      "INSERT INTO ledger (lane, command, connection, verb, operation, at) VALUES (1, gen_random_uuid(), $1, 1, 'x', "
      "now())",
      {store::Param::integer(id)});
  const std::string without = kUnits + "principals:\n" + principal("marie", 'm') + "connections:\n" + crm();
  EXPECT_NE(apply_text(without).find("- connection forms"), std::string::npos);
  EXPECT_EQ(exported().write(), parse(without).write());
  EXPECT_EQ(apply_text(without), "");
  EXPECT_EQ(company_.count("SELECT count(*) FROM ledger JOIN connection c ON c.id = ledger.connection WHERE c.name = "
                           "'forms' AND removed_at IS NOT NULL"),
            1);
  EXPECT_EQ(apply_text(whole()), "apply.name-taken");
  EXPECT_EQ(exported().write(), parse(without).write()) << "a refused file changes nothing";
}

TEST_F(AdministrationTest, ANameDoesNotMoveToAnotherAdapter) {
  ASSERT_NE(apply_text(whole()), "");
  std::string other = kUnits +
                      "connections:\n  - { name: crm, unit: acme, adapter: forms, fields: { url: "
                      "\"https://forms.example\" }, hosts: [\"https://forms.example\"] }\n";
  EXPECT_EQ(apply_text(other), "apply.name-taken");
}

TEST_F(AdministrationTest, UnitsThatAreRemovedDoNotComeBackWithTheExport) {
  ASSERT_NE(apply_text(whole()), "");
  // acme/france/south holds a removed connection, acme/france nothing but that unit; both leave the file.
  const std::string smaller =
      "units:\n  - { name: acme }\nprincipals:\n" + principal("marie", 'm') + "connections:\n" + crm();
  EXPECT_NE(apply_text(smaller).find("- unit acme/france/south"), std::string::npos);
  EXPECT_EQ(exported().write(), parse(smaller).write());
  EXPECT_EQ(apply_text(smaller), "");
  EXPECT_EQ(company_.count("SELECT count(*) FROM unit WHERE name = 'acme/france/south'"), 1) << "history keeps it";
  // Units without history go, however deep; one that comes back is itself again.
  const std::string deep =
      "units:\n  - { name: acme }\n  - { name: acme/x, parent: acme }\n  - { name: acme/x/y, parent: acme/x }\n  - { "
      "name: acme/france, parent: acme }\n"
      "principals:\n" +
      principal("marie", 'm') + "connections:\n" + crm();
  ASSERT_NE(apply_text(deep), "");
  EXPECT_EQ(exported().write(), parse(deep).write());
  ASSERT_NE(apply_text(smaller), "");
  EXPECT_EQ(company_.count("SELECT count(*) FROM unit WHERE name LIKE 'acme/x%'"), 0);
}

TEST_F(AdministrationTest, AKeyMovesFromOneHolderToAnotherInOneFile) {
  ASSERT_NE(apply_text(kUnits + "principals:\n" + principal("anna", 'a') + principal("bert", 'b')), "");
  EXPECT_NE(apply_text(kUnits + "principals:\n" + principal("anna", 'b') + principal("bert", 'a')).find("~ principal"),
            std::string::npos);
  EXPECT_NE(apply_text(kUnits + "principals:\n" + principal("carl", 'b')).find("+ principal"), std::string::npos);
  company_.refresh();
  const auto snapshot = company_.directory.current()->snapshot;
  EXPECT_EQ(snapshot->holder_of("b")->subject, "carl");
  EXPECT_EQ(snapshot->holder_of("a"), nullptr);
}

TEST_F(AdministrationTest, FindsEveryReferenceThatWouldNotWorkWithItsLine) {
  EXPECT_EQ(judge(whole()), "");
  const std::string bad =
      "units:\n  - { name: acme }\nconnections:\n"
      "  - { name: a, unit: acme, adapter: nothing }\n"
      "  - { name: b, unit: acme, adapter: forms, fields: { sorce: x }, collect: { submisions: 30s } }\n"
      "  - { name: c, unit: acme, adapter: crm, hosts: [\"https://crm.example:444\"] }\n";
  const std::string found = judge(bad);
  EXPECT_NE(found.find("a.yaml:4:"), std::string::npos) << found;
  EXPECT_NE(found.find("error[apply.adapter]: connection a"), std::string::npos) << found;
  EXPECT_NE(found.find("a.yaml:5:"), std::string::npos) << found;
  EXPECT_NE(found.find("fields.url is required"), std::string::npos) << found;
  EXPECT_EQ(found.find("fields.source is required"), std::string::npos) << "it has a default";
  EXPECT_NE(found.find("did you mean \"source\"?"), std::string::npos) << found;
  EXPECT_NE(found.find("no stream \"submisions\""), std::string::npos) << found;
  EXPECT_NE(found.find("a.yaml:6:"), std::string::npos) << found;
  EXPECT_NE(found.find("error[apply.host]: connection c"), std::string::npos) << found;
}

TEST_F(AdministrationTest, FindsRoutesThatDoNotFit) {
  const std::string head = kUnits + "connections:\n" + forms() + crm();
  EXPECT_NE(judge(head + route("upsert_deal")).find("error[apply.operation]: route leads"), std::string::npos);
  EXPECT_NE(judge(head + route("upsert_lead", "nothing")).find("error[apply.mapping]"), std::string::npos);
  EXPECT_NE(judge(head + route("upsert_lead", "post")).find("the mapping makes post/1, the operation takes lead/1"),
            std::string::npos);
}

}  // namespace
}  // namespace isthmus::identity
