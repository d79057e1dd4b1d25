#include "adapter/detail/reply_time.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <string>

#include "base/clock.h"

namespace isthmus::adapter::detail {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::optional<std::int64_t> digits(std::string_view text) {
  std::int64_t out = 0;
  if (text.empty() || text.size() > 15 || text.front() == '-' || text.front() == '+') return std::nullopt;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
  return out;
}

/// Words separated by blanks, dashes and colons: every HTTP date form is a handful of them.
std::vector<std::string_view> words(std::string_view text) {
  std::vector<std::string_view> out;
  std::size_t i = 0;
  while (i < text.size() && out.size() < 12) {
    const std::size_t start = text.find_first_not_of(" -:,", i);
    if (start == std::string_view::npos) break;
    const std::size_t end = std::min(text.find_first_of(" -:,", start), text.size());
    out.push_back(text.substr(start, end - start));
    i = end;
  }
  return out;
}

std::optional<unsigned> month_of(std::string_view word) {
  static constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto found = std::find(kMonths.begin(), kMonths.end(), word);
  if (found == kMonths.end()) return std::nullopt;
  return static_cast<unsigned>(found - kMonths.begin()) + 1;
}

struct Parts {
  std::string_view day, month, year, hour, minute, second;
};

std::optional<Parts> parts_of(std::string_view text) {
  const std::vector<std::string_view> w = words(text);
  if (w.size() == 8 && w[7] == "GMT") return Parts{w[1], w[2], w[3], w[4], w[5], w[6]};  // IMF-fixdate and RFC 850
  if (w.size() == 7) return Parts{w[2], w[1], w[6], w[3], w[4], w[5]};                   // asctime
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> header_of(const std::vector<Header>& headers, std::string_view name) {
  for (const Header& header : headers) {
    if (same_name(header.name, name)) return header.value;
  }
  return std::nullopt;
}

std::optional<std::int64_t> http_date_ms(std::string_view text) {
  const std::optional<Parts> parts = parts_of(text);
  if (!parts) return std::nullopt;
  const auto day = digits(parts->day), hour = digits(parts->hour), minute = digits(parts->minute),
             second = digits(parts->second);
  auto year = digits(parts->year);
  const auto month = month_of(parts->month);
  if (!day || !hour || !minute || !second || !year || !month) return std::nullopt;
  if (parts->year.size() == 2) *year += *year < 70 ? 2000 : 1900;  // RFC 850 form
  if (*hour > 23 || *minute > 59 || *second > 60 || *day > 31 || *year > 9999) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)), std::chrono::month(*month),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days = std::chrono::sys_days(date).time_since_epoch().count();
  return ((days * 24 + *hour) * 60 + *minute) * 60000 + *second * 1000;
}

std::optional<std::int64_t> instant_ms(const expression::Value& value) {
  if (const auto number = value.as_integer()) return *number;
  const auto text = value.as_text();
  if (!text) return std::nullopt;
  const Result<Instant> instant = from_rfc3339(*text);
  if (!instant) return std::nullopt;
  return to_ms(*instant);
}

namespace {

std::optional<std::int64_t> reset_ms(std::string_view text, LimitSpec::Format format, std::int64_t now_ms) {
  using Format = LimitSpec::Format;
  if (format == Format::rfc3339) {
    const Result<Instant> instant = from_rfc3339(text);
    return instant ? std::optional(to_ms(*instant)) : std::nullopt;
  }
  const std::optional<std::int64_t> number = digits(text.substr(0, text.find('.')));
  if (!number || *number > 100'000'000'000'000) return std::nullopt;
  if (format == Format::epoch_ms) return number;
  if (format == Format::delta_ms) return now_ms + *number;
  return format == Format::delta_seconds ? now_ms + *number * 1000 : *number * 1000;
}

}  // namespace

std::optional<std::int64_t> whole_number(std::string_view text) { return digits(trimmed(text)); }

std::optional<std::int64_t> retry_after_ms(const HttpReply& reply, std::int64_t now_ms) {
  const auto after = header_of(reply.headers, "Retry-After");
  if (!after) return std::nullopt;
  const std::string_view text = trimmed(*after);
  if (const auto seconds = digits(text)) return now_ms + std::min(*seconds, kWaitMsMax / 1000) * 1000;
  return http_date_ms(text);
}

std::optional<std::int64_t> reset_at_ms(const HttpReply& reply, const LimitSpec& limit, std::int64_t now_ms) {
  if (limit.reset.empty()) return std::nullopt;
  const auto reset = header_of(reply.headers, limit.reset);
  return reset ? reset_ms(trimmed(*reset), limit.format, now_ms) : std::nullopt;
}

std::int64_t not_before_ms(const HttpReply& reply, const LimitSpec& limit, std::int64_t now_ms) {
  std::optional<std::int64_t> at = retry_after_ms(reply, now_ms);
  if (!at) at = reset_at_ms(reply, limit, now_ms);
  if (!at) return 0;
  return std::clamp(*at, now_ms, now_ms + kWaitMsMax);
}

}  // namespace isthmus::adapter::detail
