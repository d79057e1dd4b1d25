// Properties: compilation ends with a compiled form or a mistake on any bytes, evaluation ends with an outcome on any
// input, the same input gives the same outcome, and what is made is valid and bounded. RapidCheck prints the seed.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "base/bytes.h"
#include "expression/expression.h"

namespace isthmus::expression {
namespace {

const char* const kEvent =
    R"({"a":{"b":["x","10","é"],"c":null,"t":"<b>1 &amp; 2</b>","n":-7,"r":0.5,"w":"2026-11-24T18:00:00Z"},"l":[{"k":1},{"k":"2"},3],"s":""})";

rc::Gen<std::string> tokens() {
  const std::vector<std::string> words = {"a",
                                          "a.b",
                                          "a.c?",
                                          "a.t",
                                          "a.n",
                                          "a.w",
                                          "l",
                                          "l[*].k",
                                          "s",
                                          "item",
                                          "item.k?",
                                          "$",
                                          "|",
                                          "|",
                                          "|",
                                          "??",
                                          "(",
                                          ")",
                                          "(",
                                          ")",
                                          ",",
                                          "[",
                                          "]",
                                          "*",
                                          ":",
                                          ".",
                                          "==",
                                          "<",
                                          ">=",
                                          "in",
                                          "not",
                                          "and",
                                          "or",
                                          "contains",
                                          "matches",
                                          "'x'",
                                          "'1'",
                                          "10",
                                          "-3",
                                          "0.25",
                                          "true",
                                          "null",
                                          "lower",
                                          "upper",
                                          "truncate",
                                          "(3)",
                                          "('-')",
                                          "split",
                                          "join",
                                          "first",
                                          "last",
                                          "json",
                                          "number",
                                          "text",
                                          "plus",
                                          "minus",
                                          "rfc3339",
                                          "length",
                                          "each",
                                          "where",
                                          "any",
                                          "all",
                                          "choose",
                                          "map",
                                          "concat",
                                          "default",
                                          "extract",
                                          "strip_html",
                                          "count_graphemes",
                                          "add_seconds",
                                          "max_by_number"};
  return rc::gen::map(rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(words)),
                      [](const std::vector<std::string>& chosen) {
                        std::string text;
                        for (const auto& word : chosen) text += word + " ";
                        return text;
                      });
}

rc::Gen<std::string> sensible() {
  const std::vector<std::string> inputs = {"a.b",    "a.c?", "a.t", "a.n",  "a.r", "a.w",  "l",
                                           "l[*].k", "s",    "a",   "none", "-5",  "'é€😀'"};
  const std::vector<std::string> stages = {"lower",
                                           "upper",
                                           "title",
                                           "trim",
                                           "truncate(1)",
                                           "truncate_graphemes(2, '…')",
                                           "prefix('-')",
                                           "replace('1', '22')",
                                           "split('1')",
                                           "join(',')",
                                           "first",
                                           "last",
                                           "length",
                                           "count_graphemes",
                                           "count_utf16",
                                           "strip_html",
                                           "html_escape",
                                           "url_encode",
                                           "base64",
                                           "sha256",
                                           "rfc3339",
                                           "to_ms",
                                           "seconds",
                                           "add_seconds(9)",
                                           "number",
                                           "integer",
                                           "text",
                                           "json",
                                           "default('d')",
                                           "choose(x: y, 10: z)",
                                           "map(x: y)",
                                           "each(item | text)",
                                           "where(item != 3)",
                                           "any(item)",
                                           "max_by_number",
                                           "unique",
                                           "plus(1)",
                                           "minus(0.5)",
                                           "hash_prefix(8)",
                                           "uuid_of",
                                           "matches('1')",
                                           "extract('[0-9]')"};
  return rc::gen::map(rc::gen::pair(rc::gen::elementOf(inputs),
                                    rc::gen::container<std::vector<std::string>>(rc::gen::elementOf(stages))),
                      [](const std::pair<std::string, std::vector<std::string>>& parts) {
                        std::string text = parts.first;
                        for (const auto& stage : parts.second) text += " | " + stage;
                        return text;
                      });
}

void judge(const Outcome& first, const Outcome& second) {
  RC_ASSERT(first.status() == second.status());
  RC_ASSERT(first.value() == second.value());
  if (first.ok()) {
    const std::string json = first.value().to_json();
    RC_ASSERT(is_utf8(json));
    RC_ASSERT(Document::parse(json).has_value());
  } else {
    RC_ASSERT(first.value().is_null());
  }
}

template <class Compiled>
void compile_and_evaluate(const std::string& text) {
  static_assert(std::is_same_v<Compiled, Expression> || std::is_same_v<Compiled, Template>);
  const Library library = standard_library();
  const Names names = Names::any();
  Diagnostics diagnostics;
  const auto compiled = Compiled::compile(text, Origin{"t", 1, 1, {}}, Checks{library, names}, diagnostics);
  RC_ASSERT(compiled.has_value() != diagnostics.has_errors());
  const auto event = Document::parse(kEvent);
  const ObjectScope scope(event->root());
  if (compiled) judge(compiled->evaluate(scope), compiled->evaluate(scope));
}

RC_GTEST_PROP(ExpressionProperty, AnyBytesCompileOrAreRefused, (const std::string& bytes)) {
  compile_and_evaluate<Expression>(bytes);
  compile_and_evaluate<Template>(bytes);
  compile_and_evaluate<Template>("${" + bytes + "}");
}

RC_GTEST_PROP(ExpressionProperty, AnySequenceOfWordsCompilesOrIsRefused, ()) {
  const std::string text = *tokens();
  compile_and_evaluate<Expression>(text);
  compile_and_evaluate<Template>("x ${" + text + "} y");
}

RC_GTEST_PROP(ExpressionProperty, EveryChainOfFunctionsIsTotal, ()) {
  const std::string text = *sensible();
  const Library library = standard_library();
  const Names names = Names::any();
  Diagnostics diagnostics;
  RC_ASSERT(Expression::compile(text, Origin{}, Checks{library, names}, diagnostics).has_value());
  compile_and_evaluate<Expression>(text);
}

}  // namespace
}  // namespace isthmus::expression
