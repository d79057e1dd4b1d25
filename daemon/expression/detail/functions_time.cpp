#include "base/clock.h"
#include "expression/detail/functions.h"

// An instant is an integer (milliseconds since 1970, UTC) or an RFC 3339 text with any offset. What comes out as text
// is RFC 3339 in UTC, with as many digits of fraction as it needs: none or three.
namespace isthmus::expression {
namespace {

constexpr auto kGivesNull = Function::NullInput::gives_null;
constexpr std::int64_t kFirstMs = -62135596800000;  // 0001-01-01T00:00:00Z
constexpr std::int64_t kLastMs = 253402300799999;   // 9999-12-31T23:59:59.999Z
constexpr std::int64_t kDayMs = 86400000;

std::optional<std::int64_t> in_range(std::int64_t ms) {
  if (ms < kFirstMs || ms > kLastMs) return std::nullopt;
  return ms;
}

std::optional<std::int64_t> instant(const Value& value) {
  if (value.kind() == Value::Kind::integer) return in_range(*value.as_integer());
  const auto text = value.as_text();
  if (!text) return std::nullopt;
  const auto read = from_rfc3339(*text);
  if (!read) return std::nullopt;
  return in_range(isthmus::to_ms(*read));
}

Outcome not_an_instant() { return Outcome::failed("it works on RFC 3339 text or milliseconds since 1970"); }

Value text_of(std::int64_t ms) {
  std::string text = to_rfc3339(isthmus::from_ms(ms));  // 2026-11-24T17:00:00.000000Z
  const std::size_t dot = text.find('.');
  text.erase(ms % 1000 == 0 ? dot : dot + 4);
  return Value::text(text + "Z");
}

Outcome rfc3339(Arguments a) {
  const auto ms = instant(a[0]);
  return ms ? Outcome(text_of(*ms)) : not_an_instant();
}

Outcome from_ms(Arguments a) {
  return a[0].kind() == Value::Kind::integer ? rfc3339(a) : wrong_kind("an integer", a[0]);
}

Outcome to_ms(Arguments a) {
  const auto ms = instant(a[0]);
  return ms ? Outcome(Value::of(*ms)) : not_an_instant();
}

std::int64_t floor_to(std::int64_t ms, std::int64_t unit) { return (ms - (((ms % unit) + unit) % unit)); }

Outcome seconds(Arguments a) {
  const auto ms = instant(a[0]);
  return ms ? Outcome(Value::of(floor_to(*ms, 1000) / 1000)) : not_an_instant();
}

// Text stays text, a number stays a number.
Outcome shaped(const Value& like, std::optional<std::int64_t> ms) {
  if (!ms) return Outcome::failed("the instant would lie outside the years 1 to 9999");
  return like.is_text() ? text_of(*ms) : Value::of(*ms);
}

Outcome add_seconds(Arguments a) {
  const auto ms = instant(a[0]);
  const auto more = a[1].as_integer();
  if (!ms) return not_an_instant();
  if (!more || *more < kFirstMs / 1000 * 2 || *more > kLastMs / 1000 * 2)
    return Outcome::failed("it adds whole seconds");
  return shaped(a[0], in_range(*ms + *more * 1000));
}

Outcome next_midnight_utc(Arguments a) {
  const auto ms = instant(a[0]);
  return ms ? shaped(a[0], in_range(floor_to(*ms, kDayMs) + kDayMs)) : not_an_instant();
}

}  // namespace

void add_time_functions(Library& library) {
  library.add({"rfc3339", 1, 1, rfc3339, kGivesNull, ""});
  library.add({"from_ms", 1, 1, from_ms, kGivesNull, ""});
  library.add({"to_ms", 1, 1, to_ms, kGivesNull, ""});
  library.add({"seconds", 1, 1, seconds, kGivesNull, ""});
  library.add({"add_seconds", 2, 2, add_seconds, kGivesNull, "i"});
  library.add({"next_midnight_utc", 1, 1, next_midnight_utc, kGivesNull, ""});
}

}  // namespace isthmus::expression
