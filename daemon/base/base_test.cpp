#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/diagnostic.h"
#include "base/json.h"
#include "base/queue.h"
#include "base/uuid.h"

using namespace isthmus;

TEST(Base64, MeetsRfc4648Vectors) {
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(*from_base64("Zm9vYg=="), "foob");
  EXPECT_FALSE(from_base64("Zm9vYg="));
  EXPECT_FALSE(from_base64("Zm9vYh=="));  // unused bits set
  EXPECT_FALSE(from_base64("Zm 9v"));
  EXPECT_EQ(to_base64url("\xff\xfe"), "__4");
}

TEST(Hex, RefusesWhatIsNotHex) {
  EXPECT_EQ(to_hex("\x01\xab"), "01ab");
  EXPECT_EQ(*from_hex("01AB"), "\x01\xab");
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("0g"));
}

TEST(Time, ReadsRfc3339WithOffsetsAndFractions) {
  const auto a = from_rfc3339("2026-11-24T18:00:00.123456789+01:00");
  ASSERT_TRUE(a);
  EXPECT_EQ(to_rfc3339(*a), "2026-11-24T17:00:00.123456Z");
  EXPECT_FALSE(from_rfc3339("2026-02-30T00:00:00Z"));
  EXPECT_FALSE(from_rfc3339("2026-11-24T17:00:00"));
  EXPECT_FALSE(from_rfc3339("2026-11-24T17:00:00.Z"));
}

// RFC 4231 test case 2; RFC 8032 section 7.1 test 1.
TEST(Crypto, MeetsPublishedVectors) {
  EXPECT_EQ(to_hex(crypto::hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  const Secret seed(*from_hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"));
  const auto key = crypto::SigningKey::from_seed(seed);
  ASSERT_TRUE(key);
  EXPECT_EQ(to_hex(key->public_key()), "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
  EXPECT_EQ(to_hex(key->sign("")),
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f059"
            "5bbe24655141438e7a100b");
}

TEST(Crypto, SealedBytesOpenOnlyWithTheirKeyAndHeader) {
  const Secret key(crypto::random_bytes(32));
  const Bytes sealed = crypto::seal(key, "body", "header");
  EXPECT_EQ(*crypto::unseal(key, sealed, "header"), "body");
  EXPECT_FALSE(crypto::unseal(key, sealed, "Header"));
  EXPECT_FALSE(crypto::unseal(Secret(crypto::random_bytes(32)), sealed, "header"));
  Bytes changed = sealed;
  changed.back() = static_cast<char>(changed.back() ^ 1);
  EXPECT_FALSE(crypto::unseal(key, changed, "header"));
  EXPECT_FALSE(crypto::unseal(key, "short", "header"));
}

TEST(Uuid, IsStableForTheSameHash) {
  const std::string hash = crypto::sha256("x");
  EXPECT_EQ(Uuid::derived(hash), Uuid::derived(hash));
  const Uuid id = Uuid::derived(hash);
  EXPECT_EQ(*Uuid::parse(id.to_string()), id);
  EXPECT_FALSE(Uuid::parse("2026-11-24"));
}

// RFC 8785 section 3.2.3: its example's keys, in its order.
TEST(CanonicalJson, SortsByUtf16CodeUnits) {
  const auto text = canonical_json(
      "{\"\\u20ac\":1,\"\\r\":2,\"\\ufb33\":3,\"1\":4,\"\\ud83d\\ude00\":5,\"\\u0080\":6,\"\\u00f6\":7}");
  ASSERT_TRUE(text);
  EXPECT_EQ(
      *text,
      "{\"\\r\":2,\"1\":4,\"\xc2\x80\":6,\"\xc3\xb6\":7,\"\xe2\x82\xac\":1,\"\xf0\x9f\x98\x80\":5,\"\xef\xac\xb3\":3}");
}

TEST(CanonicalJson, RefusesWhatFormat1Forbids) {
  EXPECT_EQ(canonical_json("{\"a\":1,\"a\":1}").error().code, "json.duplicate-key");
  EXPECT_EQ(canonical_json("[1.5]").error().code, "json.number");
  EXPECT_EQ(canonical_json("[9007199254740992]").error().code, "json.number");
  EXPECT_TRUE(canonical_json("[9007199254740991]"));
  EXPECT_EQ(canonical_json("[\"\\ud800\"]").error().code, "json.bad");
  EXPECT_EQ(canonical_json("{").error().code, "json.bad");
}

TEST(JsonWriter, WritesCommasAndEscapes) {
  JsonWriter w;
  w.begin_object().member("a", "x\"\n").key("b").begin_array().value(1).value(true).null().end_array().end_object();
  EXPECT_EQ(w.text(), "{\"a\":\"x\\\"\\n\",\"b\":[1,true,null]}");
}

TEST(BoundedQueue, AnswersFullInsteadOfDropping) {
  BoundedQueue<int> queue(1);
  EXPECT_EQ(queue.push(1), Push::taken);
  EXPECT_EQ(queue.push(2), Push::full);
  EXPECT_EQ(queue.pop(std::chrono::milliseconds(0)), 1);
  queue.close();
  EXPECT_EQ(queue.push(3), Push::closed);
  EXPECT_EQ(queue.pop(std::chrono::milliseconds(0)), std::nullopt);
}

TEST(Diagnostic, NamesTheNearestKey) {
  const std::vector<std::string> known{"pool_size", "host"};
  EXPECT_EQ(nearest_name("pool_sise", known), "pool_size");
  EXPECT_EQ(nearest_name("zzz", known), "");
  EXPECT_EQ(nearest_name("hsot", known), "host");  // two that changed places are one slip
  EXPECT_EQ(nearest_name("tsoh", known), "");
}
