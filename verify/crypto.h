#pragma once

#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace verify {

/// SHA-256 over bytes that arrive in pieces.
class Sha256 {
 public:
  Sha256();
  void update(std::string_view piece);
  [[nodiscard]] std::string finish();  ///< 32 bytes; nothing may follow

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

[[nodiscard]] std::string sha256(std::string_view data);
/// Ed25519, RFC 8032. False for a key or a signature of another length, too.
[[nodiscard]] bool signature_holds(std::string_view public_key, std::string_view message, std::string_view signature);

}  // namespace verify
