#include "config/yaml.h"

#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>

namespace isthmus::config {
namespace {

struct Parsed {
  std::optional<Node> root;
  Diagnostics diagnostics;
};

Parsed parse(std::string_view text, const YamlLimits& limits = {}) {
  Parsed result;
  result.root = parse_yaml(text, "t.yaml", result.diagnostics, limits);
  return result;
}

/// "line:column code" of the only diagnostic.
std::string refusal(std::string_view text, const YamlLimits& limits = {}) {
  const Parsed parsed = parse(text, limits);
  if (parsed.diagnostics.list().size() != 1) return "not one diagnostic:\n" + parsed.diagnostics.to_string();
  const Diagnostic& d = parsed.diagnostics.list()[0];
  return std::to_string(d.line) + ":" + std::to_string(d.column) + " " + d.code;
}

TEST(Yaml, KeepsOrderPlacesAndWhatWasQuoted) {
  const Parsed parsed = parse("b: 010\na:\n  - \"x\\ty\"\n  - |\n    text\n  - {k: ~}\n");
  ASSERT_TRUE(parsed.root);
  EXPECT_EQ(parsed.diagnostics.to_string(), "");
  ASSERT_EQ(parsed.root->entries.size(), 2U);
  EXPECT_EQ(parsed.root->entries[0].key, "b");
  EXPECT_EQ(parsed.root->entries[0].value.text, "010");
  EXPECT_FALSE(parsed.root->entries[0].value.quoted);
  const Node& list = *parsed.root->find("a");
  ASSERT_EQ(list.items.size(), 3U);
  EXPECT_EQ(list.items[0].text, "x\ty");
  EXPECT_TRUE(list.items[0].quoted);
  EXPECT_EQ(list.items[0].line, 3);
  EXPECT_EQ(list.items[0].column, 5);
  EXPECT_EQ(list.items[1].text, "text\n");
  EXPECT_TRUE(list.items[1].quoted);
  EXPECT_EQ(list.items[2].find("k")->kind, Node::Kind::null);
  EXPECT_EQ(*list.items[2].file, "t.yaml");
}

TEST(Yaml, CountsColumnsInCharactersAndSkipsAByteOrderMark) {
  EXPECT_EQ(refusal("{\"été\": 1, \"été\": 2}"), "1:12 yaml.repeated-key");
  EXPECT_EQ(refusal("\xEF\xBB\xBF{\"a\": 1, \"a\": 2}"), "1:10 yaml.repeated-key");
}

TEST(Yaml, RefusesARepeatedKeyAndKeepsTheFirst) {
  const Parsed parsed = parse("a: 1\nb: 2\na: 3\n");
  ASSERT_TRUE(parsed.root);
  EXPECT_EQ(parsed.root->find("a")->text, "1");
  EXPECT_EQ(parsed.diagnostics.to_string(),
            "t.yaml:3:1: error[yaml.repeated-key]: \"a\" was given before, on line 1; a key may stand once\n");
  EXPECT_EQ(parse("a: {x: 1}\nb: {x: 1}\n").diagnostics.to_string(), "");
}

TEST(Yaml, RefusesAnchorsAliasesTagsAndMergeKeys) {
  EXPECT_EQ(refusal("a: &x 1\n"), "1:4 yaml.anchor");
  EXPECT_EQ(parse("a: &x 1\nb: *x\n").diagnostics.list().size(), 2U);
  EXPECT_EQ(refusal("a: !!str 1\n"), "1:4 yaml.tag");
  EXPECT_EQ(refusal("a: ! 1\n"), "1:4 yaml.tag");
  EXPECT_EQ(refusal("a: !!map {}\n"), "1:4 yaml.tag");
  EXPECT_EQ(refusal("a:\n  <<: {b: 1}\n"), "2:3 yaml.merge-key");
  EXPECT_EQ(parse("a: '!x'\nb: '&x'\nc: '*x'\nd: {'<<': 1}\n").diagnostics.to_string(), "");
}

TEST(Yaml, RefusesKeysThatOtherReadersTakeForBooleans) {
  EXPECT_EQ(refusal("on: push\n"), "1:1 yaml.key");
  EXPECT_EQ(refusal("a: 1\nNo: 1\n"), "2:1 yaml.key");
  EXPECT_EQ(refusal("? [a]\n: 1\n"), "1:3 yaml.key");
  EXPECT_EQ(refusal("~: 1\n"), "1:1 yaml.key");
  EXPECT_EQ(parse("'on': push\nrefresh_on: 1\n").diagnostics.to_string(), "");
}

TEST(Yaml, RefusesSeveralDocumentsAndNone) {
  EXPECT_EQ(refusal("a: 1\n---\nb: 2\n"), "2:1 yaml.several-documents");
  EXPECT_EQ(refusal(""), "0:0 yaml.empty");
  EXPECT_EQ(refusal("# only a comment\n"), "0:0 yaml.empty");
  EXPECT_EQ(refusal("---\n"), "0:0 yaml.empty");
  EXPECT_EQ(parse("---\na: 1\n...\n").diagnostics.to_string(), "");
}

TEST(Yaml, ReportsBrokenSyntaxWithItsPlace) {
  EXPECT_EQ(refusal("a: 1\nb: [1, 2\n"), "3:1 yaml.syntax");
  EXPECT_EQ(refusal("a: *nobody\n"), "1:4 yaml.syntax");
  EXPECT_EQ(refusal("a: \"\\q\"\n"), "1:7 yaml.syntax");
}

TEST(Yaml, AcceptsSixtyFourLevelsAndRefusesOneMore) {
  const std::string open(64, '[');
  const std::string close(64, ']');
  EXPECT_EQ(parse(open + close).diagnostics.to_string(), "");
  EXPECT_EQ(refusal("[" + open + close + "]"), "1:65 yaml.too-deep");
  EXPECT_NE(refusal(std::string(100'000, '[')).find("yaml.too-deep"), std::string::npos);
  std::string dashes;
  for (int i = 0; i < 10'000; ++i) dashes += "- ";
  EXPECT_EQ(refusal(dashes + "a"), "1:129 yaml.too-deep");
}

TEST(Yaml, AcceptsTheLargestFileAndRefusesOneByteMore) {
  const YamlLimits limits{.bytes_max = 16};
  EXPECT_EQ(parse("a: 0123456789ab\n", limits).diagnostics.to_string(), "");
  EXPECT_EQ(refusal("a: 0123456789abc\n", limits), "0:0 yaml.too-large");
}

TEST(Yaml, RefusesWhatIsNotUtf8AndControlCharacters) {
  EXPECT_EQ(refusal("a: \xff\n"), "0:0 yaml.encoding");
  EXPECT_EQ(refusal("a: \xed\xa0\x80\n"), "0:0 yaml.encoding");
  EXPECT_EQ(refusal(std::string_view("\0a\0:", 4)), "1:1 yaml.encoding");
  EXPECT_EQ(refusal("a: 1\nb: \x1b[31m\n"), "2:1 yaml.encoding");
  EXPECT_EQ(parse("a: \"\\x1b\"\n").diagnostics.to_string(), "");
}

TEST(Yaml, CostsOfOneLongLineGrowWithItsLength) {
  std::string text = "[";
  for (int i = 0; i < 100'000; ++i) text += "1,";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(parse(text + "1]").root);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5)) << "its square would take minutes";
}

TEST(Yaml, StopsAfterAHundredMistakes) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "a: 1\n";
  const Parsed parsed = parse(text);
  EXPECT_FALSE(parsed.root);
  EXPECT_EQ(parsed.diagnostics.list().size(), 100U);
}

TEST(Yaml, ReadsAFileAndReportsOneThatIsNotThere) {
  const std::filesystem::path folder = std::filesystem::path(::testing::TempDir()) / "isthmus_yaml_test";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "a.yaml") << "a: 1\n";
  Diagnostics diagnostics;
  EXPECT_TRUE(read_yaml_file(folder / "a.yaml", diagnostics));
  EXPECT_EQ(diagnostics.list().size(), 0U);
  EXPECT_FALSE(read_yaml_file(folder / "b.yaml", diagnostics));
  EXPECT_FALSE(read_yaml_file(folder, diagnostics));
  ASSERT_EQ(diagnostics.list().size(), 2U);
  EXPECT_EQ(diagnostics.list()[0].code, "yaml.unreadable");
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace isthmus::config
