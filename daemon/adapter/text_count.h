#pragma once

#include <cstdint>
#include <string_view>

/// How long a text is in the words of different networks. Text is UTF-8; broken bytes count one each. Pure, thread
/// safe.
namespace isthmus::adapter {

[[nodiscard]] std::int64_t count_code_points(std::string_view text);
[[nodiscard]] std::int64_t count_utf16(std::string_view text);
/// Extended grapheme clusters (Unicode UAX 29), as ICU has them.
[[nodiscard]] std::int64_t count_graphemes(std::string_view text);
/// X's weighted length: code points of the light ranges weigh 1, others 2, an emoji sequence 2, a URL url_weight
/// (twitter-text configuration v3, github.com/twitter/twitter-text, config/v3.json, read 2026-11-24).
[[nodiscard]] std::int64_t count_weighted(std::string_view text, std::int64_t url_weight);

}  // namespace isthmus::adapter
