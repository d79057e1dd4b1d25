#pragma once

#include <algorithm>
#include <string>

#include "base/bytes.h"

namespace isthmus::journal {

/// What a network said, as a text column takes it: '?' for NUL, and for bytes that are not UTF-8. A reply whose error
/// message holds "\u0000" is legal JSON; it must not make the journal refuse what became of its command.
[[nodiscard]] inline std::string storable(std::string text) {
  const bool good = is_utf8(text);
  std::replace_if(
      text.begin(), text.end(),
      [good](char c) { return c == '\0' || (!good && static_cast<unsigned char>(c) >= 0x80); }, '?');
  return text;
}

}  // namespace isthmus::journal
