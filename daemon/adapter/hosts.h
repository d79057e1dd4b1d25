#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace isthmus::adapter {

/// scheme://host:port of an absolute http or https URL, lower case, the port always written; nullopt for anything else:
/// another scheme, user information, an empty host, characters that no host has, a port out of range.
[[nodiscard]] std::optional<std::string> origin_of(std::string_view url);

/// True when the URL's origin is one of the approved ones (each an origin or a URL; what does not parse approves
/// nothing). Every request passes it, also those to addresses that a reply gave.
[[nodiscard]] bool host_allowed(std::string_view url, std::span<const std::string> approved);

/// RFC 3986 5.2 for what replies really give: an absolute URL, "//host/path", "/path" or "?query", read against base.
[[nodiscard]] std::optional<std::string> resolve_url(std::string_view base, std::string_view reference);

}  // namespace isthmus::adapter
