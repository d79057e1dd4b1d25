#pragma once

#include <cstdint>
#include <optional>

#include "adapter/contract.h"

/// What a description says of rate limits, applied to requests and replies. Pure.
namespace isthmus::adapter {

/// The bucket that counts a request: the first entry of the name that the request gives, else the first whose method
/// and path match; nullptr when none does, and the connection has one limit for all such requests.
[[nodiscard]] const BucketSpec* bucket_of(const LimitSpec& limits, const HttpRequest& request);

/// What one reply tells of the limit that its request counted against. Instants in milliseconds since 1970, never
/// later than a week from now; a header that cannot be read says nothing.
struct LimitReading {
  std::optional<std::int64_t> remaining;
  std::optional<std::int64_t> limit;
  std::optional<std::int64_t> reset_ms;        ///< when the window ends; may be past
  std::optional<std::int64_t> retry_after_ms;  ///< the Retry-After of a 429
  bool refused = false;                        ///< the reply is a 429
};
[[nodiscard]] LimitReading read_limits(const LimitSpec& limits, const HttpReply& reply, std::int64_t now_ms);

}  // namespace isthmus::adapter
