#include "http/standard_webhooks.h"

#include <charconv>
#include <optional>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crypto.h"

namespace isthmus::http {
namespace {

constexpr std::string_view kSecretPrefix = "whsec_";
constexpr std::string_view kScheme = "v1,";
constexpr std::int64_t kSecondsMax = std::int64_t{1} << 40;

std::string signature_of(const Secret& key, std::string_view id, std::string_view timestamp, std::string_view body) {
  Bytes content;
  content.reserve(id.size() + timestamp.size() + body.size() + 2);
  content.append(id).append(1, '.').append(timestamp).append(1, '.').append(body);
  return to_base64(crypto::hmac_sha256(key.reveal(), content));
}

/// True when one of the entries "v1,<base64>" is the expected one. Looks at all of them, each in constant time.
bool listed(std::string_view list, std::string_view expected) {
  bool found = false;
  for (std::size_t i = 0; i < kWebhookSignaturesMax && !list.empty(); ++i) {
    const std::size_t space = list.find(' ');
    const std::string_view entry = list.substr(0, space);
    list.remove_prefix(space == std::string_view::npos ? list.size() : space + 1);
    if (entry.substr(0, kScheme.size()) != kScheme) continue;
    if (crypto::constant_time_equal(entry.substr(kScheme.size()), expected)) found = true;
  }
  return found;
}

}  // namespace

Result<Secret> decode_webhook_secret(const Secret& text) {
  std::string_view encoded = text.reveal();
  if (encoded.substr(0, kSecretPrefix.size()) == kSecretPrefix) encoded.remove_prefix(kSecretPrefix.size());
  auto key = from_base64(encoded);
  if (!key) return fail("webhook.secret", "a webhook secret is not base64", "it looks like whsec_<base64>");
  // The specification: between 24 and 64 bytes.
  if (key->size() < 24 || key->size() > 64) {
    return fail("webhook.secret", "a webhook secret is shorter than 24 or longer than 64 bytes");
  }
  return Secret(std::move(*key));
}

Result<VerifiedWebhook> verify_standard_webhook(std::span<const Secret> keys, const Headers& headers,
                                                std::string_view body, Instant now) {
  const auto id = headers.only("webhook-id");
  const auto timestamp = headers.only("webhook-timestamp");
  const auto signatures = headers.only("webhook-signature");
  if (!id || id->empty() || !timestamp || !signatures) {
    return fail("webhook.missing-header",
                "webhook-id, webhook-timestamp or webhook-signature is missing or occurs twice");
  }
  std::int64_t seconds = 0;
  const auto [end, error] = std::from_chars(timestamp->data(), timestamp->data() + timestamp->size(), seconds);
  if (error != std::errc{} || end != timestamp->data() + timestamp->size() || seconds < 0 || seconds > kSecondsMax) {
    return fail("webhook.timestamp", "webhook-timestamp is not a number of seconds");
  }
  const Instant sent_at = from_ms(seconds * 1000);
  if ((now > sent_at ? now - sent_at : sent_at - now) > kWebhookTolerance) {
    return fail("webhook.stale", "webhook-timestamp is more than 5 minutes away");
  }
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (listed(*signatures, signature_of(keys[i], *id, *timestamp, body)) && !found) found = i;
  }
  if (!found)
    return fail("webhook.signature", "no entry of webhook-signature was made over this body with a known secret");
  return VerifiedWebhook{std::string(*id), sent_at, *found};
}

Headers sign_standard_webhook(std::span<const Secret> keys, std::string_view id, Instant now, std::string_view body) {
  ISTHMUS_CHECK(id.find_first_of(".\r\n") == std::string_view::npos,
                "a webhook id with a dot would be ambiguous once signed");
  const std::string timestamp = std::to_string(to_ms(now) / 1000);
  std::string list;
  for (const Secret& key : keys) {
    if (!list.empty()) list += ' ';
    list.append(kScheme).append(signature_of(key, id, timestamp, body));
  }
  return {{"webhook-id", std::string(id)}, {"webhook-timestamp", timestamp}, {"webhook-signature", list}};
}

}  // namespace isthmus::http
