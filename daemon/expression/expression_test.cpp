#include "expression/expression.h"

#include <gtest/gtest.h>

#include "expression/encode.h"

namespace isthmus::expression {
namespace {

struct Bench {
  Library library = standard_library();
  Names names = Names::any();
  Diagnostics diagnostics;

  std::optional<Expression> expression(std::string_view text) {
    return Expression::compile(text, Origin{}, Checks{library, names}, diagnostics);
  }
  std::optional<Template> text(std::string_view text) {
    return Template::compile(text, Origin{}, Checks{library, names}, diagnostics);
  }
};

std::string piped(std::string_view stage, std::size_t times) {
  std::string text = "'a'";
  for (std::size_t i = 0; i < times; ++i) text += " | " + std::string(stage);
  return text;
}

TEST(Expression, NamesThePathsItReads) {
  Bench bench;
  const auto e = bench.expression("a.b[0].c ?? (tag | where(item.x == 1) | each(item.name)) ?? (a.b[0].c | lower)");
  ASSERT_TRUE(e);
  EXPECT_EQ(e->paths(), (std::vector<std::string>{"a.b.c", "tag", "tag.name", "tag.x"}));
  const auto t = bench.text("${x.y} ${z[*].w}");
  ASSERT_TRUE(t);
  EXPECT_EQ(t->paths(), (std::vector<std::string>{"x.y", "z.w"}));
}

TEST(Expression, KnowsThePathsOfItsFormat) {
  Bench bench;
  bench.names = Names({"event.person.email", "event.tag.name", "connection"});
  EXPECT_TRUE(bench.expression("event.person"));
  EXPECT_TRUE(bench.expression("event.person.email"));
  EXPECT_TRUE(bench.expression("connection.anything.below"));
  EXPECT_TRUE(bench.expression("event.tag | each(item.name)"));
  EXPECT_FALSE(bench.expression("event.person.emial"));
  EXPECT_FALSE(bench.expression("event.personal"));
  EXPECT_FALSE(bench.expression("event.tag | each(item.nam)"));
  ASSERT_EQ(bench.diagnostics.list().size(), 3U);
  EXPECT_NE(bench.diagnostics.list()[0].message.find("did you mean event.person.email?"), std::string::npos);
  EXPECT_NE(bench.diagnostics.list()[2].message.find("event.tag.nam is not known"), std::string::npos);
}

TEST(Expression, PlacesAMistakeInsideALongerText) {
  Bench bench;
  const Library& library = bench.library;
  Diagnostics found;
  const auto t = Template::compile("first\nand ${x | nope}", Origin{"m.yaml", 10, 5, "fields.Email"},
                                   Checks{library, bench.names}, found);
  EXPECT_FALSE(t);
  ASSERT_EQ(found.list().size(), 1U);
  EXPECT_EQ(found.list()[0].line, 11);
  EXPECT_EQ(found.list()[0].column, 11);
  EXPECT_EQ(found.list()[0].path, "fields.Email");
}

TEST(Expression, ConditionsFailClosed) {
  Bench bench;
  MapScope scope;
  scope.set("n", Value::of(3)).set("t", Value::borrowed("x"));
  using Truth = Expression::Truth;
  EXPECT_EQ(bench.expression("n > 2")->test(scope), Truth::yes);
  EXPECT_EQ(bench.expression("n > 3")->test(scope), Truth::no);
  EXPECT_EQ(bench.expression("n > t")->test(scope), Truth::failed);
  EXPECT_EQ(bench.expression("absent > 3")->test(scope), Truth::failed);
  EXPECT_EQ(bench.expression("not (absent > 3)")->test(scope), Truth::failed);
  EXPECT_EQ(bench.expression("absent?")->test(scope), Truth::no);
}

TEST(Expression, RefusesWhatIsLargerThanItsLimits) {
  Bench bench;
  const std::string just = "'" + std::string(Limits::source_bytes_max - 2, 'a') + "'";
  EXPECT_TRUE(bench.expression(just));
  EXPECT_FALSE(bench.expression(just + " "));
  const std::string deep(Limits::depth_max - 1, '(');
  EXPECT_TRUE(bench.expression(deep + "1" + std::string(Limits::depth_max - 1, ')')));
  EXPECT_FALSE(bench.expression("(" + deep + "1" + std::string(Limits::depth_max, ')')));
  EXPECT_TRUE(bench.expression(piped("trim", Limits::nodes_max - 1)));
  EXPECT_FALSE(bench.expression(piped("trim", Limits::nodes_max)));
  for (const auto& d : bench.diagnostics.list()) EXPECT_EQ(d.code, "expression.limit");
  EXPECT_FALSE(bench.expression("'\xff'"));
}

TEST(Expression, StopsATextThatGrows) {
  Bench bench;
  const MapScope scope;
  const auto small = bench.expression(piped("replace('a', 'aaaaaaaaaa')", 6));
  ASSERT_TRUE(small);
  EXPECT_EQ(small->evaluate(scope).value().size(), 1000000U);
  const auto large = bench.expression(piped("replace('a', 'aaaaaaaaaa')", 7));
  ASSERT_TRUE(large);
  EXPECT_EQ(large->evaluate(scope).status(), Outcome::Status::failed);
}

TEST(Expression, StopsListsInListsInLists) {
  Bench bench;
  MapScope scope;
  scope.set("l", Value::list(Value::List(100, Value::of(1))));
  EXPECT_TRUE(bench.expression("l | each(l | each(1))")->evaluate(scope).ok());
  EXPECT_EQ(bench.expression("l | each(l | each(l | each(1)))")->evaluate(scope).status(), Outcome::Status::failed);
  scope.set("l", Value::list(Value::List(Limits::items_max, Value::of(1))));
  EXPECT_TRUE(bench.expression("l[*]")->evaluate(scope).ok());
  scope.set("l", Value::list(Value::List(Limits::items_max + 1, Value::of(1))));
  EXPECT_EQ(bench.expression("l[*]")->evaluate(scope).status(), Outcome::Status::failed);
  EXPECT_EQ(bench.expression("l | each(1)")->evaluate(scope).status(), Outcome::Status::failed);
}

TEST(Expression, StopsCopiesOfOneLargeText) {
  Bench bench;
  const std::string large(100000, 'a');
  MapScope scope;
  scope.set("t", Value::borrowed(large)).set("l", Value::list(Value::List(1000, Value::of(1))));
  EXPECT_EQ(bench.text("${l | each(t) | json}")->evaluate(scope).status(), Outcome::Status::failed);
  EXPECT_EQ(bench.text("x${l | each(t)}")->evaluate(scope).status(), Outcome::Status::failed);
  EXPECT_TRUE(bench.text("x${t}")->evaluate(scope).ok());
}

TEST(Expression, UsesFunctionsThatARoomAdds) {
  Bench bench;
  bench.library.add({"twice", 1, 1,
                     [](std::span<const Value> a) -> Outcome { return Value::text(a[0].to_text() + a[0].to_text()); },
                     Function::NullInput::gives_null, ""});
  MapScope scope;
  scope.set("t", Value::borrowed("ab"));
  EXPECT_EQ(bench.expression("t | twice | twice")->evaluate(scope).value().to_text(), "abababab");
  EXPECT_TRUE(bench.expression("u? | twice")->evaluate(scope).value().is_null());
}

TEST(Template, EncodesWhatIsInterpolatedAndNothingElse) {
  Bench bench;
  MapScope scope;
  scope.set("v", Value::borrowed("a/b c")).set("up", Value::borrowed("..")).set("crlf", Value::borrowed("a\r\nX: y"));
  EXPECT_EQ(bench.text("/x/${v}/y")->render(scope, encode_path_segment).value().to_text(), "/x/a%2Fb%20c/y");
  EXPECT_EQ(bench.text("${v}")->render(scope, encode_query_value).value().to_text(), "a%2Fb%20c");
  EXPECT_EQ(bench.text("/${up}")->render(scope, encode_path_segment).status(), Outcome::Status::failed);
  EXPECT_EQ(bench.text("/${none?}/")->render(scope, encode_path_segment).status(), Outcome::Status::failed);
  EXPECT_EQ(bench.text("${crlf}")->render(scope, encode_header_value).status(), Outcome::Status::failed);
  EXPECT_EQ(bench.text("Bearer ${v}")->render(scope, encode_header_value).value().to_text(), "Bearer a/b c");
  EXPECT_TRUE(bench.text("$5 }{")->is_literal());
}

TEST(Encode, WritesEachPlaceInItsOwnForm) {
  const auto encoded = [](Encoder encode, std::string_view piece) {
    std::string out;
    return encode(piece, out) ? out : "refused";
  };
  EXPECT_EQ(encoded(encode_form_value, "a b+c&d"), "a+b%2Bc%26d");
  EXPECT_EQ(encoded(encode_form_value, ""), "");
  EXPECT_EQ(encoded(encode_path_segment, "."), "refused");
  EXPECT_EQ(encoded(encode_path_segment, "..."), "...");
  EXPECT_EQ(encoded(encode_json_string, "a\"\\\n"), "a\\\"\\\\\\n");
  EXPECT_EQ(encoded(encode_soql_text, "O'Brien \\ \"x\"\n"), "O\\'Brien \\\\ \\\"x\\\"\\n");
  EXPECT_EQ(encoded(encode_header_value, std::string_view("a\0b", 3)), "refused");
  EXPECT_EQ(encoded(encode_header_value, "a\tb"), "a\tb");
}

TEST(Value, ComparesAndCopiesWhatItBorrows) {
  Value kept;
  {
    const auto document = Document::parse(R"({"a":[1,{"b":"x"}],"c":2.5,"d":{}})");
    ASSERT_TRUE(document);
    kept = document->root().owned();
    EXPECT_EQ(kept, document->root());
  }
  EXPECT_EQ(kept.to_json(), R"({"a":[1,{"b":"x"}],"c":2.5,"d":{}})");
  const auto other = Document::parse(R"({"d":{},"c":2.5,"a":[1,{"b":"y"}]})");
  ASSERT_TRUE(other);
  EXPECT_FALSE(kept == other->root());
  EXPECT_TRUE(kept.truthy());
  EXPECT_FALSE(kept.get("d").truthy());
}

TEST(Document, RefusesWhatIsTooDeepOrBroken) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_TRUE(Document::parse(nested(Document::kDepthMax - 1)));
  EXPECT_FALSE(Document::parse(nested(Document::kDepthMax + 1)));
  EXPECT_FALSE(Document::parse("{\"a\":1"));
  EXPECT_FALSE(Document::parse("\"\xff\""));
}

}  // namespace
}  // namespace isthmus::expression
