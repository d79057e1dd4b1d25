#include "config/reader.h"

#include <gtest/gtest.h>

namespace isthmus::config {
namespace {

using namespace std::chrono_literals;

class Reader : public ::testing::Test {
 protected:
  MapReader read(std::string_view text) {
    diagnostics_ = {};
    root_ = parse_yaml(text, "t.yaml", diagnostics_).value_or(Node{});
    EXPECT_EQ(diagnostics_.to_string(), "");
    return MapReader(root_, "", diagnostics_);
  }
  /// The code of the only diagnostic since the last read().
  [[nodiscard]] std::string code() const {
    return diagnostics_.list().size() == 1 ? diagnostics_.list()[0].code : "not one:\n" + diagnostics_.to_string();
  }

  Node root_;
  Diagnostics diagnostics_;
};

TEST_F(Reader, NamesUnknownKeysWithTheNearestKnownOne) {
  MapReader r = read("database:\n  host: h\n  pool_sise: 8\n");
  std::optional<MapReader> database = r.required_map("database");
  ASSERT_TRUE(database);
  EXPECT_EQ(database->required_text("host"), "h");
  EXPECT_EQ(database->optional_int("pool_size", 1, 64, 4), 4);
  database->finish();
  r.finish();
  EXPECT_EQ(diagnostics_.to_string(),
            "t.yaml:3:3: error[config.unknown-key]: database.pool_sise: \"pool_sise\" is not known here; did you mean "
            "\"pool_size\"?\n");
}

TEST_F(Reader, ReportsAllMistakesAndGoesOn) {
  MapReader r = read("a: 1\nb: [x]\nc: maybe\n");
  EXPECT_EQ(r.required_text("name"), "");
  EXPECT_EQ(r.optional_int("b", 0, 9, 3), 3);
  EXPECT_TRUE(r.optional_bool("c", true));
  r.finish();
  EXPECT_EQ(diagnostics_.to_string(),
            "t.yaml:1:1: error[config.missing-key]: \"name\" is required and is not given\n"
            "t.yaml:2:4: error[config.wrong-type]: b: found a list; accepted: a whole number from 0 to 9\n"
            "t.yaml:3:4: error[config.wrong-type]: c: found \"maybe\"; accepted: true or false\n"
            "t.yaml:1:1: error[config.unknown-key]: a: \"a\" is not known here; did you mean \"b\"?\n");
}

TEST_F(Reader, SuggestsTrueAndFalseForTheBooleansOfYamlOneOne) {
  EXPECT_TRUE(read("a: true").optional_bool("a", false));
  EXPECT_EQ(code(), "not one:\n");
  for (const char* word : {"a: yes", "a: On", "a: TRUE"}) {
    EXPECT_FALSE(read(word).optional_bool("a", false));
    EXPECT_EQ(code(), "config.boolean") << word;
    EXPECT_NE(diagnostics_.to_string().find("write true"), std::string::npos);
  }
  EXPECT_TRUE(read("a: 'true'").optional_bool("a", true));
  EXPECT_EQ(code(), "config.wrong-type");
}

TEST_F(Reader, RefusesTextsThatOtherReadersTakeForSomethingElse) {
  EXPECT_EQ(read("a: 'no'").optional_text("a"), "no");
  EXPECT_EQ(read("a: 1.10").optional_text("a"), "1.10");
  EXPECT_EQ(code(), "not one:\n");
  EXPECT_EQ(read("a: no").optional_text("a"), "");
  EXPECT_EQ(code(), "config.quote");
  EXPECT_EQ(read("a:").optional_text("a", "x"), "x");
  EXPECT_EQ(code(), "config.no-value");
  EXPECT_EQ(read("a: ''").required_text("a"), "");
  EXPECT_EQ(code(), "config.no-value");
}

TEST_F(Reader, TakesOnlyPlainDecimalNumbersWithinTheRange) {
  EXPECT_EQ(read("a: 65535").optional_int("a", 1, 65535, 7), 65535);
  EXPECT_EQ(read("a: -5").optional_int("a", -5, 0, 7), -5);
  EXPECT_EQ(read("a: 0").optional_int("a", 0, 1, 7), 0);
  EXPECT_EQ(code(), "not one:\n");
  EXPECT_EQ(read("a: 65536").optional_int("a", 1, 65535, 7), 7);
  EXPECT_EQ(code(), "config.out-of-range");
  EXPECT_EQ(read("a: 010").optional_int("a", 1, 65535, 7), 7);
  EXPECT_EQ(code(), "config.octal");
  EXPECT_EQ(read("a: 99999999999999999999").optional_int("a", 1, 65535, 7), 7);
  EXPECT_EQ(code(), "config.out-of-range");
  for (const char* wrong : {"a: 0x10", "a: 1e3", "a: 1_000", "a: +1", "a: '1'", "a: 1.0", "a: '-'", "a: {}"}) {
    EXPECT_EQ(read(wrong).optional_int("a", 1, 65535, 7), 7);
    EXPECT_EQ(code(), "config.wrong-type") << wrong;
  }
}

TEST_F(Reader, ReadsDurationsAndSizesWithTheirUnit) {
  EXPECT_EQ(read("a: 250ms").optional_duration("a", 0ms, 24h, 1s), 250ms);
  EXPECT_EQ(read("a: 5s").optional_duration("a", 0ms, 24h, 1s), 5s);
  EXPECT_EQ(read("a: 10m").optional_duration("a", 0ms, 24h, 1s), 10min);
  EXPECT_EQ(read("a: 1d").optional_duration("a", 0ms, 24h, 1s), 24h);
  EXPECT_EQ(read("a: 2MiB").optional_size("a", 0, 1U << 30U, 1), 2U << 20U);
  EXPECT_EQ(code(), "not one:\n");
  EXPECT_EQ(read("a: 2d").optional_duration("a", 0ms, 24h, 1s), 1s);
  EXPECT_EQ(code(), "config.out-of-range");
  for (const char* wrong :
       {"a: 5", "a: 5 s", "a: s", "a: 05s", "a: 5S", "a: 1h30m", "a: -5s", "a: 99999999999999999d"}) {
    EXPECT_EQ(read(wrong).optional_duration("a", 0ms, 24h, 1s), 1s);
    EXPECT_EQ(code(), "config.wrong-type") << wrong;
  }
  EXPECT_EQ(read("a: 2MB").optional_size("a", 0, 1U << 30U, 1), 1U);
  EXPECT_EQ(code(), "config.wrong-type");
}

TEST_F(Reader, WritesDurationsAndSizesInTheLargestWholeUnit) {
  EXPECT_EQ(format_duration(90s), "90s");
  EXPECT_EQ(format_duration(120s), "2m");
  EXPECT_EQ(format_duration(48h), "2d");
  EXPECT_EQ(format_duration(1001ms), "1001ms");
  EXPECT_EQ(format_duration(0ms), "0ms");
  EXPECT_EQ(format_size(3U << 20U), "3MiB");
  EXPECT_EQ(format_size(1025), "1025B");
}

enum class Fate { park, drop };

TEST_F(Reader, ListsTheWordsOfAChoice) {
  MapReader r = read("a: drop\nb: dropp\n");
  EXPECT_EQ(r.required_choice<Fate>("a", {{"park", Fate::park}, {"drop", Fate::drop}}), Fate::drop);
  EXPECT_EQ(r.optional_choice<Fate>("b", {{"park", Fate::park}, {"drop", Fate::drop}}, Fate::park), Fate::park);
  EXPECT_EQ(
      diagnostics_.to_string(),
      "t.yaml:2:4: error[config.unknown-word]: b: found \"dropp\"; accepted: park or drop; did you mean \"drop\"?\n");
}

TEST_F(Reader, ReadsListsOfTextsAndNamesTheItem) {
  EXPECT_EQ(read("a: [x, 'y']").required_text_list("a"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(read("a: []").optional_text_list("a").size(), 0U);
  EXPECT_EQ(code(), "not one:\n");
  EXPECT_EQ(read("a: []").required_text_list("a").size(), 0U);
  EXPECT_EQ(code(), "config.no-value");
  EXPECT_EQ(read("a: x").optional_text_list("a").size(), 0U);
  EXPECT_EQ(code(), "config.wrong-type");
  EXPECT_EQ(read("a: [x, {}]").optional_text_list("a").size(), 1U);
  EXPECT_EQ(diagnostics_.list().at(0).path, "a[1]");
}

TEST_F(Reader, OfANodeThatIsNoMapOnlyThatIsReported) {
  MapReader r = read("[1]");
  EXPECT_FALSE(r.is_map());
  EXPECT_EQ(r.required_text("name"), "");
  r.finish();
  EXPECT_EQ(code(), "config.wrong-type");
}

}  // namespace
}  // namespace isthmus::config
