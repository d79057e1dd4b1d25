#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "base/secret.h"

namespace isthmus::crypto {

inline constexpr std::size_t kHashBytes = 32;
inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kNonceBytes = 12;
inline constexpr std::size_t kTagBytes = 16;

[[nodiscard]] Bytes sha256(std::string_view data);
[[nodiscard]] Bytes hmac_sha256(std::string_view key, std::string_view data);
[[nodiscard]] bool constant_time_equal(std::string_view a, std::string_view b);
/// Bytes from the system's generator; aborts when it fails, since nothing safe can go on.
[[nodiscard]] Bytes random_bytes(std::size_t count);

/// AES-256-GCM: returns nonce (12) || ciphertext || tag (16). The nonce is random: one key seals at most 2^32 messages.
[[nodiscard]] Bytes seal(const Secret& key, std::string_view plain, std::string_view associated);
/// Error seal.refused when the key, the bytes or the associated data are not those of seal().
[[nodiscard]] Result<Bytes> unseal(const Secret& key, std::string_view sealed, std::string_view associated);

/// Ed25519 (RFC 8032). Thread safe for const calls.
class SigningKey {
 public:
  static Result<SigningKey> from_seed(const Secret& seed32);
  [[nodiscard]] Bytes sign(std::string_view message) const;              ///< 64 bytes
  [[nodiscard]] const Bytes& public_key() const { return public_key_; }  ///< 32 bytes

 private:
  SigningKey(Secret seed, Bytes public_key) : seed_(std::move(seed)), public_key_(std::move(public_key)) {}
  Secret seed_;
  Bytes public_key_;
};

}  // namespace isthmus::crypto
