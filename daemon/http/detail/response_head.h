#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace isthmus::http::detail {

/// IMF-fixdate of RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string format_date(Instant instant);

enum class Connection { keep, close };

/// True when a server can write it: status 200 to 599, names that are tokens, values without line breaks, none of the
/// fields that the server writes itself.
[[nodiscard]] bool is_writable(const Response& response);

/// Status line and fields, with the empty line. The response must be writable.
[[nodiscard]] std::string format_head(const Response& response, Connection connection, std::string_view date);

/// RFC 9110 6.4.1: 204 and 304 have no content.
[[nodiscard]] bool has_content(int status);

}  // namespace isthmus::http::detail
