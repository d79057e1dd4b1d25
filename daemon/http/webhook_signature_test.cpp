#include "http/webhook_signature.h"

#include <gtest/gtest.h>

#include <array>

#include "base/crypto.h"
#include "http/standard_webhooks.h"

namespace isthmus::http {
namespace {

// Reference vector of the Standard Webhooks libraries (github.com/standard-webhooks/standard-webhooks, libraries/*,
// "sign" test).
constexpr std::string_view kVectorBody = R"({"test": 2432232314})";
constexpr std::string_view kVectorSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const Instant kVectorTime = from_ms(1614265330'000);

std::vector<Secret> vector_keys() {
  return {decode_webhook_secret(Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")).value()};
}
Headers vector_headers(std::string_view signature = kVectorSignature) {
  return {{"Webhook-Id", "msg_p5jXN8AQM9LWM0D4loKWxJek"},
          {"webhook-timestamp", "1614265330"},
          {"webhook-signature", std::string(signature)}};
}
std::string refusal(const Headers& headers, std::string_view body, Instant now) {
  const auto verified = verify_standard_webhook(vector_keys(), headers, body, now);
  return verified ? "accepted" : verified.error().code;
}

TEST(StandardWebhooks, AcceptsAndMakesTheReferenceVector) {
  const auto verified = verify_standard_webhook(vector_keys(), vector_headers(), kVectorBody, kVectorTime);
  ASSERT_TRUE(verified.has_value()) << to_string(verified.error());
  EXPECT_EQ(verified->id, "msg_p5jXN8AQM9LWM0D4loKWxJek");
  EXPECT_EQ(verified->sent_at, kVectorTime);
  const Headers made = sign_standard_webhook(vector_keys(), "msg_p5jXN8AQM9LWM0D4loKWxJek", kVectorTime, kVectorBody);
  EXPECT_EQ(made.find("webhook-signature"), kVectorSignature);
  EXPECT_EQ(made.find("webhook-timestamp"), "1614265330");
}

TEST(AT17, AMutatedByteOfBodyIdTimeOrSignatureIsRefused) {
  for (std::size_t i = 0; i < kVectorBody.size(); ++i) {
    std::string body(kVectorBody);
    body[i] = static_cast<char>(body[i] ^ 1);
    EXPECT_EQ(refusal(vector_headers(), body, kVectorTime), "webhook.signature") << i;
  }
  for (std::size_t i = 3; i < kVectorSignature.size(); ++i) {
    std::string signature(kVectorSignature);
    signature[i] = static_cast<char>(signature[i] ^ 1);
    EXPECT_EQ(refusal(vector_headers(signature), kVectorBody, kVectorTime), "webhook.signature") << i;
  }
  Headers headers = vector_headers();
  headers.set("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJeK");
  EXPECT_EQ(refusal(headers, kVectorBody, kVectorTime), "webhook.signature");
  headers = vector_headers();
  headers.set("webhook-timestamp", "1614265331");
  EXPECT_EQ(refusal(headers, kVectorBody, kVectorTime), "webhook.signature");
}

TEST(AT17, BytesThatParseAlikeButDifferAreRefusedAndOddOnesKeptAsTheyAre) {
  // Each pair is the same JSON value: the signature of one must not pass for the other.
  const std::array<std::pair<std::string_view, std::string_view>, 4> pairs{{{R"({"a":"\u001B"})", R"({"a":"\u001b"})"},
                                                                            {R"({"a":1.0})", R"({"a":1})"},
                                                                            {R"({"a":1,"a":1})", R"({"a":1})"},
                                                                            {R"({ "a":1})", R"({"a":1})"}}};
  for (const auto& [signed_body, other] : pairs) {
    const Headers headers = sign_standard_webhook(vector_keys(), "msg_1", kVectorTime, signed_body);
    EXPECT_EQ(refusal(headers, signed_body, kVectorTime), "accepted");
    EXPECT_EQ(refusal(headers, other, kVectorTime), "webhook.signature");
  }
  const std::string gzip("\x1f\x8b\x08\x00\x00\xff", 6);
  EXPECT_EQ(refusal(sign_standard_webhook(vector_keys(), "msg_1", kVectorTime, gzip), gzip, kVectorTime), "accepted");
}

TEST(AT17, TheToleranceIsFiveMinutesEitherWayAndNotASecondMore) {
  using std::chrono::seconds;
  EXPECT_EQ(refusal(vector_headers(), kVectorBody, kVectorTime + seconds(300)), "accepted");
  EXPECT_EQ(refusal(vector_headers(), kVectorBody, kVectorTime + seconds(301)), "webhook.stale");
  EXPECT_EQ(refusal(vector_headers(), kVectorBody, kVectorTime - seconds(300)), "accepted");
  EXPECT_EQ(refusal(vector_headers(), kVectorBody, kVectorTime - seconds(301)), "webhook.stale");
  for (const char* bad : {"", "x", "1614265330.0", " 1614265330", "-1", "99999999999999999999"}) {
    Headers headers = vector_headers();
    headers.set("webhook-timestamp", bad);
    EXPECT_EQ(refusal(headers, kVectorBody, kVectorTime), "webhook.timestamp") << bad;
  }
}

TEST(AT17, OldAndNewSecretBothPassDuringARotation) {
  const Secret fresh(std::string(32, 'k'));
  const std::vector<Secret> both{fresh, vector_keys()[0]};
  const auto old_signed = verify_standard_webhook(both, vector_headers(), kVectorBody, kVectorTime);
  ASSERT_TRUE(old_signed.has_value());
  EXPECT_EQ(old_signed->secret_index, 1U);
  const Headers by_both = sign_standard_webhook(both, "msg_2", kVectorTime, kVectorBody);
  EXPECT_EQ(refusal(by_both, kVectorBody, kVectorTime), "accepted");
  const std::vector<Secret> only_fresh{fresh};
  EXPECT_EQ(verify_standard_webhook(only_fresh, vector_headers(), kVectorBody, kVectorTime).error().code,
            "webhook.signature");
  EXPECT_EQ(verify_standard_webhook({}, vector_headers(), kVectorBody, kVectorTime).error().code, "webhook.signature");
}

TEST(StandardWebhooks, PassesOverOtherSchemesInABoundedList) {
  const std::string ours(kVectorSignature);
  EXPECT_EQ(
      refusal(
          vector_headers(
              "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg== " + ours),
          kVectorBody, kVectorTime),
      "accepted");
  EXPECT_EQ(refusal(vector_headers("v2," + ours.substr(3)), kVectorBody, kVectorTime), "webhook.signature");
  std::string many;
  for (int i = 0; i < 16; ++i) many += "v1,x ";
  EXPECT_EQ(refusal(vector_headers(many + ours), kVectorBody, kVectorTime), "webhook.signature");
  EXPECT_EQ(refusal(vector_headers(many.substr(5) + ours), kVectorBody, kVectorTime), "accepted");
}

TEST(StandardWebhooks, RefuseAMissingOrRepeatedHeader) {
  for (const char* name : {"webhook-id", "webhook-timestamp", "webhook-signature"}) {
    Headers headers = vector_headers();
    headers.add(name, std::string(*headers.find(name)));
    EXPECT_EQ(refusal(headers, kVectorBody, kVectorTime), "webhook.missing-header") << name;
    headers.remove(name);
    EXPECT_EQ(refusal(headers, kVectorBody, kVectorTime), "webhook.missing-header") << name;
  }
}

TEST(StandardWebhooks, SecretsHave24To64Bytes) {
  const auto of = [](std::size_t bytes) { return Secret("whsec_" + to_base64(std::string(bytes, 'x'))); };
  EXPECT_TRUE(decode_webhook_secret(of(24)).has_value());
  EXPECT_TRUE(decode_webhook_secret(of(64)).has_value());
  EXPECT_EQ(decode_webhook_secret(of(23)).error().code, "webhook.secret");
  EXPECT_EQ(decode_webhook_secret(of(65)).error().code, "webhook.secret");
  EXPECT_EQ(decode_webhook_secret(Secret("whsec_not base64")).error().code, "webhook.secret");
}

// docs.github.com, "Validating webhook deliveries", "Testing the webhook payload validation" (read 2026-11).
TEST(HmacRecipe, AcceptsGithubsPublishedExample) {
  HmacRecipe recipe;
  recipe.signature_header = "X-Hub-Signature-256";
  recipe.prefix = "sha256=";
  const std::vector<Secret> secrets{Secret("It's a Secret to Everybody")};
  Request request;
  request.body = "Hello, World!";
  request.headers.add("x-hub-signature-256", "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
  EXPECT_EQ(verify_hmac(recipe, secrets, request, "", kVectorTime).value(), 0U);
  request.body = "Hello, World?";
  EXPECT_EQ(verify_hmac(recipe, secrets, request, "", kVectorTime).error().code, "webhook.signature");
  request.body = "Hello, World!";
  request.headers.set("x-hub-signature-256", "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
  EXPECT_EQ(verify_hmac(recipe, secrets, request, "", kVectorTime).error().code, "webhook.signature");
  request.headers.set("x-hub-signature-256", "sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17");
  EXPECT_TRUE(verify_hmac(recipe, secrets, request, "", kVectorTime).has_value());
  request.headers.remove("x-hub-signature-256");
  EXPECT_EQ(verify_hmac(recipe, secrets, request, "", kVectorTime).error().code, "webhook.missing-header");
}

// RFC 4231 4.3 (test case 2), in base64. The refused neighbour differs in bits that a lenient base64 reader throws
// away.
TEST(HmacRecipe, AcceptsBase64AndNamesTheSecretThatMatched) {
  HmacRecipe recipe;
  recipe.signature_header = "X-Signature";
  recipe.encoding = HmacRecipe::Encoding::base64;
  const std::vector<Secret> secrets{Secret("another"), Secret("Jefe")};
  Request request;
  request.body = "what do ya want for nothing?";
  request.headers.add("X-Signature", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEN=");
  EXPECT_EQ(verify_hmac(recipe, secrets, request, "", kVectorTime).error().code, "webhook.signature");
  request.headers.set("X-Signature", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM=");
  EXPECT_EQ(verify_hmac(recipe, secrets, request, "", kVectorTime).value(), 1U);
}

// The shape of HubSpot's v3: method, address, body and milliseconds, base64
// (developers.hubspot.com, "Validating requests from HubSpot", v3).
TEST(HmacRecipe, SignsPiecesInTheirOrderWithATimestampInMilliseconds) {
  using Kind = SignedPiece::Kind;
  HmacRecipe recipe;
  recipe.signature_header = "X-HubSpot-Signature-v3";
  recipe.encoding = HmacRecipe::Encoding::base64;
  recipe.pieces = {{Kind::method, ""}, {Kind::url, ""}, {Kind::body, ""}, {Kind::timestamp, ""}};
  recipe.timestamp_header = "X-HubSpot-Request-Timestamp";
  recipe.timestamp_unit = HmacRecipe::TimestampUnit::milliseconds;
  const std::string url = "https://isthmus.example/hooks/hubspot?x=1";
  const std::vector<Secret> secrets{Secret("s")};
  Request request;
  request.method = "POST";
  request.body = R"([{"eventId":1}])";
  request.headers = {
      {"X-HubSpot-Request-Timestamp", "1614265330123"},
      {"X-HubSpot-Signature-v3", to_base64(crypto::hmac_sha256("s", "POST" + url + request.body + "1614265330123"))}};
  const Instant sent = from_ms(1614265330123);
  EXPECT_TRUE(verify_hmac(recipe, secrets, request, url, sent + std::chrono::minutes(5)).has_value());
  EXPECT_EQ(verify_hmac(recipe, secrets, request, url, sent + std::chrono::minutes(5) + std::chrono::milliseconds(1))
                .error()
                .code,
            "webhook.stale");
  EXPECT_EQ(verify_hmac(recipe, secrets, request, url + "2", sent).error().code, "webhook.signature");
  request.headers.set("X-HubSpot-Request-Timestamp", "soon");
  EXPECT_EQ(verify_hmac(recipe, secrets, request, url, sent).error().code, "webhook.timestamp");
}

}  // namespace
}  // namespace isthmus::http
