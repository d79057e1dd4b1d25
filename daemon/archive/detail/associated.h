#pragma once

#include <cstdint>

#include "base/bytes.h"

namespace isthmus::archive::detail {

/// Appends a number as 4 bytes, most significant first: one length, so that associated data has one reading.
inline void append_u32(Bytes& out, std::int32_t number) {
  const auto bits = static_cast<std::uint32_t>(number);
  for (unsigned shift = 32; shift > 0; shift -= 8) out += static_cast<char>((bits >> (shift - 8)) & 0xffU);
}

}  // namespace isthmus::archive::detail
