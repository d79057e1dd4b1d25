#include "config/settings.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include <cstdlib>
#include <fstream>
#include <sstream>

namespace isthmus::config {
namespace {

constexpr const char* kMinimal = "node: demo-1\narchive: { origin: isthmus.example/demo }\n";

/// The diagnostics of a text, "" when it is accepted.
std::string judge(const std::string& text) {
  Diagnostics diagnostics;
  const bool accepted = Settings::parse(text, "isthmus.yaml", "", diagnostics).has_value();
  EXPECT_EQ(accepted, !diagnostics.has_errors());
  return diagnostics.to_string();
}

Settings good(const std::string& text, const std::string& file = "isthmus.yaml", const std::string& credentials = "") {
  Diagnostics diagnostics;
  std::optional<Settings> settings = Settings::parse(text, file, credentials, diagnostics);
  EXPECT_EQ(diagnostics.to_string(), "");
  return settings.value_or(Settings{});
}

TEST(Settings, FillsWhatIsNotGivenWithTheDefaults) {
  const Settings settings = good(kMinimal);
  EXPECT_EQ(settings.node, "demo-1");
  EXPECT_EQ(settings.database.port, 5432);
  EXPECT_EQ(settings.database.user, "isthmus_run");
  EXPECT_EQ(settings.public_door.port, 8081);
  EXPECT_EQ(settings.adapters, std::vector<std::string>{"/usr/share/isthmus/adapters"});
  EXPECT_EQ(settings.log_level, "info");
  EXPECT_EQ(settings.credentials, "");
}

TEST(Settings, ReadsEveryKeyAndRemembersItsPlace) {
  const Settings settings = good(
      "node: n\n"
      "database: { host: /run/x/pg, port: 5433, name: d, user: u, password_credential: db-password, pool_size: 3 }\n"
      "listeners: { public: { address: '::1', port: 0 }, house: { address: 10.0.0.1, port: 0 }, admin: { socket: "
      "c.sock } }\n"
      "adapters: []\nadapter_sockets: /run/a\nmappings: [/]\npolicies: [/]\n"
      "state: /s\ncredentials: /c\narchive: { origin: o }\njournal: { days: 2 }\nlog: { level: debug }\n",
      "/etc/isthmus/../isthmus/i.yaml");
  EXPECT_EQ(settings.database.pool_size, 3);
  EXPECT_EQ(settings.admin_socket, "/etc/isthmus/c.sock");
  EXPECT_TRUE(settings.adapters.empty());
  ASSERT_FALSE(settings.origins.empty());
  for (const Settings::Origin& origin : settings.origins) EXPECT_NE(origin.place, "default") << origin.path;
  EXPECT_NE(show_effective(settings).find("database.port = 5433  (/etc/isthmus/../isthmus/i.yaml:2:36)\n"),
            std::string::npos)
      << show_effective(settings);
}

TEST(Settings, ReportsAllMistakesAtOnce) {
  EXPECT_EQ(
      judge("node: Démo\ndatabase:\n  pool_sise: 8\n  port: 0\nlog: { level: inf }\n"),
      "isthmus.yaml:1:7: error[config.form]: node: found \"Démo\"; accepted: 1 to 63 lower-case letters, digits and -\n"
      "isthmus.yaml:4:9: error[config.out-of-range]: database.port: found 0; accepted: a whole number from 1 to 65535\n"
      "isthmus.yaml:3:3: error[config.unknown-key]: database.pool_sise: \"pool_sise\" is not known here; did you mean "
      "\"pool_size\"?\n"
      "isthmus.yaml:1:1: error[config.missing-key]: archive: \"origin\" is required and is not given\n"
      "isthmus.yaml:5:15: error[config.form]: log.level: found \"inf\"; accepted: debug, info, warning or error; did "
      "you mean "
      "\"info\"?\n");
}

TEST(Settings, RefusesTheNeighbourOfEachAcceptedValue) {
  const auto with = [](const std::string& line) { return judge(kMinimal + line + "\n"); };
  EXPECT_EQ(with("journal: { days: 2 }"), "");
  EXPECT_NE(with("journal: { days: 1 }"), "");
  EXPECT_EQ(with("listeners: { public: { port: 65535 } }"), "");
  EXPECT_NE(with("listeners: { public: { port: 65536 } }").find("config.out-of-range"), std::string::npos);
  EXPECT_NE(with("listeners: { public: { address: localhost } }").find("config.form"), std::string::npos);
  EXPECT_NE(with("listeners: { public: { port: 8080 } }").find("config.same-door"), std::string::npos);
  EXPECT_EQ(with("listeners: { public: { port: 8080, address: '::1' } }"), "");
  EXPECT_EQ(with("listeners: { admin: { socket: /" + std::string(106, 'a') + " } }"), "");
  EXPECT_NE(with("listeners: { admin: { socket: /" + std::string(107, 'a') + " } }").find("config.form"),
            std::string::npos);
  EXPECT_EQ(with("adapters: [/]"), "");
  EXPECT_NE(with("adapters: [/no/such/folder]").find("adapters[0]: /no/such/folder does not exist"), std::string::npos);
  EXPECT_NE(with("database: { password_credential: ../x }").find("config.form"), std::string::npos);
  EXPECT_NE(with("database: { password_credential: x }").find("config.no-credentials"), std::string::npos);
  EXPECT_NE(with("database: 5").find("config.wrong-type"), std::string::npos);
  EXPECT_NE(judge("node: n\narchive: { origin: https://x }\n").find("config.form"), std::string::npos);
}

TEST(Settings, TakesTheCredentialsFolderFromTheEnvironmentUnlessTheFileNamesOne) {
  EXPECT_EQ(good(kMinimal, "i.yaml", "/run/credentials/x").credentials, "/run/credentials/x");
  EXPECT_NE(
      show_effective(good(kMinimal, "i.yaml", "/c")).find("credentials = /c  (environment CREDENTIALS_DIRECTORY)"),
      std::string::npos);
  EXPECT_EQ(good(std::string(kMinimal) + "credentials: /mine\n", "i.yaml", "/c").credentials, "/mine");
}

TEST(Settings, ComparesForAReload) {
  const Settings before = good(kMinimal);
  EXPECT_TRUE(compare(before, good(kMinimal)).empty());
  const std::vector<SettingsChange> changes =
      compare(before, good(std::string(kMinimal) + "database: { port: 1 }\nlog: { level: debug }\n"));
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0].path, "database.port");
  EXPECT_EQ(changes[0].before, "5432");
  EXPECT_EQ(changes[0].after, "1");
  EXPECT_TRUE(changes[0].needs_restart);
  EXPECT_EQ(changes[1].path, "log.level");
  EXPECT_FALSE(changes[1].needs_restart);
}

