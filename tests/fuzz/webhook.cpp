// The verifiers of webhooks over any bytes that somebody sends: headers, a blank line, a body. Nothing is taken but
// what was signed with the secret over exactly these bytes, within the time; and what a sender signs over them is
// taken.

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/check.h"
#include "base/crypto.h"
#include "http/standard_webhooks.h"
#include "intake/verify.h"

namespace {

using namespace isthmus;
using Kind = adapter::WebhookRecipe::Kind;

constexpr std::string_view kSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";
constexpr std::string_view kUrl = "https://acme.example/in/forms";
const Instant kNow = from_ms(1'795'514'405'000);

http::Request request_of(std::string_view text) {
  http::Request request;
  request.method = "POST";
  request.path = "/in/forms";
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (colon != std::string_view::npos)
      request.headers.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 2)));
  }
  request.body = Bytes(text);
  return request;
}

adapter::WebhookRecipe recipe_of(Kind kind) {
  adapter::WebhookRecipe recipe;
  recipe.kind = kind;
  recipe.secret_field = "secret";
  recipe.header = "X-Signature";
  recipe.prefix = kind == Kind::hmac_sha256 ? "sha256=" : "";
  return recipe;
}

/// Takes away what was verified, piece by piece: each time it must be refused.
void check_accepted(Kind kind, const adapter::Secrets& secrets, const http::Request& request) {
  const adapter::WebhookRecipe recipe = recipe_of(kind);
  const auto refused = [&](const http::Request& other, Instant at) {
    return !intake::verify_webhook(recipe, secrets, other, std::string(kUrl), at);
  };
  http::Request other = request;
  const adapter::Secrets wrong{{"secret", Secret("whsec_" + std::string(43, 'A') + "=")}};
  ISTHMUS_CHECK(!intake::verify_webhook(recipe, wrong, request, std::string(kUrl), kNow), "another secret is refused");
  if (kind == Kind::secret_in_header) return;
  other.body += 'x';
  ISTHMUS_CHECK(refused(other, kNow), "another body is refused");
  if (kind == Kind::hmac_sha256) return;
  ISTHMUS_CHECK(refused(request, kNow + std::chrono::minutes(11)) && refused(request, kNow - std::chrono::minutes(11)),
                "another time is refused");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const adapter::Secrets secrets{{"secret", Secret(std::string(kSecret))}};
  const http::Request request = request_of({reinterpret_cast<const char*>(data), size});
  for (const Kind kind : {Kind::standard_webhooks, Kind::hmac_sha256, Kind::hubspot_v3, Kind::secret_in_header}) {
    const auto verified = intake::verify_webhook(recipe_of(kind), secrets, request, std::string(kUrl), kNow);
    if (verified) {
      check_accepted(kind, secrets, request);
    } else {
      ISTHMUS_CHECK(verified.error().code.starts_with("webhook."), "a refusal has its code");
      ISTHMUS_CHECK(verified.error().what.find("MDEyMzQ1") == std::string::npos, "a refusal tells no secret");
    }
  }
  http::Request mine = request;
  const auto key = http::decode_webhook_secret(Secret(std::string(kSecret)));
  mine.headers = http::sign_standard_webhook(std::span(&*key, 1), "msg_1", kNow, mine.body);
  const auto taken = intake::verify_webhook(recipe_of(Kind::standard_webhooks), secrets, mine, std::string(kUrl), kNow);
  ISTHMUS_CHECK(taken && *taken == "msg_1", "what was signed over these bytes is taken");
  const auto from_text = http::decode_webhook_secret(Secret(std::string(reinterpret_cast<const char*>(data), size)));
  ISTHMUS_CHECK(!from_text || (from_text->reveal().size() >= 24 && from_text->reveal().size() <= 64),
                "a key has its length");
  return 0;
}
