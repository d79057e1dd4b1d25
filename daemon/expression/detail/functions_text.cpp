#include <array>

#include "expression/detail/functions.h"
#include "expression/encode.h"
#include "expression/expression.h"

namespace isthmus::expression {
namespace {

constexpr auto kPassed = Function::NullInput::is_passed;
constexpr auto kGivesNull = Function::NullInput::gives_null;

constexpr std::string_view kSpaces = " \t\n\r\f\v";

Outcome too_long() { return Outcome::failed("the text would be longer than the limit"); }

Outcome trim(Arguments a) {
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text", a[0]);
  const std::size_t first = text->find_first_not_of(kSpaces);
  if (first == std::string_view::npos) return Value::text("");
  return Value::text(std::string(text->substr(first, text->find_last_not_of(kSpaces) - first + 1)));
}

// What a person left blank is absent.
Outcome filled(Arguments a) {
  Outcome trimmed = trim(a);
  return trimmed.ok() && trimmed.value().size() == 0 ? Outcome(Value()) : trimmed;
}

Outcome joined(std::string_view a, std::string_view b) {
  std::string out;
  out.reserve(a.size() + b.size());
  out += a;
  out += b;
  return Value::text(std::move(out));
}

Outcome prefix(Arguments a) {
  const auto text = scalar_text(a[0]);
  const auto more = a[1].as_text();
  if (!text || !more) return wrong_kind("text", text ? a[1] : a[0]);
  return joined(*more, *text);
}

Outcome suffix(Arguments a) {
  const auto text = scalar_text(a[0]);
  const auto more = a[1].as_text();
  if (!text || !more) return wrong_kind("text", text ? a[1] : a[0]);
  return joined(*text, *more);
}

Outcome replace(Arguments a) {
  const auto text = a[0].as_text();
  const auto from = a[1].as_text();
  const auto to = a[2].as_text();
  if (!text || !from || !to) return wrong_kind("text", !text ? a[0] : !from ? a[1] : a[2]);
  if (from->empty()) return Outcome::failed("there is no end of empty texts to replace");
  std::string out;
  std::size_t next = 0;
  while (next <= text->size()) {
    const std::size_t found = std::min(text->find(*from, next), text->size());
    out += text->substr(next, found - next);
    if (found == text->size()) break;
    out += *to;
    if (out.size() > Limits::text_bytes_max) return too_long();
    next = found + from->size();
  }
  return Value::text(std::move(out));
}

Outcome split(Arguments a) {
  const auto text = a[0].as_text();
  const auto by = a[1].as_text();
  if (!text || !by) return wrong_kind("text", text ? a[1] : a[0]);
  if (by->empty()) return Outcome::failed("it needs something to split by");
  Value::List parts;
  std::size_t next = 0;
  while (parts.size() < Limits::items_max) {
    const std::size_t found = text->find(*by, next);
    const std::size_t end = std::min(found, text->size());
    parts.push_back(Value::text(std::string(text->substr(next, end - next))));
    if (found == std::string_view::npos) return Value::list(std::move(parts));
    next = found + by->size();
  }
  return Outcome::failed("it would give more items than the limit");
}

Outcome join(Arguments a) {
  if (!a[0].is_list()) return wrong_kind("a list", a[0]);
  const auto by = a.size() > 1 ? a[1].as_text() : std::string_view();
  if (!by) return wrong_kind("text", a[1]);
  std::string out;
  bool first = true;
  for (const Value& item : a[0].items()) {
    if (item.is_null()) continue;
    const auto text = scalar_text(item);
    if (!text) return wrong_kind("a list of texts and numbers, not of", item);
    if (!first) out += *by;
    first = false;
    out += *text;
    if (out.size() > Limits::text_bytes_max) return too_long();
  }
  return Value::text(std::move(out));
}

Outcome concat(Arguments a) {
  std::string out;
  for (const Value& part : a) {
    const auto text = scalar_text(part);
    if (!text && !part.is_null()) return wrong_kind("texts and numbers", part);
    if (text) out += *text;
    if (out.size() > Limits::text_bytes_max) return too_long();
  }
  return Value::text(std::move(out));
}

Outcome starts_with(Arguments a) {
  if (a[0].is_null()) return Value::of(false);
  const auto text = a[0].as_text();
  const auto start = a[1].as_text();
  if (!text || !start) return wrong_kind("text", text ? a[1] : a[0]);
  return Value::of(text->substr(0, start->size()) == *start);
}

Outcome ends_with(Arguments a) {
  if (a[0].is_null()) return Value::of(false);
  const auto text = a[0].as_text();
  const auto end = a[1].as_text();
  if (!text || !end) return wrong_kind("text", text ? a[1] : a[0]);
  return Value::of(text->size() >= end->size() && text->substr(text->size() - end->size()) == *end);
}

Outcome url_encode(Arguments a) {
  const auto text = scalar_text(a[0]);
  if (!text) return wrong_kind("text or a number", a[0]);
  std::string out;
  (void)encode_query_value(*text, out);  // holds any text
  return Value::text(std::move(out));
}

Outcome to_text(Arguments a) {
  auto text = scalar_text(a[0]);
  return text ? Outcome(Value::text(std::move(*text)))
              : wrong_kind("a number, a truth or text (json is for the rest)", a[0]);
}

}  // namespace

Outcome wrong_kind(std::string_view wanted, const Value& got) {
  return Outcome::failed("it works on " + std::string(wanted) + ", not " + std::string(to_string(got.kind())));
}

std::optional<std::string> scalar_text(const Value& value) {
  if (value.is_null() || value.is_list() || value.is_object()) return std::nullopt;
  return value.to_text();
}

void add_text_functions(Library& library) {
  library.add({"trim", 1, 1, trim, kGivesNull, ""});
  library.add({"filled", 1, 1, filled, kGivesNull, ""});
  library.add({"prefix", 2, 2, prefix, kGivesNull, "t"});
  library.add({"suffix", 2, 2, suffix, kGivesNull, "t"});
  library.add({"replace", 3, 3, replace, kGivesNull, "t"});
  library.add({"split", 2, 2, split, kGivesNull, "t"});
  library.add({"join", 1, 2, join, kGivesNull, "t"});
  library.add({"concat", 1, 16, concat, kPassed, ""});
  library.add({"starts_with", 2, 2, starts_with, kPassed, "t"});
  library.add({"ends_with", 2, 2, ends_with, kPassed, "t"});
  library.add({"url_encode", 1, 1, url_encode, kGivesNull, ""});
  library.add({"text", 1, 1, to_text, kGivesNull, ""});
}

}  // namespace isthmus::expression
