#include "mapping/mapping.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <fstream>
#include <map>

#include "expression/value.h"
#include "mapping/format.h"

namespace isthmus::mapping {
namespace {

const std::string kFolder = std::string(ISTHMUS_SOURCE_DIR) + "/mappings";

/// A mapping of metric/1 to itself with these fields, and a place for one more.
std::string metric_map(const std::string& fields) {
  return "mapping: m\nversion: 1\nfrom: metric/1\nto: metric/1\nfields:\n"
         "  - { to: action, value: \"${event.action}\" }\n"
         "  - { to: url, value: \"${event.url}\" }\n"
         "  - { to: occurred_at, value: \"${event.occurred_at}\" }\n" +
         fields +
         "examples:\n"
         "  - name: one\n"
         "    given: { action: click, url: u, occurred_at: \"2026-01-01T00:00:00Z\" }\n"
         "    gives: { action: click, url: u, occurred_at: \"2026-01-01T00:00:00Z\" }\n";
}

/// A mapping of lead/1 to itself: these fields of a person, the rest as it is.
std::string lead_map(const std::string& fields) {
  return "mapping: m\nversion: 1\nfrom: lead/1\nto: lead/1\nfields:\n"
         "  - { to: source, value: \"${event.source}\" }\n"
         "  - { to: external_id, value: \"${event.external_id}\" }\n"
         "  - { to: submitted_at, value: \"${event.submitted_at}\" }\n" +
         fields +
         "  - { to: consent, value: \"${event.consent}\" }\n"
         "examples: [ { name: one, given: {}, held: source } ]\n";
}

std::string lead(const std::string& person, const std::string& more = "") {
  return R"({"source":"s","external_id":"e","submitted_at":"2026-01-01T00:00:00Z","person":)" + person + more +
         R"(,"consent":{"given":true,"wording":"w","at":"2026-01-01T00:00:00Z","channel":"c","purposes":["crm"]}})";
}

std::optional<Mapping> load(const std::string& yaml) {
  Diagnostics diagnostics;
  auto mapping = Mapping::parse(yaml, "m.yaml", diagnostics);
  EXPECT_TRUE(mapping.has_value()) << diagnostics.to_string();
  return mapping;
}

std::string mistakes(const std::string& yaml) {
  Diagnostics diagnostics;
  EXPECT_FALSE(Mapping::parse(yaml, "m.yaml", diagnostics).has_value());
  return diagnostics.to_string();
}

MappingResult map_with(const Mapping& mapping, const std::string& event,
                       const Terms& terms = Terms{Purposes::all(), {}}) {
  Workspace workspace;
  return mapping.apply(workspace, event, terms, expression::MapScope());
}

std::string body(const MappingResult& result) {
  if (const auto* held = std::get_if<Held>(&result)) return "held " + held->field + ": " + held->reason;
  if (const auto* rejected = std::get_if<Rejected>(&result))
    return "rejected " + rejected->field + ": " + rejected->reason;
  if (const auto* denied = std::get_if<Denied>(&result)) return "denied " + denied->field + ": " + denied->reason;
  return std::get<Mapped>(result).body;
}

TEST(ShippedMappings, LoadAndTheirExamplesHold) {
  std::string out;
  EXPECT_EQ(mapping_check({kFolder}, out), 0) << out;
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kFolder))
    files += entry.path().extension() == ".yaml" ? 1U : 0U;
  EXPECT_GE(files, 4U);
}

TEST(MappingFormat, ItsWorkedExampleHolds) {
  std::ifstream page(std::string(ISTHMUS_SOURCE_DIR) + "/docs/formats/mapping-1.md");
  const std::string text((std::istreambuf_iterator<char>(page)), std::istreambuf_iterator<char>());
  const std::size_t start = text.find("```yaml\n") + 8;
  ASSERT_GT(text.size(), start);
  const auto mapping = load(text.substr(start, text.find("```\n", start) - start));
  ASSERT_TRUE(mapping);
  const auto report = mapping->run_examples();
  EXPECT_EQ(report.run, 1U);
  for (const auto& failure : report.failures) ADD_FAILURE() << failure.difference;
}

TEST(Mapping, ReportsAnExampleThatDiffers) {
  std::string yaml = metric_map("");
  yaml.replace(yaml.rfind("url: u"), 6, "url: v");
  const auto mapping = load(yaml);
  ASSERT_TRUE(mapping);
  const auto report = mapping->run_examples();
  ASSERT_EQ(report.failures.size(), 1U);
  EXPECT_EQ(report.failures[0].difference, "url: expected \"v\", found \"u\"\n");
}

