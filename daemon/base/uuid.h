#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/result.h"

namespace isthmus {

/// A UUID (RFC 9562) as 16 bytes.
class Uuid {
 public:
  Uuid() = default;
  static Uuid random(Random& random);  ///< version 4
  /// Version 8: the first 16 bytes of a keyed hash, so that the same input always has the same id.
  static Uuid derived(std::string_view hash_of_16_bytes_or_more);
  static Result<Uuid> parse(std::string_view text);  ///< 8-4-4-4-12, either case
  static Result<Uuid> from_bytes(std::string_view sixteen);

  [[nodiscard]] std::string to_string() const;  ///< lower case
  [[nodiscard]] std::string_view bytes() const { return {reinterpret_cast<const char*>(bytes_.data()), bytes_.size()}; }
  auto operator<=>(const Uuid&) const = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
};

}  // namespace isthmus
