#include "base/crypto.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/check.h"

namespace isthmus::crypto {
namespace {

const unsigned char* raw(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }
unsigned char* raw(Bytes& bytes) { return reinterpret_cast<unsigned char*>(bytes.data()); }

struct FreeCipher {
  void operator()(EVP_CIPHER_CTX* ctx) const { EVP_CIPHER_CTX_free(ctx); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeDigest {
  void operator()(EVP_MD_CTX* ctx) const { EVP_MD_CTX_free(ctx); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;
using Key = std::unique_ptr<EVP_PKEY, FreeKey>;
using Digest = std::unique_ptr<EVP_MD_CTX, FreeDigest>;

Key private_key(const Secret& seed) {
  return Key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, raw(seed.reveal()), seed.reveal().size()));
}

}  // namespace

Bytes sha256(std::string_view data) {
  Bytes out(kHashBytes, '\0');
  unsigned int length = 0;
  ISTHMUS_CHECK(EVP_Digest(data.data(), data.size(), raw(out), &length, EVP_sha256(), nullptr) == 1, "SHA-256 exists");
  return out;
}

Bytes hmac_sha256(std::string_view key, std::string_view data) {
  Bytes out(kHashBytes, '\0');
  unsigned int length = 0;
  const auto* done =
      HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), raw(data), data.size(), raw(out), &length);
  ISTHMUS_CHECK(done != nullptr, "HMAC-SHA-256 exists");
  return out;
}

bool constant_time_equal(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

Bytes random_bytes(std::size_t count) {
  Bytes out(count, '\0');
  ISTHMUS_CHECK(count == 0 || RAND_bytes(raw(out), static_cast<int>(count)) == 1, "the system has randomness");
  return out;
}

Bytes seal(const Secret& key, std::string_view plain, std::string_view associated) {
  ISTHMUS_CHECK(key.reveal().size() == kKeyBytes, "AES-256 takes 32 bytes");
  Bytes out = random_bytes(kNonceBytes);
  out.resize(kNonceBytes + plain.size() + kTagBytes);
  const Cipher ctx(EVP_CIPHER_CTX_new());
  int length = 0;
  bool ok = EVP_EncryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, raw(key.reveal()), raw(out)) == 1;
  ok = ok && EVP_EncryptUpdate(ctx.get(), nullptr, &length, raw(associated), static_cast<int>(associated.size())) == 1;
  ok = ok &&
       EVP_EncryptUpdate(ctx.get(), raw(out) + kNonceBytes, &length, raw(plain), static_cast<int>(plain.size())) == 1;
  ok = ok && EVP_EncryptFinal_ex(ctx.get(), raw(out) + kNonceBytes + length, &length) == 1;
  ok =
      ok && EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, raw(out) + kNonceBytes + plain.size()) == 1;
  ISTHMUS_CHECK(ok, "AES-256-GCM encryption does not fail");
  return out;
}

Result<Bytes> unseal(const Secret& key, std::string_view sealed, std::string_view associated) {
  const auto refused = [] { return fail("seal.refused", "sealed bytes do not open with this key and header"); };
  if (key.reveal().size() != kKeyBytes || sealed.size() < kNonceBytes + kTagBytes) return refused();
  const std::string_view body = sealed.substr(kNonceBytes, sealed.size() - kNonceBytes - kTagBytes);
  Bytes tag(sealed.substr(sealed.size() - kTagBytes));
  Bytes out(body.size(), '\0');
  const Cipher ctx(EVP_CIPHER_CTX_new());
  int length = 0;
  bool ok = EVP_DecryptInit_ex(ctx.get(), EVP_aes_256_gcm(), nullptr, raw(key.reveal()), raw(sealed)) == 1;
  ok = ok && EVP_DecryptUpdate(ctx.get(), nullptr, &length, raw(associated), static_cast<int>(associated.size())) == 1;
  ok = ok && EVP_DecryptUpdate(ctx.get(), raw(out), &length, raw(body), static_cast<int>(body.size())) == 1;
  ok = ok && EVP_CIPHER_CTX_ctrl(ctx.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, raw(tag)) == 1;
  ok = ok && EVP_DecryptFinal_ex(ctx.get(), raw(out) + length, &length) == 1;
  if (!ok) return refused();
  return out;
}

Result<SigningKey> SigningKey::from_seed(const Secret& seed32) {
  const Key key = private_key(seed32);
  Bytes public_bytes(kKeyBytes, '\0');
  std::size_t length = public_bytes.size();
  if (!key || EVP_PKEY_get_raw_public_key(key.get(), raw(public_bytes), &length) != 1) {
    return fail("key.bad", "an Ed25519 seed must have 32 bytes");
  }
  return SigningKey(seed32, public_bytes);
}

Bytes SigningKey::sign(std::string_view message) const {
  const Key key = private_key(seed_);
  const Digest ctx(EVP_MD_CTX_new());
  Bytes signature(64, '\0');
  std::size_t length = signature.size();
  bool ok = EVP_DigestSignInit(ctx.get(), nullptr, nullptr, nullptr, key.get()) == 1;
  ok = ok && EVP_DigestSign(ctx.get(), raw(signature), &length, raw(message), message.size()) == 1;
  ISTHMUS_CHECK(ok, "a good key signs");
  return signature;
}

}  // namespace isthmus::crypto
