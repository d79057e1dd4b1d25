// Expressions and templates: any bytes compile or are refused with a reason; what compiles gives the same outcome
// twice, valid and within the limits, on any JSON. An input is a template, a line of three dashes, and the JSON it is
// evaluated on.

#include "expression/expression.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "expression/encode.h"
#include "mapping/mapping.h"

namespace {

using namespace isthmus;
using namespace isthmus::expression;

void judge(const Outcome& first, const Outcome& second) {
  ISTHMUS_CHECK(first.status() == second.status() && first.value() == second.value(), "evaluation is a function");
  ISTHMUS_CHECK(first.ok() || first.value().is_null(), "only an ok outcome has a value");
  ISTHMUS_CHECK(!first.ok() || is_utf8(first.value().to_text()), "what is made is UTF-8");
}

template <class Compiled>
std::optional<Compiled> compile(std::string_view text) {
  static const Library library = standard_library();
  static const Names names = Names::any();
  Diagnostics diagnostics;
  auto compiled = Compiled::compile(text, Origin{"fuzz", 1, 1, {}}, Checks{library, names}, diagnostics);
  ISTHMUS_CHECK(compiled.has_value() != diagnostics.has_errors(), "refused with a reason or accepted without");
  return compiled;
}

void render(const Template& compiled, const Scope& scope) {
  for (const Encoder encode :
       {encode_path_segment, encode_query_value, encode_header_value, encode_json_string, encode_soql_text}) {
    const Outcome outcome = compiled.render(scope, encode);
    ISTHMUS_CHECK(!outcome.ok() || outcome.value().size() <= Limits::text_bytes_max, "a text is bounded");
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const std::size_t split = std::min(input.find("\n---\n"), input.size());
  const auto document = Document::parse(input.substr(std::min(split + 5, input.size())));
  const ObjectScope scope(document ? document->root() : Value());
  if (const auto expression = compile<Expression>(input.substr(0, split))) {
    judge(expression->evaluate(scope), expression->evaluate(scope));
  }
  if (const auto text = compile<Template>(input.substr(0, split))) {
    judge(text->evaluate(scope), text->evaluate(scope));
    render(*text, scope);
  }
  Diagnostics diagnostics;
  const auto map = mapping::Mapping::parse(input, "fuzz.yaml", diagnostics);
  ISTHMUS_CHECK(map.has_value() != diagnostics.has_errors(), "refused with a reason or accepted without");
  if (map) (void)map->run_examples();
  return 0;
}
