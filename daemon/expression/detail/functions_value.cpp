#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "base/crypto.h"
#include "base/uuid.h"
#include "expression/detail/compare.h"
#include "expression/detail/functions.h"
#include "expression/expression.h"

namespace isthmus::expression {
namespace {

constexpr auto kPassed = Function::NullInput::is_passed;
constexpr auto kGivesNull = Function::NullInput::gives_null;

Outcome empty_list() { return Outcome::missing("an item of an empty list"); }

Outcome first(Arguments a) {
  if (!a[0].is_list()) return wrong_kind("a list", a[0]);
  return a[0].size() == 0 ? empty_list() : Outcome(a[0].at(0));
}

Outcome last(Arguments a) {
  if (!a[0].is_list()) return wrong_kind("a list", a[0]);
  return a[0].size() == 0 ? empty_list() : Outcome(a[0].at(-1));
}

bool is_digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// Identifiers that are numbers may be longer than any integer type: compared as digits.
bool digits_less(std::string_view a, std::string_view b) {
  const auto significant = [](std::string_view digits) {
    return digits.substr(std::min(digits.find_first_not_of('0'), digits.size() - 1));
  };
  a = significant(a);
  b = significant(b);
  return a.size() != b.size() ? a.size() < b.size() : a < b;
}

Outcome max_by_number(Arguments a) {
  if (!a[0].is_list()) return wrong_kind("a list", a[0]);
  if (a[0].size() == 0) return empty_list();
  Value best;
  std::string best_digits;
  for (Value& item : a[0].items()) {
    std::string digits = scalar_text(item).value_or("");
    if (!is_digits(digits)) return Outcome::failed("an item is not a number without sign");
    if (!best_digits.empty() && !digits_less(best_digits, digits)) continue;
    best_digits = std::move(digits);
    best = std::move(item);
  }
  return best;
}

Outcome unique(Arguments a) {
  if (!a[0].is_list()) return wrong_kind("a list", a[0]);
  constexpr std::size_t compared_max = 1000;  // each with each
  if (a[0].size() > compared_max) return Outcome::failed("the list has more than 1000 items");
  Value::List kept;
  for (Value& item : a[0].items()) {
    if (std::find(kept.begin(), kept.end(), item) == kept.end()) kept.push_back(std::move(item));
  }
  return Value::list(std::move(kept));
}

Outcome contains(Arguments a) { return compare_values(Operator::contains, a[0], a[1]); }

Outcome json(Arguments a) {
  if (json_bytes(a[0], Limits::text_bytes_max) > Limits::text_bytes_max)
    return Outcome::failed("the JSON would be too long");
  return Value::text(a[0].to_json());
}

Outcome number(Arguments a) {
  if (a[0].as_real()) return a[0];
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text or a number", a[0]);
  double read = 0;
  const char* end = text->data() + text->size();
  const auto result = std::from_chars(text->data(), end, read, std::chars_format::fixed);
  if (result.ec != std::errc() || result.ptr != end || text->find_first_of("in") != std::string_view::npos) {
    return Outcome::failed("the text is not a decimal number");
  }
  const Value real = Value::of(read);
  const auto whole = text->find('.') == std::string_view::npos ? real.as_integer() : std::nullopt;
  return whole ? Value::of(*whole) : real;
}

Outcome integer(Arguments a) {
  if (const auto whole = a[0].as_integer()) return Value::of(*whole);
  const auto text = a[0].as_text();
  if (!text) return Outcome::failed("it works on a whole number or text of digits");
  std::int64_t read = 0;
  const char* end = text->data() + text->size();
  const auto result = std::from_chars(text->data(), end, read);
  if (result.ec != std::errc() || result.ptr != end) return Outcome::failed("the text is not a whole number");
  return Value::of(read);
}

template <class Exact, class Real>
Outcome arithmetic(Arguments a, Exact exact, Real real) {
  if (a[0].kind() == Value::Kind::integer && a[1].kind() == Value::Kind::integer) {
    std::int64_t result = 0;
    if (exact(*a[0].as_integer(), *a[1].as_integer(), result)) return Outcome::failed("the result is too large");
    return Value::of(result);
  }
  const auto left = a[0].as_real();
  const auto right = a[1].as_real();
  if (!left || !right) return wrong_kind("numbers", left ? a[1] : a[0]);
  const Value result = Value::of(real(*left, *right));
  return result.is_null() ? Outcome::failed("the result is too large") : Outcome(result);
}

Outcome plus(Arguments a) {
  return arithmetic(
      a, [](std::int64_t x, std::int64_t y, std::int64_t& r) { return __builtin_add_overflow(x, y, &r); },
      [](double x, double y) { return x + y; });
}

Outcome minus(Arguments a) {
  return arithmetic(
      a, [](std::int64_t x, std::int64_t y, std::int64_t& r) { return __builtin_sub_overflow(x, y, &r); },
      [](double x, double y) { return x - y; });
}

Outcome base64(Arguments a) {
  const auto text = a[0].as_text();
  return text ? Outcome(Value::text(to_base64(*text))) : wrong_kind("text", a[0]);
}

Outcome sha256(Arguments a) {
  const auto text = scalar_text(a[0]);
  return text ? Outcome(Value::text(to_hex(crypto::sha256(*text)))) : wrong_kind("text or a number", a[0]);
}

Outcome hash_prefix(Arguments a) {
  const auto text = scalar_text(a[0]);
  const auto digits = a[1].as_integer();
  if (!text) return wrong_kind("text or a number", a[0]);
  if (!digits || *digits < 1 || *digits > 64) return Outcome::failed("it gives 1 to 64 hexadecimal digits");
  return Value::text(to_hex(crypto::sha256(*text)).substr(0, static_cast<std::size_t>(*digits)));
}

Outcome uuid_of(Arguments a) {
  const auto text = scalar_text(a[0]);
  return text ? Outcome(Value::text(Uuid::derived(crypto::sha256(*text)).to_string()))
              : wrong_kind("text or a number", a[0]);
}

}  // namespace

void add_list_functions(Library& library) {
  library.add({"first", 1, 1, first, kGivesNull, ""});
  library.add({"last", 1, 1, last, kGivesNull, ""});
  library.add({"max_by_number", 1, 1, max_by_number, kGivesNull, ""});
  library.add({"unique", 1, 1, unique, kGivesNull, ""});
  library.add({"contains", 2, 2, contains, kPassed, ""});
  library.add({"json", 1, 1, json, kPassed, ""});
}

void add_number_functions(Library& library) {
  library.add({"number", 1, 1, number, kGivesNull, ""});
  library.add({"integer", 1, 1, integer, kGivesNull, ""});
  library.add({"plus", 2, 2, plus, kGivesNull, "n"});
  library.add({"minus", 2, 2, minus, kGivesNull, "n"});
}

void add_digest_functions(Library& library) {
  library.add({"base64", 1, 1, base64, kGivesNull, ""});
  library.add({"sha256", 1, 1, sha256, kGivesNull, ""});
  library.add({"hash_prefix", 2, 2, hash_prefix, kGivesNull, "i"});
  library.add({"uuid_of", 1, 1, uuid_of, kGivesNull, ""});
}

Library standard_library() {
  Library library;
  add_text_functions(library);
  add_unicode_functions(library);
  add_html_functions(library);
  add_list_functions(library);
  add_number_functions(library);
  add_time_functions(library);
  add_digest_functions(library);
  return library;
}

}  // namespace isthmus::expression
