#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "adapter/detail/descriptor.h"

namespace isthmus::adapter::detail {

/// The longest that a network's word holds a command back; what lies beyond is taken for a mistake of its clock.
inline constexpr std::int64_t kWaitMsMax = std::int64_t{7} * 24 * 3600 * 1000;

/// The value of the first header of that name, any case.
[[nodiscard]] std::optional<std::string_view> header_of(const std::vector<Header>& headers, std::string_view name);

/// An HTTP date (RFC 9110 5.6.7, all three forms) in milliseconds since 1970.
[[nodiscard]] std::optional<std::int64_t> http_date_ms(std::string_view text);

/// Retry-After (RFC 9110 10.2.3: seconds or a date), else the descriptor's reset header. A floor in milliseconds since
/// 1970: never before now, never later than now + kWaitMsMax; 0 when the reply says nothing that can be read.
[[nodiscard]] std::int64_t not_before_ms(const HttpReply& reply, const LimitSpec& limit, std::int64_t now_ms);

/// Retry-After alone; nothing when it is absent or cannot be read.
[[nodiscard]] std::optional<std::int64_t> retry_after_ms(const HttpReply& reply, std::int64_t now_ms);
/// The time of the reset header, unbounded; nothing when it is absent or cannot be read.
[[nodiscard]] std::optional<std::int64_t> reset_at_ms(const HttpReply& reply, const LimitSpec& limit,
                                                      std::int64_t now_ms);
/// A whole number without sign, in at most 15 digits.
[[nodiscard]] std::optional<std::int64_t> whole_number(std::string_view text);

/// RFC 3339 text or an integer of milliseconds.
[[nodiscard]] std::optional<std::int64_t> instant_ms(const expression::Value& value);

}  // namespace isthmus::adapter::detail