TEST(Mapping, FindsEveryMistakeOfAFileAtOnce) {
  const std::string text = mistakes(
      "mapping: m\nversion: 1\nfrom: lead/1\nto: lead/1\ncolour: red\nfields:\n"
      "  - { to: source, value: \"${event.soruce}\" }\n"
      "  - { to: persn.name, value: x, on_error: ignore }\n"
      "  - { to: message, value: \"${event.message | lowr}\" }\n"
      "  - { to: external_id, value: a, on_error: drop_field }\n"
      "examples: [ { name: x, given: {} } ]\n");
  EXPECT_NE(text.find("m.yaml:7:"), std::string::npos) << text;
  for (const char* part :
       {"event.soruce is not known here; did you mean event.source?",
        "lead/1 has no field persn.name; did you mean person.name?", "drop_field",
        "lowr is not a function; did you mean lower?", "lead/1 requires external_id: it cannot be dropped", "colour",
        "one of gives, held, rejected, denied"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
  }
}

TEST(Mapping, PlacesAMistakeInsideItsExpression) {
  const std::string text = mistakes(metric_map("  - { to: campaign, value: \"a ${event.campagn}\" }\n"));
  EXPECT_NE(text.find("m.yaml:9:33: error[expression.unknown-name]"), std::string::npos) << text;
}

TEST(Mapping, RefusesTargetsThatCannotBeWrittenInOnePass) {
  EXPECT_NE(mistakes(metric_map("  - { to: url, value: x }\n")).find("url is mapped twice"), std::string::npos);
  EXPECT_NE(mistakes(lead_map("  - { to: person, value: \"${event.person}\" }\n  - { to: person.email, value: x }\n"))
                .find("person is mapped as a whole and by its fields"),
            std::string::npos);
  EXPECT_NE(mistakes(lead_map("  - { to: person.name, value: x }\n  - { to: campaign, value: x }\n  - { to: "
                              "person.email, value: x }\n"))
                .find("person.email stands apart from the other fields of person"),
            std::string::npos);
  EXPECT_NE(mistakes(lead_map("")).find("lead/1 requires person, and no field maps it"), std::string::npos);
  EXPECT_NE(mistakes(lead_map("  - { to: person.name, value: x }\n  - { to: social.handle, value: x }\n"))
                .find("lead/1 requires social.network"),
            std::string::npos);
}

TEST(Mapping, RefusesAnUnknownFormatAndNamesTheKnownOnes) {
  std::string yaml = metric_map("");
  yaml.replace(yaml.find("metric/1"), 8, "metric/2");
  const std::string text = mistakes(yaml);
  EXPECT_NE(text.find("\"metric/2\" is not a format"), std::string::npos) << text;
  EXPECT_NE(text.find("metric/1"), std::string::npos) << text;
}

TEST(Mapping, NeedsAnExample) {
  std::string yaml = metric_map("");
  yaml.resize(yaml.find("examples:"));
  EXPECT_NE(mistakes(yaml).find("examples"), std::string::npos);
}

TEST(Mapping, LeavesOutWhatIsMarkedOptionalAndStopsAtWhatIsNot) {
  const std::string event = R"({"action":"click","url":"u","occurred_at":"2026-01-01T00:00:00Z"})";
  EXPECT_EQ(body(map_with(*load(metric_map("  - { to: campaign, value: \"${event.campaign?}\" }\n")), event)), event);
  EXPECT_EQ(body(map_with(*load(metric_map("  - { to: campaign, value: \"${event.campaign}\" }\n")), event)),
            "held campaign: event.campaign is missing");
  EXPECT_EQ(body(map_with(*load(metric_map("  - { to: campaign, value: \"${event.campaign}\", on_error: reject }\n")),
                          event)),
            "rejected campaign: event.campaign is missing");
  const auto dropped =
      map_with(*load(metric_map("  - { to: campaign, value: \"${event.campaign}\", on_error: drop_field }\n")), event);
  EXPECT_EQ(body(dropped), event);
  ASSERT_EQ(std::get<Mapped>(dropped).dropped.size(), 1U);
  EXPECT_EQ(std::get<Mapped>(dropped).dropped[0].field, "campaign");
}

TEST(Mapping, HoldsAFieldOfTheWrongType) {
  const auto mapping = load(metric_map("  - { to: value, value: \"${event.value?}\" }\n"));
  const auto event = [](const std::string& value) {
    return R"({"action":"click","url":"u","occurred_at":"2026-01-01T00:00:00Z","value":)" + value + "}";
  };
  EXPECT_EQ(body(map_with(*mapping, event("9007199254740991"))), event("9007199254740991"));
  for (const char* bad : {"9007199254740992", "\"3\"", "1.5", "true", "[1]"}) {
    EXPECT_EQ(body(map_with(*mapping, event(bad))).substr(0, 11), "held value:") << bad;
  }
}

TEST(Mapping, WritesAnObjectOnlyWhenAFieldOfItHasAValue) {
  const auto mapping =
      load(lead_map("  - { to: person.name, value: \"${event.person.name?}\" }\n  - { to: person.email, value: "
                    "\"${event.person.email?}\" }\n"
                    "  - { to: social.network, value: \"${event.social.network?}\" }\n  - { to: social.id, value: "
                    "\"${event.social.id?}\" }\n"
                    "  - { to: social.handle, value: \"${event.social.handle?}\" }\n"));
  EXPECT_EQ(body(map_with(*mapping, lead(R"({"email":"a@b"})"))), lead(R"({"email":"a@b"})"));
  const std::string social = R"(,"social":{"network":"x","id":"1"})";
  EXPECT_EQ(body(map_with(*mapping, lead(R"({"name":"n"})", social))), lead(R"({"name":"n"})", social));
  EXPECT_EQ(body(map_with(*mapping, lead(R"({"name":"n"})", R"(,"social":{"network":"x","handle":"h"})"))),
            "held social.id: lead/1 requires it, and its expression gave nothing");
}

TEST(Mapping, ChecksAnObjectThatIsTakenAsAWhole) {
  const auto mapping = load(
      lead_map("  - { to: person, value: \"${event.person}\" }\n  - { to: social, value: \"${event.social?}\" }\n"));
  EXPECT_EQ(body(map_with(*mapping, lead(R"({"name":"n"})"))), lead(R"({"name":"n"})"));
  EXPECT_EQ(body(map_with(*mapping, lead(R"({"nick":"n"})"))), "held person: person.nick is not a field of lead/1");
  EXPECT_EQ(body(map_with(*mapping, lead(R"({"name":7})"))), "held person: person.name must be text, not integer");
  EXPECT_EQ(body(map_with(*mapping, lead("{}", R"(,"social":{"network":"x"})"))),
            "held social: social.id is absent, and lead/1 requires it");
}

TEST(Mapping, GivesEachFieldThePurposesOfAllThatItReads) {
  const auto mapping =
      load(lead_map("  - { to: person.name, value: \"${event.person.name} ${event.campaign?}\" }\n"
                    "  - { to: person.phone, value: \"${event.person.phone?}\", on_error: drop_field }\n"));
  const auto purposes = [](std::vector<std::string> names) { return *Purposes::from(names); };
  Terms terms{purposes({"engagement", "crm"}), {}};
  const std::string event = lead(R"({"name":"n","phone":"1"})");
  EXPECT_EQ(std::get<Mapped>(map_with(*mapping, event, terms)).purposes, purposes({"engagement", "crm"}));
  terms.fields = {{"campaign", purposes({"crm"})}};
  EXPECT_EQ(std::get<Mapped>(map_with(*mapping, event, terms)).purposes, purposes({"crm"}));
  terms.fields = {{"campaign", purposes({"marketing"})}};  // never widens: crm and marketing have nothing in common
  EXPECT_EQ(body(map_with(*mapping, event, terms)), "denied person.name: no purpose allows what it reads");
  terms.fields = {{"person.phone", Purposes::none()}};
  const auto dropped = map_with(*mapping, event, terms);
  ASSERT_TRUE(std::holds_alternative<Mapped>(dropped)) << body(dropped);
  EXPECT_EQ(std::get<Mapped>(dropped).dropped.size(), 1U);
  EXPECT_EQ(body(dropped).find("phone"), std::string::npos);
  terms.fields = {{"person.name", purposes({"crm"})}, {"person.phone", purposes({"engagement"})}};
  EXPECT_EQ(body(map_with(*mapping, event, terms)), "denied : no purpose is allowed by all fields together");
  terms.fields = {};
  terms.event = Purposes::none();
  EXPECT_EQ(body(map_with(*mapping, event, terms)), "denied source: no purpose allows what it reads");
}

TEST(Purposes, RefuseAWordThatIsNone) {
  const std::vector<std::string> good = {"crm", "analytics"};
  EXPECT_EQ(Purposes::from(good)->names(), good);
  EXPECT_FALSE(Purposes::from(std::vector<std::string>{"archive"}).has_value());
}

TEST(Mapping, RejectsAnEventThatIsNoJsonTooDeepOrTooLarge) {
  const auto mapping = load(metric_map(""));
  EXPECT_EQ(body(map_with(*mapping, "{\"action\":")), "rejected : the event is not JSON");
  EXPECT_EQ(body(map_with(*mapping, "")), "rejected : the event is not JSON");
  EXPECT_EQ(body(map_with(*mapping, std::string(200000, '[') + std::string(200000, ']'))),
            "rejected : the event is not JSON");
  EXPECT_EQ(body(map_with(*mapping, std::string(10000, '[') + std::string(10000, ']'))),
            "rejected : the event is not JSON");
  EXPECT_EQ(body(map_with(*mapping, "{\"a\":\"\xff\"}")), "rejected : the event is not JSON");
  EXPECT_EQ(body(map_with(*mapping, R"({"a":"\ud800"})")), "rejected : the event is not JSON");
  EXPECT_EQ(body(map_with(*mapping, "[]")), "held action: event.action is missing");
  EXPECT_EQ(body(map_with(*mapping, std::string(kEventBytesMax + 1, ' '))).substr(0, 30),
            "rejected : the event is longer");
  const auto event = [](std::size_t bytes) {
    return R"({"action":"click","url":")" + std::string(bytes, 'u') + R"(","occurred_at":"2026-01-01T00:00:00Z"})";
  };
  const std::size_t frame = event(0).size();
  EXPECT_EQ(body(map_with(*mapping, event(kBodyBytesMax - frame))), event(kBodyBytesMax - frame));
  EXPECT_EQ(body(map_with(*mapping, event(kBodyBytesMax - frame + 1))).substr(0, 6), "held :");
}

TEST(Command, RunsAMappingOnAFile) {
  const std::string folder = testing::TempDir();
  std::ofstream(folder + "/m.yaml") << metric_map("");
  std::ofstream(folder + "/e.json") << R"({"action":"click","url":"u","occurred_at":"2026-01-01T00:00:00Z"})";
  std::string out;
  EXPECT_EQ(mapping_run(folder + "/m.yaml", folder + "/e.json", {"crm"}, out), 0) << out;
  EXPECT_EQ(out,
            "{\"end\":\"mapped\",\"purposes\":[\"crm\"],\"dropped\":[],\"body\":{\"action\":\"click\",\"url\":\"u\","
            "\"occurred_at\":\"2026-01-01T00:00:00Z\"}}\n");
  out.clear();
  EXPECT_EQ(mapping_run(folder + "/m.yaml", folder + "/e.json", {}, out), 2);
  EXPECT_EQ(out, "{\"end\":\"denied\",\"field\":\"action\",\"reason\":\"no purpose allows what it reads\"}\n");
  EXPECT_EQ(mapping_run(folder + "/m.yaml", folder + "/none.json", {"crm"}, out), 1);
  EXPECT_EQ(mapping_run(folder + "/m.yaml", folder + "/e.json", {"sales"}, out), 1);
  EXPECT_EQ(mapping_check({folder + "/none.yaml"}, out), 1);
}

RC_GTEST_PROP(MappingProperty, AnyEventHasAnEndAndAMappedBodyIsOfItsFormat, (const std::string& bytes)) {
  static const auto mapping = [] {
    Diagnostics diagnostics;
    return Mapping::load(kFolder + "/lead-to-tryton.yaml", diagnostics);
  }();
  RC_ASSERT(mapping.has_value());
  const std::string consent =
      R"({"given":true,"wording":"w","at":"2026-01-01T00:00:00Z","channel":"c","purposes":["crm"]})";
  const std::map<std::string, std::string> valid = {
      {"source", "\"s\""},           {"external_id", "\"e\""}, {"submitted_at", "\"2026-01-01T00:00:00Z\""},
      {"person", R"({"name":"n"})"}, {"message", "null"},      {"consent", consent},
      {"opt_out", "true"},           {"social", "null"}};
  const auto field = [&](const std::string& name) {
    if (valid.count(name) > 0 && *rc::gen::inRange(0, 4) > 0) return valid.at(name);
    return *rc::gen::elementOf(std::vector<std::string>{"null", "\"\"", "\"a b\"", "7", "true", "[]", "{}", "[\"x\"]",
                                                        "\"2026-01-01T00:00:00Z\"", R"({"name":"n","email":"A@B.c"})"});
  };
  std::string event = "{";
  for (const char* name :
       {"source", "external_id", "submitted_at", "person", "message", "consent", "opt_out", "social"}) {
    event += (event.size() > 1 ? ",\"" : "\"") + std::string(name) + "\":" + field(name);
  }
  for (const std::string& one : {event + "}", bytes}) {
    const auto result = map_with(*mapping, one);
    RC_CLASSIFY(std::holds_alternative<Mapped>(result), "mapped");
    if (const auto* mapped = std::get_if<Mapped>(&result)) {
      const auto document = expression::Document::parse(mapped->body);
      RC_ASSERT(document.has_value());
      RC_ASSERT(find_format("lead/1")->problem_with_body(document->root()).empty());
    }
  }
}

}  // namespace
}  // namespace isthmus::mapping
