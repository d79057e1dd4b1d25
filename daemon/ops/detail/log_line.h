#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/log.h"

namespace isthmus::ops::detail {

[[nodiscard]] std::string_view level_name(LogLevel level);

/// Text as it may stand in a log line: valid UTF-8 (each bad byte becomes U+FFFD), at most bytes_max bytes and then
/// "…".
[[nodiscard]] std::string clean_text(std::string_view text, std::size_t bytes_max);

/// One line without its line feed: event, time, level, then the fields in their order.
[[nodiscard]] std::string log_line(Instant now, LogLevel level, std::string_view event,
                                   std::initializer_list<LogField> fields, std::size_t text_bytes_max);

}  // namespace isthmus::ops::detail
