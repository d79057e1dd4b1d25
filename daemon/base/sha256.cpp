#include "base/sha256.h"

#include <openssl/evp.h>

#include "base/check.h"

namespace isthmus::crypto {

void Sha256::Free::operator()(evp_md_ctx_st* context) const { EVP_MD_CTX_free(context); }

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
  ISTHMUS_CHECK(context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1, "SHA-256 exists");
}

Sha256& Sha256::update(std::string_view piece) {
  ISTHMUS_CHECK(EVP_DigestUpdate(context_.get(), piece.data(), piece.size()) == 1, "hashing does not fail");
  return *this;
}

Bytes Sha256::finish() {
  Bytes out(32, '\0');
  unsigned int length = 0;
  bool ok = EVP_DigestFinal_ex(context_.get(), reinterpret_cast<unsigned char*>(out.data()), &length) == 1;
  ok = ok && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
  ISTHMUS_CHECK(ok && length == out.size(), "hashing does not fail");
  return out;
}

}  // namespace isthmus::crypto
