#pragma once

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>

namespace isthmus::adapter {

inline std::string big_endian(std::uint32_t value) {
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>((value >> shift) & 0xff);
  return out;
}

inline std::string frame(const std::string& message) {
  return big_endian(static_cast<std::uint32_t>(message.size())) + message;
}

inline void put(int peer, const std::string& bytes) {
  EXPECT_EQ(::send(peer, bytes.data(), bytes.size(), MSG_NOSIGNAL), static_cast<ssize_t>(bytes.size()));
}

}  // namespace isthmus::adapter
