#include "policy/detail/digits.h"

#include <unicode/uchar.h>

#include "policy/detail/utf8.h"

namespace isthmus::policy::detail {

namespace {

constexpr int kSeparatorsMax = 3;

/// '\0' when the character is no letter or digit that a number has.
char as_sign(UChar32 c) {
  if (c >= '0' && c <= '9') return static_cast<char>(c);
  if (c >= 'A' && c <= 'Z') return static_cast<char>(c);
  if (c >= 'a' && c <= 'z') return static_cast<char>(c - 'a' + 'A');
  if (c < 0x80) return '\0';
  if (c >= 0xFF21 && c <= 0xFF3A) return static_cast<char>('A' + (c - 0xFF21));  // full-width letters
  if (c >= 0xFF41 && c <= 0xFF5A) return static_cast<char>('A' + (c - 0xFF41));
  const std::int32_t digit = u_charDigitValue(c);
  return digit >= 0 && digit <= 9 ? static_cast<char>('0' + digit) : '\0';
}

bool is_invisible(UChar32 c) { return c >= 0x80 && u_charType(c) == U_FORMAT_CHAR; }

bool is_separator(UChar32 c) {
  return c == ' ' || c == '-' || c == '.' || c == '_' || c == 0xA0 || u_charType(c) == U_SPACE_SEPARATOR ||
         u_charType(c) == U_DASH_PUNCTUATION;
}

}  // namespace

std::vector<Sign> read_signs(std::string_view text) {
  std::vector<Sign> signs;
  int separators = 0;
  bool new_run = true;
  bool touches = false;
  for (std::uint32_t i = 0; i < text.size();) {
    const std::uint32_t begin = i;
    const auto c = static_cast<UChar32>(next_character(text, i));
    if (const char sign = as_sign(c); sign != '\0') {
      signs.push_back({sign, begin, i, !touches, new_run || separators > kSeparatorsMax});
      separators = 0;
      new_run = false;
      touches = true;
    } else if (is_invisible(c)) {
      continue;  // a zero-width space inside a number hides it from nobody
    } else if (is_separator(c)) {
      ++separators;
      touches = false;
    } else {
      new_run = true;
      touches = u_isalpha(c) != 0;
    }
  }
  return signs;
}

}  // namespace isthmus::policy::detail
