#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus::adapter::detail {

/// The paths that a body of this format has, below root ("input.person.email"), for the check of what a descriptor
/// reads; empty for a format that is not known. The formats' own pages are interfaces/*.schema.json.
[[nodiscard]] std::vector<std::string> format_paths(std::string_view format, std::string_view root);
[[nodiscard]] std::vector<std::string> known_formats();

}  // namespace isthmus::adapter::detail
