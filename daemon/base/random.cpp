#include "base/random.h"

#include <cstring>

#include "base/check.h"
#include "base/crypto.h"

namespace isthmus {

std::uint64_t Random::below(std::uint64_t bound) {
  ISTHMUS_CHECK(bound >= 1, "an empty range has no member");
  const Bytes raw = bytes(sizeof(std::uint64_t));
  std::uint64_t value = 0;
  std::memcpy(&value, raw.data(), sizeof value);
  return value % bound;  // the bias is below 2^-32 for every bound in use
}

Bytes SystemRandom::bytes(std::size_t count) { return crypto::random_bytes(count); }

Bytes SeededRandom::bytes(std::size_t count) {
  Bytes out(count, '\0');
  for (char& c : out) c = static_cast<char>(engine_() & 255U);
  return out;
}

}  // namespace isthmus
