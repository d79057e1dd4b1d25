#include "ops/detail/log_line.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace isthmus::ops::detail {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD
constexpr std::string_view kCut = "\xE2\x80\xA6";          // …

bool is_continuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U; }

// Length of the well-formed UTF-8 sequence at the start of text (RFC 3629 section 4), or 0.
std::size_t sequence_length(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  if (lead < 0x80) return 1;
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) return 0;
  if (!std::all_of(text.begin() + 1, text.begin() + static_cast<std::ptrdiff_t>(length), is_continuation)) return 0;
  const auto second = static_cast<unsigned char>(text[1]);
  if (lead == 0xE0 && second < 0xA0) return 0;  // overlong
  if (lead == 0xED && second > 0x9F) return 0;  // surrogate
  if (lead == 0xF0 && second < 0x90) return 0;  // overlong
  if (lead == 0xF4 && second > 0x8F) return 0;  // beyond U+10FFFF
  return length;
}

}  // namespace

std::string_view level_name(LogLevel level) {
  constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

std::string clean_text(std::string_view text, std::size_t bytes_max) {
  std::string out;
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const std::string_view next = length == 0 ? kReplacement : text.substr(0, length);
    if (out.size() + next.size() > bytes_max) return out.append(kCut);
    out.append(next);
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out;
}

std::string log_line(Instant now, LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
                     std::size_t text_bytes_max) {
  JsonWriter json;
  json.begin_object().member("event", event).member("time", to_rfc3339(now)).member("level", level_name(level));
  for (const LogField& field : fields) {
    json.key(field.name);
    if (const auto* text = std::get_if<std::string_view>(&field.value)) {
      json.value(clean_text(*text, text_bytes_max));
    } else if (const auto* number = std::get_if<std::int64_t>(&field.value)) {
      json.value(*number);
    } else if (const auto* real = std::get_if<double>(&field.value)) {
      json.value(*real);
    } else {
      json.value(std::get<bool>(field.value));
    }
  }
  json.end_object();
  return std::move(json).text();
}

}  // namespace isthmus::ops::detail
