#include "policy/detail/utf8.h"

#include <unicode/utf8.h>

#pragma GCC diagnostic ignored "-Wconversion"  // ICU's macros narrow in ways they have checked

namespace isthmus::policy::detail {

char32_t next_character(std::string_view text, std::uint32_t& at) {
  auto offset = static_cast<std::int32_t>(at);
  UChar32 c = 0;
  U8_NEXT_OR_FFFD(text.data(), offset, static_cast<std::int32_t>(text.size()), c);
  at = static_cast<std::uint32_t>(offset);
  return static_cast<char32_t>(c);
}

char32_t character_before(std::string_view text, std::uint32_t at) {
  auto offset = static_cast<std::int32_t>(at);
  UChar32 c = 0;
  U8_PREV_OR_FFFD(text.data(), 0, offset, c);
  return static_cast<char32_t>(c);
}

}  // namespace isthmus::policy::detail
