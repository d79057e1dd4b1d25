#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus::policy::detail {

/// A text as term lists see it: compatibility forms taken apart, letters folded for case, diacritics and invisible
/// characters dropped, any white space one space (Unicode UAX #15 NFKD, CaseFolding.txt). "Straße", "STRASSE" and
/// "s​traße" (with a zero-width space) are one.
struct Folded {
  std::string bytes;                  ///< UTF-8
  std::vector<std::uint32_t> source;  ///< of each byte, where its character began in the original
};

/// @param text UTF-8, under 4 GiB
[[nodiscard]] Folded fold(std::string_view text);

/// Where the character of the original that begins at offset ends, with the marks and invisible characters that follow
/// it.
[[nodiscard]] std::uint32_t end_of_character(std::string_view text, std::uint32_t offset);

}  // namespace isthmus::policy::detail
