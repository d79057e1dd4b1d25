// `isthmusd check` and `isthmusd run` before files with every kind of mistake: exit 78, all mistakes at once, each with
// its place, what is accepted and the nearest name; nothing is started.

#include <gtest/gtest.h>

#include "system/forms.h"

namespace isthmus::test {
namespace {

constexpr int kBadConfiguration = 78;

struct Mistake {
  std::string what;   ///< text of the good descriptor
  std::string by;     ///< what stands there instead
  std::string place;  ///< line:column of the mistake
  std::string named;  ///< what the message says
};

// The whole descriptor of docs/formats/descriptor-1.md, a mistake of each kind at a time.
const std::vector<Mistake>& mistakes() {
  static const std::vector<Mistake> all = {
      {"operations:", "operatoins:", "19:1", "did you mean \"operations\"?"},
      {"verb: PUBLISH", "verb: PUBLSIH", "21:11", "did you mean \"PUBLISH\"?"},
      {"input: post/1", "input: post/2", "22:12", "did you mean \"post/1\"?"},
      {"contract: 1", "contract: 2", "2:11", "this program speaks contract 1"},
      {"contract: 1", "contract: one", "2:11", "accepted: a whole number from 1 to 1000"},
      {"kind: social\ntitle", "kind: socail\ntitle", "4:7", "did you mean \"social\"?"},
      {"version: 1.0.0", "version: 1.0.0\nversion: 1.0.1", "4:1", "\"version\" was given before, on line 3"},
      {"request: POST /v1/notices", "request: PSOT /v1/notices", "25:14", "accepted: GET, POST, PUT"},
      {"${input.text}\", lang", "${input.txet}\", lang", "27:21", "did you mean input.text?"},
      {"${taken.id}\"\n    remote_url", "${taken.idd}\"\n    remote_url", "29:18", "did you mean taken.id?"},
      {"${secret.token}", "${secret.tokne}", "11:71", "did you mean secret.token?"},
      // A secret has no way into a request.
      {"${input.language?}", "${connection.token}", "27:44", "connection.token is not known here"},
      {"${input.language?}", "${secret.token}", "27:44", "secret.token is not known here"},
      {"\"${$.next?}\"", "\"${$.next? | uper}\"", "42:42", "did you mean upper?"},
      {"\"${$.data}\"", "\"${$.data\"", "41:14", "this ${ is not closed"},
      {"mode: header", "mode: haeder", "11:15", "did you mean \"header\"?"},
      {"verdict: DUPLICATE", "verdict: DUPLICAT", "16:58", "did you mean \"DUPLICATE\"?"},
      {"status: 409", "status: 999", "16:25", "three digits like 429, or a class like 4xx"},
      {"code: duplicate }", "code: duplicate, statsu: 1 }", "16:47", "did you mean \"status\"?"},
      {"count: graphemes", "count: graphems", "18:28", "did you mean \"graphemes\"?"},
      {"every: 60s", "every: 60", "38:12", "a duration from 1s to 7d"},
      {"every: 60s", "every: 100ms", "38:12", "found 100ms"},
      {"pages_max: 50", "pages_max: 0", "42:55", "a whole number from 1 to 10000"},
      {"pages_max: 50", "pages_max: 010", "42:55", "octal"},
      {"events: [answer]\nwebhook", "events: [anwser]\nwebhook", "44:13", "did you mean \"answer\"?"},
      {"secret: token }", "secret: tokne }", "46:82", "did you mean \"token\"?"},
      {"recipe: hmac_sha256", "recipe: hmac_sha1", "46:21", "did you mean \"hmac_sha256\"?"},
      {"engagement, analytics]", "engagement, analitics]", "56:15", "did you mean \"analytics\"?"},
      {"    kind: social.reply\n    dedup", "    dedup", "50:5", "kind is missing"},
      {"hosts: [\"${connection.url}\"]", "hosts: []", "9:8", "the list is empty"},
      {"adapter: notices", "adapter: &a notices", "1:10", "an anchor (&a) is not accepted"},
      {"errors:\n", "errors:\n\t", "13:8", "this is not YAML"},
      {"    json: { text", "    text: x\n    json: { text", "25:14", "one of json, form, text"},
      {"found: \"$.data\"", "found: \"$.data ==\"", "34:23", "found the end"},
  };
  return all;
}

std::string descriptor_of_the_page() {
  const std::string page = read_text(std::string(ISTHMUS_SOURCE_DIR) + "/docs/formats/descriptor-1.md");
  const std::size_t begin = page.find("```yaml\n") + 8;
  return page.substr(begin, page.find("```", begin) - begin);
}

/// A folder with an isthmus.yaml whose one folder of adapters is its own.
class Check : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/isthmus-check-XXXXXX";
    ASSERT_NE(::mkdtemp(name), nullptr);
    folder_ = name;
    std::filesystem::create_directories(folder_ / "state");
    for (const char* key : {"vault-key", "log-key"}) {
      write_text(folder_ / "credentials" / key, std::string(64, '1'));
      std::filesystem::permissions(folder_ / "credentials" / key, std::filesystem::perms::owner_read);
    }
    std::filesystem::create_directories(folder_ / "adapters" / "notices");
    write_text(folder_ / "isthmus.yaml", settings());
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  [[nodiscard]] std::string settings() const {
    const std::string source(ISTHMUS_SOURCE_DIR), here(folder_);
    return "node: node-1\nadapters: [ " + here + "/adapters ]\nmappings: [ " + source + "/mappings ]\npolicies: [ " +
           source + "/policies ]\nstate: " + here + "/state\ncredentials: " + here +
           "/credentials\narchive: { origin: isthmus.example/check }\n";
  }
  [[nodiscard]] Ran isthmusd(const std::string& verb) const {
    return run(folder_, {program("isthmusd"), verb, "--config", (folder_ / "isthmus.yaml").string()});
  }
  void write_descriptor(const std::string& text) const {
    write_text(folder_ / "adapters" / "notices" / "descriptor.yaml", text);
  }

