#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace verify {

[[nodiscard]] std::string to_hex(std::string_view bytes);  ///< lower case
/// Lower case only, so that one value has one spelling.
[[nodiscard]] std::optional<std::string> from_hex(std::string_view hex);
/// RFC 4648 section 4, padded, unused bits zero: one value has one spelling.
[[nodiscard]] std::optional<std::string> from_base64(std::string_view text);
/// Decimal without sign, leading zero or more than 16 digits.
[[nodiscard]] std::optional<std::uint64_t> to_number(std::string_view text);
/// 8-4-4-4-12 lower-case hexadecimal digits.
[[nodiscard]] bool is_uuid(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace verify
