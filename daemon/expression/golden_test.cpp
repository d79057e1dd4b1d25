// Runs tests/golden/expression/*.jsonl: one case a line, e is the text, and the line says what it gives, what is
// missing, how it fails, or which mistake is reported where.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "expression/expression.h"

namespace isthmus::expression {
namespace {

const std::string kFolder = std::string(ISTHMUS_SOURCE_DIR) + "/tests/golden/expression/";

std::string read_file(const std::string& path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

class RootScope final : public Scope {
 public:
  explicit RootScope(Value event) : event_(std::move(event)) {}
  [[nodiscard]] Value lookup(std::string_view root) const override { return root == "$" ? event_ : event_.get(root); }

 private:
  Value event_;
};

std::string as_text(const Value& value) { return value.is_null() ? std::string() : value.to_text(); }

void judge_outcome(const Value& expected, const Outcome& outcome) {
  const std::string reason(outcome.reason());
  if (const std::string missing = as_text(expected.get("missing")); !missing.empty()) {
    EXPECT_EQ(outcome.status(), Outcome::Status::missing) << reason << outcome.value().to_json();
    EXPECT_NE(reason.find(missing), std::string::npos) << reason;
  } else if (const std::string failed = as_text(expected.get("failed")); !failed.empty()) {
    EXPECT_EQ(outcome.status(), Outcome::Status::failed) << reason << outcome.value().to_json();
    EXPECT_NE(reason.find(failed), std::string::npos) << reason;
  } else {
    ASSERT_TRUE(outcome.ok()) << reason;
    EXPECT_EQ(outcome.value().kind(), expected.get("gives").kind());
    EXPECT_EQ(outcome.value().to_json(), expected.get("gives").to_json());
  }
}

void judge_mistakes(const Value& expected, const Diagnostics& diagnostics) {
  ASSERT_FALSE(diagnostics.list().empty()) << "no mistake was reported";
  const Diagnostic& first = diagnostics.list().front();
  EXPECT_EQ(first.code, as_text(expected.get("mistake"))) << diagnostics.to_string();
  EXPECT_EQ(first.line, 7);
  EXPECT_EQ(first.column, expected.get("column").as_integer().value_or(0)) << diagnostics.to_string();
  EXPECT_NE(first.message.find(as_text(expected.get("says"))), std::string::npos) << first.message;
  EXPECT_EQ(static_cast<std::int64_t>(diagnostics.list().size()), expected.get("count").as_integer().value_or(1))
      << diagnostics.to_string();
}

template <class Compiled>
int run(const std::string& file) {
  const std::string event_text = read_file(kFolder + "event.json");
  const auto event = Document::parse(event_text);
  if (!event) return 0;
  const RootScope scope(event->root());
  const Library library = standard_library();
  const Names names(
      {"object", "person.name", "person.email", "person.tags", "tag", "nested", "none", "emoji", "ms", "status", "$"});
  std::istringstream lines(read_file(kFolder + file));
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) {
    SCOPED_TRACE(line);
    const auto expected = Document::parse(line);
    if (!expected) {
      ADD_FAILURE() << "the line is not JSON";
      continue;
    }
    Diagnostics diagnostics;
    const auto compiled = Compiled::compile(as_text(expected->root().get("e")), Origin{"case", 7, 1, {}},
                                            Checks{library, names}, diagnostics);
    if (!expected->root().get("mistake").is_null()) {
      EXPECT_FALSE(compiled.has_value());
      judge_mistakes(expected->root(), diagnostics);
    } else if (!compiled) {
      ADD_FAILURE() << diagnostics.to_string();
    } else {
      judge_outcome(expected->root(), compiled->evaluate(scope));
    }
  }
  return count;
}

TEST(ExpressionGolden, EveryExpressionGivesWhatItsLineSays) { EXPECT_GT(run<Expression>("cases.jsonl"), 150); }
TEST(ExpressionGolden, EveryTemplateGivesWhatItsLineSays) { EXPECT_GT(run<Template>("templates.jsonl"), 10); }

TEST(ExpressionFormat, ItsPageNamesEveryFunction) {
  const std::string page = read_file(std::string(ISTHMUS_SOURCE_DIR) + "/docs/formats/expression-1.md");
  for (const std::string& name : standard_library().names()) {
    const bool named =
        page.find("`" + name + "`") != std::string::npos || page.find("`" + name + "(") != std::string::npos;
    EXPECT_TRUE(named) << name << " is not on docs/formats/expression-1.md";
  }
}

}  // namespace
}  // namespace isthmus::expression
