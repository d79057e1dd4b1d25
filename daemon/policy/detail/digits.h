#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace isthmus::policy::detail {

/// A letter or digit of a text that may belong to a number, in ASCII upper case whatever script or width it was written
/// in.
struct Sign {
  char value;           ///< 0-9 or A-Z
  std::uint32_t begin;  ///< bytes of the text
  std::uint32_t end;
  bool opens;          ///< not preceded by a letter or digit without a separator
  bool starts_number;  ///< a new run: before it stood something that is no separator, or too many of them
};

/// The letters and digits of a text in order. A letter that has no ASCII form is left out and ends a run.
[[nodiscard]] std::vector<Sign> read_signs(std::string_view text);

}  // namespace isthmus::policy::detail