  std::filesystem::path folder_;
};

TEST_F(Check, OfADescriptorNamesEachKindOfMistakeAtItsPlace) {
  const std::string good = descriptor_of_the_page();
  for (const Mistake& mistake : mistakes()) {
    SCOPED_TRACE(mistake.by);
    std::string text = good;
    const std::size_t at = text.find(mistake.what);
    ASSERT_NE(at, std::string::npos);
    write_descriptor(text.replace(at, mistake.what.size(), mistake.by));
    const Ran checked = isthmusd("check");
    EXPECT_EQ(checked.status, kBadConfiguration);
    const std::string place =
        (folder_ / "adapters/notices/descriptor.yaml").string() + ":" + mistake.place + ": error[";
    const std::size_t line = checked.err.find(place);
    ASSERT_NE(line, std::string::npos) << checked.err;
    EXPECT_NE(checked.err.substr(line, checked.err.find('\n', line) - line).find(mistake.named), std::string::npos)
        << checked.err;
  }
}

TEST_F(Check, OfADescriptorTellsAllMistakesAtOnceAndTheDaemonDoesNotStart) {
  std::string text = descriptor_of_the_page();
  for (const auto& [what, by] : {std::pair("verb: PUBLISH", "verb: NO"), std::pair("mode: header", "mode: no"),
                                 std::pair("every: 60s", "every: no"), std::pair("recipe: hmac_sha256", "recipe: no")})
    text.replace(text.find(what), std::string_view(what).size(), by);
  write_descriptor(text);
  for (const std::string verb : {"check", "run"}) {
    const Ran ran = isthmusd(verb);
    EXPECT_EQ(ran.status, kBadConfiguration);
    for (const std::string path :
         {"operations.publish.verb", "auth.mode", "streams.answers.every", "webhook.verify.recipe"})
      EXPECT_NE(ran.err.find(path), std::string::npos) << ran.err;
  }
}

TEST_F(Check, OfADescriptorWithoutGoldenExamplesIsRefused) {
  write_descriptor(descriptor_of_the_page());
  const Ran checked = isthmusd("check");
  EXPECT_EQ(checked.status, kBadConfiguration);
  EXPECT_NE(checked.err.find("success, throttled, token_expired, refused, reply_lost"), std::string::npos)
      << checked.err;
}

TEST_F(Check, OfADescriptorThatIsNoTextIsRefused) {
  std::string deep;
  for (int level = 0; level < 10'000; ++level) deep += "[";
  for (const std::string& text : {std::string("\0\1", 2), std::string("\xff\xfe"), deep, std::string(),
                                  "adapter: notices\n---\nadapter: notices\n" + std::string()}) {
    write_descriptor(text);
    const Ran checked = isthmusd("check");
    EXPECT_EQ(checked.status, kBadConfiguration) << checked.err;
    EXPECT_NE(checked.err.find("descriptor.yaml"), std::string::npos) << checked.err;
  }
}

TEST_F(Check, OfIsthmusYamlTellsAllMistakesAtOnce) {
  write_text(folder_ / "isthmus.yaml",
             "node: Node 1\n"
             "database: { prot: 5432, pool_size: 1 }\n"
             "listeners:\n"
             "  public: { address: everywhere, port: 70000 }\n"
             "  house: { port: 010 }\n"
             "adapters: [ /nowhere/at/all ]\n"
             "state: relative/../..\n"
             "archive: { origin: \"https://a.example\" }\n"
             "log: { level: loud }\n"
             "log: { level: info }\n");
  for (const std::string verb : {"check", "run"}) {
    const Ran ran = isthmusd(verb);
    EXPECT_EQ(ran.status, kBadConfiguration);
    for (const std::string told : {"isthmus.yaml:10:1: error[yaml.repeated-key]"})
      EXPECT_NE(ran.err.find(told), std::string::npos) << told << "\n" << ran.err;
  }
  std::string text = read_text(folder_ / "isthmus.yaml");
  write_text(folder_ / "isthmus.yaml", text.erase(text.rfind("log:")));
  const Ran ran = isthmusd("check");
  EXPECT_EQ(ran.status, kBadConfiguration);
  for (const std::string told :
       {"isthmus.yaml:1:7: error[", "did you mean \"port\"?", "database.pool_size: found 1", "listeners.public.address",
        "listeners.public.port: found 70000", "listeners.house.port", "/nowhere/at/all", "archive.origin",
        "log.level: found \"loud\""})
    EXPECT_NE(ran.err.find(told), std::string::npos) << told << "\n" << ran.err;
}

TEST_F(Check, OfCredentialsThatAreMissingOrNoKeysNamesThem) {
  std::filesystem::remove_all(folder_ / "adapters" / "notices");
  write_text(folder_ / "credentials" / "vault-key-copy", "");
  std::filesystem::remove(folder_ / "credentials" / "vault-key");
  std::filesystem::remove(folder_ / "credentials" / "log-key");
  write_text(folder_ / "credentials" / "log-key", "too short");
  const Ran ran = isthmusd("check");
  EXPECT_EQ(ran.status, kBadConfiguration);
  EXPECT_NE(ran.err.find("vault-key"), std::string::npos) << ran.err;
  EXPECT_NE(ran.err.find("log-key"), std::string::npos) << ran.err;
  EXPECT_EQ(ran.err.find("too short"), std::string::npos) << "a credential's text must not be shown";
}

// The neighbour of all these: with nothing wrong the check is passed.
TEST_F(Check, OfAGoodConfigurationIsPassed) {
  std::filesystem::remove_all(folder_ / "adapters" / "notices");
  const Ran ran = isthmusd("check");
  EXPECT_EQ(ran.status, 0) << ran.err;
}

// The apply file is judged whole as well, by the daemon that runs: nothing changes, and everything goes on.
TEST(Apply, OfAFileWithMistakesTellsAllOfThemAndChangesNothing) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  const std::string before = company.bridge.isthmus({"export"}).out;
  write_text(company.bridge.folder() / "bad.yaml",
             company.administration(
                 "  - { name: Bad Name, unit: acmee, adapter: webhok, hosts: [\"ftp://x/y\"], internal: maybe, "
                 "collect: { nothing: 1ms } }\n",
                 "  - { name: r2, from: formz, kinds: [], to: crm, operation: send_laed, mapping: lead-to-nowhere }\n"
                 "unitz: []\n"));
  const Ran refused = company.bridge.isthmus({"apply", (company.bridge.folder() / "bad.yaml").string()});
  EXPECT_NE(refused.status, 0);
  const std::string told = refused.out + refused.err;
  for (const std::string mistake :
       {"did you mean \\\"units\\\"?", "Bad Name", "acmee", "ftp://x/y", "maybe", "1ms", "formz", "kinds"})
    EXPECT_NE(told.find(mistake), std::string::npos) << mistake << "\n" << told;
  EXPECT_EQ(company.bridge.isthmus({"export"}).out, before);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
  company.expect_settled();
}

// What only the installed adapters and mappings know is judged once the file is well-formed.
TEST(Apply, OfAFileThatNamesWhatIsNotInstalledChangesNothing) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  const std::string before = company.bridge.isthmus({"export"}).out;
  write_text(
      company.bridge.folder() / "bad.yaml",
      company.administration("  - { name: other, unit: acme, adapter: webhok, hosts: [\"https://x.example\"] }\n",
                             "  - { name: r2, from: forms, kinds: [lead.form], to: crm, operation: send_laed, mapping: "
                             "lead-to-nowhere }\n"));
  const Ran refused = company.bridge.isthmus({"apply", (company.bridge.folder() / "bad.yaml").string()});
  EXPECT_NE(refused.status, 0);
  const std::string told = refused.out + refused.err;
  for (const std::string mistake : {"webhok", "send_laed", "lead-to-nowhere"})
    EXPECT_NE(told.find(mistake), std::string::npos) << mistake << "\n" << told;
  EXPECT_EQ(company.bridge.isthmus({"export"}).out, before);
}

// Settings that became bad while the daemon runs: the reload is refused with all mistakes, the old ones stay in force.
TEST(Reload, OfASpoiltFileIsRefusedAndTheDaemonGoesOn) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  const std::string good = read_text(company.bridge.folder() / "isthmus.yaml");
  write_text(company.bridge.folder() / "isthmus.yaml", good + "log: { level: loud }\nnoise: 1\n");
  const Ran refused = company.bridge.isthmus({"reload", "--wait"});
  EXPECT_NE(refused.status, 0);
  EXPECT_NE((refused.out + refused.err).find("log.level"), std::string::npos) << refused.out << refused.err;
  EXPECT_NE((refused.out + refused.err).find("noise"), std::string::npos) << refused.out << refused.err;
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
  write_text(company.bridge.folder() / "isthmus.yaml", good);
  EXPECT_EQ(company.bridge.isthmus({"reload", "--wait"}).status, 0);
}

}  // namespace
}  // namespace isthmus::test
