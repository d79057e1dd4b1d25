#pragma once

#include <cstdint>
#include <string_view>

namespace isthmus::policy::detail {

/// The character at the offset, which then stands behind it. What is no UTF-8 reads as U+FFFD.
/// @param at below text.size()
[[nodiscard]] char32_t next_character(std::string_view text, std::uint32_t& at);
/// The character that ends before the offset. @param at above 0
[[nodiscard]] char32_t character_before(std::string_view text, std::uint32_t at);
/// The character that begins at the offset.
[[nodiscard]] inline char32_t character_at(std::string_view text, std::uint32_t at) { return next_character(text, at); }

}  // namespace isthmus::policy::detail