TEST(Settings, MakesASchemaThatIsJsonAndNamesTheKeys) {
  simdjson::dom::parser parser;
  const simdjson::padded_string text(settings_schema());
  simdjson::dom::element root;
  ASSERT_EQ(parser.parse(text).get(root), simdjson::SUCCESS);
  std::int64_t maximum = 0;
  EXPECT_EQ(root.at_pointer("/properties/database/properties/port/maximum").get(maximum), simdjson::SUCCESS);
  EXPECT_EQ(maximum, 65535);
  EXPECT_EQ(root.at_pointer("/properties/listeners/properties/admin/properties/socket/type").error(),
            simdjson::SUCCESS);
  std::string_view required;
  EXPECT_EQ(root.at_pointer("/required/0").get(required), simdjson::SUCCESS);
  EXPECT_EQ(required, "node");
}

/// The pages are made from the table; ISTHMUS_BLESS=1 writes them anew.
void expect_page(const std::string& name, const std::string& text) {
  const std::string path = std::string(ISTHMUS_SOURCE_DIR) + "/" + name;
  if (std::getenv("ISTHMUS_BLESS") != nullptr) std::ofstream(path) << text;
  std::stringstream found;
  found << std::ifstream(path).rdbuf();
  EXPECT_EQ(found.str(), text) << "run config_test with ISTHMUS_BLESS=1 and look at the difference";
}

TEST(Settings, TheReferencePagesAndTheSchemaAreThoseOfTheTable) {
  expect_page("docs/reference/isthmus.yaml.md", settings_reference(Language::english));
  expect_page("docs/reference/isthmus.yaml.fr.md", settings_reference(Language::french));
  expect_page("interfaces/isthmus.yaml.schema.json", settings_schema() + "\n");
}

}  // namespace
}  // namespace isthmus::config
