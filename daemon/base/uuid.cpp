#include "base/uuid.h"

#include <cstring>

#include "base/bytes.h"
#include "base/check.h"

namespace isthmus {

Uuid Uuid::random(Random& random) {
  Uuid id;
  const Bytes raw = random.bytes(16);
  std::memcpy(id.bytes_.data(), raw.data(), 16);
  id.bytes_[6] = static_cast<std::uint8_t>((id.bytes_[6] & 0x0FU) | 0x40U);
  id.bytes_[8] = static_cast<std::uint8_t>((id.bytes_[8] & 0x3FU) | 0x80U);
  return id;
}

Uuid Uuid::derived(std::string_view hash) {
  ISTHMUS_CHECK(hash.size() >= 16, "a derived id needs 16 bytes of hash");
  Uuid id;
  std::memcpy(id.bytes_.data(), hash.data(), 16);
  id.bytes_[6] = static_cast<std::uint8_t>((id.bytes_[6] & 0x0FU) | 0x80U);
  id.bytes_[8] = static_cast<std::uint8_t>((id.bytes_[8] & 0x3FU) | 0x80U);
  return id;
}

Result<Uuid> Uuid::parse(std::string_view text) {
  std::string hex;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash != (text[i] == '-')) return fail("uuid.bad", "not a UUID");
    if (!dash) hex += text[i];
  }
  auto raw = from_hex(hex);
  if (text.size() != 36 || !raw) return fail("uuid.bad", "not a UUID");
  return from_bytes(*raw);
}

Result<Uuid> Uuid::from_bytes(std::string_view sixteen) {
  if (sixteen.size() != 16) return fail("uuid.bad", "a UUID has 16 bytes");
  Uuid id;
  std::memcpy(id.bytes_.data(), sixteen.data(), 16);
  return id;
}

std::string Uuid::to_string() const {
  std::string hex = to_hex(bytes());
  for (const std::size_t at : {std::size_t{20}, std::size_t{16}, std::size_t{12}, std::size_t{8}}) hex.insert(at, "-");
  return hex;
}

}  // namespace isthmus
