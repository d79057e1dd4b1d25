#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace isthmus {

/// Raw bytes. std::string holds any byte, has a small-buffer form and meets every library's interface.
using Bytes = std::string;

[[nodiscard]] std::string to_hex(std::string_view bytes);  ///< lower case
[[nodiscard]] Result<Bytes> from_hex(std::string_view hex);

[[nodiscard]] std::string to_base64(std::string_view bytes);  ///< RFC 4648 section 4, padded
/// Strict: padding required, no white space, unused bits zero.
[[nodiscard]] Result<Bytes> from_base64(std::string_view text);
[[nodiscard]] std::string to_base64url(std::string_view bytes);  ///< RFC 4648 section 5, unpadded
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);

/// True when the text is well-formed UTF-8 (no surrogates, no overlong forms).
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace isthmus
