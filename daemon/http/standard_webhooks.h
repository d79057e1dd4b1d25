#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "http/message.h"

namespace isthmus::http {

/// Standard Webhooks 1.0.0 (github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md), symmetric
/// scheme v1: HMAC-SHA-256 over "id.timestamp.body", base64, in a list separated by spaces; other schemes in the list
/// are passed over.
inline constexpr std::chrono::seconds kWebhookTolerance{300};
inline constexpr std::size_t kWebhookSignaturesMax = 16;

struct VerifiedWebhook {
  std::string id;                ///< webhook-id: the same for each attempt at one event
  Instant sent_at;               ///< webhook-timestamp, of this attempt
  std::size_t secret_index = 0;  ///< which of the secrets, 0-based
};

/// The key of "whsec_<base64>" (the prefix may be missing), 24 to 64 bytes. Error webhook.secret.
[[nodiscard]] Result<Secret> decode_webhook_secret(const Secret& text);

/// Verifies the raw body, in constant time, against each key (old and new during a rotation).
/// @param keys decoded by decode_webhook_secret.
/// Errors: webhook.missing-header (or one that occurs twice), webhook.timestamp (not a number), webhook.stale (outside
/// the
///         tolerance), webhook.signature.
[[nodiscard]] Result<VerifiedWebhook> verify_standard_webhook(std::span<const Secret> keys, const Headers& headers,
                                                              std::string_view body, Instant now);

/// The three headers for a message: webhook-id, webhook-timestamp and webhook-signature with one entry a key, in their
/// order.
/// @param id without '.', CR or LF.
[[nodiscard]] Headers sign_standard_webhook(std::span<const Secret> keys, std::string_view id, Instant now,
                                            std::string_view body);

}  // namespace isthmus::http
