#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/secret.h"
#include "http/message.h"

namespace isthmus::http {

/// What a keyed hash is computed over, piece by piece, without separators but literal ones.
struct SignedPiece {
  enum class Kind { body, method, url, timestamp, literal };
  Kind kind = Kind::body;
  std::string text;  ///< of a literal
};

/// How a vendor signs its webhooks with HMAC-SHA-256: data of a descriptor.
struct HmacRecipe {
  enum class Encoding { hex, base64 };
  enum class TimestampUnit { seconds, milliseconds };

  std::string signature_header;         ///< must occur exactly once
  std::string prefix;                   ///< before the encoded value, as in "sha256="; may be empty
  Encoding encoding = Encoding::hex;    ///< hex in either case
  std::vector<SignedPiece> pieces{{}};  ///< by default the raw body
  std::string timestamp_header;         ///< required when a piece is the timestamp
  TimestampUnit timestamp_unit = TimestampUnit::seconds;
  std::chrono::seconds tolerance{300};  ///< either way
};

/// Verifies over the raw bytes, in constant time, against each secret (old and new during a rotation).
/// @param url the address the sender called, as the vendor signs it; used by a url piece only.
/// @return which secret it was, 0-based. Errors: webhook.missing-header, webhook.timestamp (not a number),
/// webhook.stale (outside
///         the tolerance), webhook.signature.
[[nodiscard]] Result<std::size_t> verify_hmac(const HmacRecipe& recipe, std::span<const Secret> secrets,
                                              const Request& request, std::string_view url, Instant now);

}  // namespace isthmus::http
