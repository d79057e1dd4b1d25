#include "intake/verify.h"

#include <gtest/gtest.h>

#include "base/crypto.h"

namespace isthmus::intake {
namespace {

using namespace std::chrono_literals;
using Kind = adapter::WebhookRecipe::Kind;

const Instant kNow = from_ms(1764000000000);
const std::string kUrl = "https://acme.example/in/hubspot?x=1";

adapter::WebhookRecipe recipe(Kind kind) {
  adapter::WebhookRecipe r;
  r.kind = kind;
  r.secret_field = "webhook_secret";
  r.header = "X-Hub-Signature-256";
  r.prefix = "sha256=";
  return r;
}
adapter::Secrets secrets(const std::string& now, const std::string& old = {}) {
  adapter::Secrets s;
  s.emplace("webhook_secret", Secret(now));
  if (!old.empty()) s.emplace("webhook_secret_old", Secret(old));
  return s;
}
http::Request request(const std::string& body, http::Headers headers) {
  http::Request r;
  r.method = "POST";
  r.path = "/in/x";
  r.body = body;
  r.headers = std::move(headers);
  return r;
}
std::string hex_of(const std::string& key, const std::string& body) {
  return "sha256=" + to_hex(crypto::hmac_sha256(key, body));
}

/// The delivery id that was found, or the error's code.
std::string judge(const adapter::WebhookRecipe& r, const adapter::Secrets& s, const http::Request& q,
                  Instant now = kNow) {
  auto verified = verify_webhook(r, s, q, kUrl, now);
  return verified ? "good:" + *verified : verified.error().code;
}

TEST(VerifyWebhook, APlainHmacIsOverTheRawBody) {
  const auto r = recipe(Kind::hmac_sha256);
  const std::string body = "{\"a\": 1.0}";
  EXPECT_EQ(judge(r, secrets("key"), request(body, {{"X-Hub-Signature-256", hex_of("key", body)}})), "good:");
  EXPECT_EQ(judge(r, secrets("key"), request("{\"a\":1.0}", {{"X-Hub-Signature-256", hex_of("key", body)}})),
            "webhook.signature");
  EXPECT_EQ(judge(r, secrets("key"), request(body, {{"X-Hub-Signature-256", hex_of("kez", body)}})),
            "webhook.signature");
  EXPECT_EQ(judge(r, secrets("key"), request(body, {{"X-Hub-Signature-256", hex_of("key", body).substr(7)}})),
            "webhook.signature")
      << "without its prefix";
  EXPECT_EQ(judge(r, secrets("key"), request(body, {})), "webhook.missing-header");
  EXPECT_EQ(judge(r, secrets("new", "key"), request(body, {{"X-Hub-Signature-256", hex_of("key", body)}})), "good:")
      << "while it is rotated";
}

TEST(VerifyWebhook, TheDeliveryIdIsTheOneOfItsHeader) {
  auto r = recipe(Kind::hmac_sha256);
  r.delivery_id_header = "X-Delivery";
  const http::Headers signature = {{"X-Hub-Signature-256", hex_of("key", "{}")}};
  auto with = signature;
  with.add("X-Delivery", "d1");
  auto twice = with;
  twice.add("X-Delivery", "d2");
  EXPECT_EQ(judge(r, secrets("key"), request("{}", with)), "good:d1");
  EXPECT_EQ(judge(r, secrets("key"), request("{}", signature)), "good:") << "without one nothing is dropped";
  EXPECT_EQ(judge(r, secrets("key"), request("{}", twice)), "good:") << "of two none is chosen";
}

TEST(VerifyWebhook, HubSpotSignsMethodAddressBodyAndTime) {
  const auto r = recipe(Kind::hubspot_v3);
  const auto sign = [](const std::string& method, const std::string& url, const std::string& body, std::int64_t at) {
    return http::Headers{
        {"X-HubSpot-Request-Timestamp", std::to_string(at)},
        {"X-HubSpot-Signature-v3", to_base64(crypto::hmac_sha256("key", method + url + body + std::to_string(at)))}};
  };
  const std::int64_t now = to_ms(kNow);
  EXPECT_EQ(judge(r, secrets("key"), request("{}", sign("POST", kUrl, "{}", now))), "good:");
  EXPECT_EQ(judge(r, secrets("key"), request("{}", sign("PUT", kUrl, "{}", now))), "webhook.signature");
  EXPECT_EQ(judge(r, secrets("key"), request("{}", sign("POST", "https://acme.example/in/hubspot", "{}", now))),
            "webhook.signature");
  EXPECT_EQ(judge(r, secrets("key"), request("{ }", sign("POST", kUrl, "{}", now))), "webhook.signature");
  EXPECT_EQ(judge(r, secrets("key"), request("{}", sign("POST", kUrl, "{}", now - 300'000))), "good:");
  EXPECT_EQ(judge(r, secrets("key"), request("{}", sign("POST", kUrl, "{}", now - 301'000))), "webhook.stale");
}

TEST(VerifyWebhook, ASharedSecretIsTheWholeHeader) {
  const auto r = recipe(Kind::secret_in_header);
  EXPECT_EQ(judge(r, secrets("s3cret"), request("{}", {{"X-Hub-Signature-256", "s3cret"}})), "good:");
  EXPECT_EQ(judge(r, secrets("s3cret"), request("{}", {{"X-Hub-Signature-256", "s3cret "}})), "webhook.signature");
  EXPECT_EQ(judge(r, secrets("s3cret"), request("{}", {{"X-Hub-Signature-256", ""}})), "webhook.signature");
  EXPECT_EQ(judge(r, secrets("new", "s3cret"), request("{}", {{"X-Hub-Signature-256", "s3cret"}})), "good:");
}

TEST(VerifyWebhook, WithoutASecretNothingIsGood) {
  for (const Kind kind : {Kind::hmac_sha256, Kind::hubspot_v3, Kind::secret_in_header, Kind::standard_webhooks}) {
    EXPECT_EQ(judge(recipe(kind), {}, request("{}", {{"X-Hub-Signature-256", hex_of("", "{}")}})), "webhook.no-secret");
  }
  EXPECT_EQ(judge(recipe(Kind::none), secrets("key"), request("{}", {})), "webhook.none");
  EXPECT_EQ(judge(recipe(Kind::standard_webhooks), secrets("not base64!"), request("{}", {})), "webhook.secret");
}

}  // namespace
}  // namespace isthmus::intake
