#include "intake/verify.h"

#include <array>

#include "base/crypto.h"
#include "http/standard_webhooks.h"
#include "http/webhook_signature.h"

namespace isthmus::intake {
namespace {

// A secret and, while it is being rotated, its predecessor under the same name with "_old".
std::vector<Secret> secrets_for(const adapter::WebhookRecipe& recipe, const adapter::Secrets& secrets) {
  std::vector<Secret> found;
  for (const std::string& name : {recipe.secret_field, recipe.secret_field + "_old"}) {
    if (const auto it = secrets.find(name); it != secrets.end()) found.push_back(it->second);
  }
  return found;
}

Result<std::string> by_standard_webhooks(const std::vector<Secret>& secrets, const http::Request& request,
                                         Instant now) {
  std::vector<Secret> keys;
  for (const Secret& secret : secrets) {
    auto key = http::decode_webhook_secret(secret);
    if (!key) return fail(std::move(key).error());
    keys.push_back(std::move(*key));
  }
  auto verified = http::verify_standard_webhook(keys, request.headers, request.body, now);
  if (!verified) return fail(std::move(verified).error());
  return std::move(verified->id);
}

http::HmacRecipe hubspot_v3() {
  // developers.hubspot.com "Validating requests", v3: method, URI, body and timestamp (milliseconds), base64.
  using Piece = http::SignedPiece;
  http::HmacRecipe recipe;
  recipe.signature_header = "X-HubSpot-Signature-v3";
  recipe.encoding = http::HmacRecipe::Encoding::base64;
  recipe.pieces = {
      {Piece::Kind::method, {}}, {Piece::Kind::url, {}}, {Piece::Kind::body, {}}, {Piece::Kind::timestamp, {}}};
  recipe.timestamp_header = "X-HubSpot-Request-Timestamp";
  recipe.timestamp_unit = http::HmacRecipe::TimestampUnit::milliseconds;
  return recipe;
}

http::HmacRecipe plain_hmac(const adapter::WebhookRecipe& recipe) {
  http::HmacRecipe out;
  out.signature_header = recipe.header;
  out.prefix = recipe.prefix;
  out.encoding = recipe.base64 ? http::HmacRecipe::Encoding::base64 : http::HmacRecipe::Encoding::hex;
  return out;
}

Result<void> by_shared_secret(const adapter::WebhookRecipe& recipe, const std::vector<Secret>& secrets,
                              const http::Request& request) {
  const auto given = request.headers.only(recipe.header);
  if (!given) return fail("webhook.missing-header", "the header " + recipe.header + " is missing or occurs twice");
  for (const Secret& secret : secrets) {
    if (crypto::constant_time_equal(*given, secret.reveal())) return {};
  }
  return fail("webhook.signature", "the header " + recipe.header + " does not hold the shared secret");
}

}  // namespace

Result<std::string> verify_webhook(const adapter::WebhookRecipe& recipe, const adapter::Secrets& secrets,
                                   const http::Request& request, const std::string& url, Instant now) {
  using Kind = adapter::WebhookRecipe::Kind;
  if (recipe.kind == Kind::none) return fail("webhook.none", "this kind of connection takes no webhooks");
  const std::vector<Secret> known = secrets_for(recipe, secrets);
  if (known.empty())
    return fail("webhook.no-secret", "the connection has no secret " + recipe.secret_field,
                "isthmus connection secret NAME " + recipe.secret_field + " --file FILE");
  if (recipe.kind == Kind::standard_webhooks) return by_standard_webhooks(known, request, now);
  if (recipe.kind == Kind::secret_in_header) {
    if (auto done = by_shared_secret(recipe, known, request); !done) return fail(std::move(done).error());
  } else {
    auto verified = http::verify_hmac(recipe.kind == Kind::hubspot_v3 ? hubspot_v3() : plain_hmac(recipe), known,
                                      request, url, now);
    if (!verified) return fail(std::move(verified).error());
  }
  if (recipe.delivery_id_header.empty()) return std::string();
  return std::string(request.headers.only(recipe.delivery_id_header).value_or(""));
}

}  // namespace isthmus::intake
