#include "policy/detail/fold.h"

#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>
#include <unicode/utf16.h>
#include <unicode/utf8.h>

#include <array>

#include "base/check.h"
#include "policy/detail/utf8.h"

namespace isthmus::policy::detail {

namespace {

constexpr std::int32_t kUnitsMax = 64;  // the longest decomposition is 18 units, folding triples at most

/// Letters that have no decomposition, as people type them without the key.
struct Plain {
  UChar32 letter;
  std::string_view plain;
};
constexpr std::array<Plain, 9> kPlain = {{{0x00E6, "ae"},
                                          {0x0153, "oe"},
                                          {0x00F8, "o"},
                                          {0x0142, "l"},
                                          {0x0111, "d"},
                                          {0x0131, "i"},
                                          {0x2019, "'"},
                                          {0x2018, "'"},
                                          {0x02BC, "'"}}};

/// Diacritics of Latin, Greek, Cyrillic, Arabic; not the vowel signs of scripts where they make the word.
bool is_diacritic(UChar32 c) {
  if (u_charType(c) != U_NON_SPACING_MARK) return false;
  UErrorCode error = U_ZERO_ERROR;
  return uscript_getScript(c, &error) == USCRIPT_INHERITED;
}

bool is_dropped(UChar32 c) {
  return u_charType(c) == U_FORMAT_CHAR || is_diacritic(c) ||
         u_hasBinaryProperty(c, UCHAR_DEFAULT_IGNORABLE_CODE_POINT);
}

void append(Folded& to, UChar32 c, std::uint32_t source) {
  std::array<char, U8_MAX_LENGTH> buffer{};
  std::int32_t used = 0;
  U8_APPEND_UNSAFE(buffer.data(), used, c);
  to.bytes.append(buffer.data(), static_cast<std::size_t>(used));
  to.source.insert(to.source.end(), static_cast<std::size_t>(used), source);
}

void append_space(Folded& to, std::uint32_t source) {
  if (to.bytes.empty() || to.bytes.back() != ' ') append(to, ' ', source);
}

void append_folded(Folded& to, UChar32 c, std::uint32_t source) {
  if (is_dropped(c)) return;
  if (u_isUWhiteSpace(c) != 0) return append_space(to, source);
  for (const Plain& plain : kPlain) {
    if (plain.letter != c) continue;
    for (const char letter : plain.plain) append(to, letter, source);
    return;
  }
  if (u_charType(c) == U_DASH_PUNCTUATION) c = '-';
  append(to, c, source);
}

/// Beyond ASCII: take apart, fold the case, drop what is dropped.
void fold_character(Folded& to, UChar32 c, std::uint32_t source, const UNormalizer2* nfkc) {
  UErrorCode error = U_ZERO_ERROR;
  std::array<UChar, kUnitsMax> apart{};
  std::int32_t units = unorm2_getDecomposition(nfkc, c, apart.data(), kUnitsMax, &error);
  if (units < 0) {
    units = 0;
    U16_APPEND_UNSAFE(apart.data(), units, c);
  }
  std::array<UChar, kUnitsMax> folded{};
  const std::int32_t length = u_strFoldCase(folded.data(), kUnitsMax, apart.data(), units, U_FOLD_CASE_DEFAULT, &error);
  ISTHMUS_CHECK(U_SUCCESS(error) && length <= kUnitsMax, "a character's folded form fits the buffer");
  for (std::int32_t i = 0; i < length;) {
    UChar32 part = 0;
    U16_NEXT(folded.data(), i, length, part);
    append_folded(to, part, source);
  }
}

}  // namespace

Folded fold(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const UNormalizer2* nfkc = unorm2_getNFKCInstance(&error);
  ISTHMUS_CHECK(U_SUCCESS(error), "ICU carries its normalisation data inside");
  Folded result;
  result.bytes.reserve(text.size());
  result.source.reserve(text.size());
  for (std::uint32_t i = 0; i < text.size();) {
    const std::uint32_t source = i;
    const auto c = static_cast<UChar32>(next_character(text, i));
    if (c >= 0x80) {
      fold_character(result, c, source, nfkc);
    } else if (c == ' ' || (c >= '\t' && c <= '\r')) {
      append_space(result, source);
    } else {
      append(result, c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c, source);
    }
  }
  return result;
}

std::uint32_t end_of_character(std::string_view text, std::uint32_t offset) {
  std::uint32_t at = offset;
  if (at < text.size()) (void)next_character(text, at);
  while (at < text.size()) {
    std::uint32_t next = at;
    const auto c = static_cast<UChar32>(next_character(text, next));
    if (c < 0x80 || !is_dropped(c)) break;
    at = next;
  }
  return at;
}

}  // namespace isthmus::policy::detail
