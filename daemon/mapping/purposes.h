#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace isthmus::mapping {

enum class Purpose { engagement, crm, marketing, analytics };

[[nodiscard]] std::string_view to_string(Purpose purpose);

/// What a datum may be used for. Archiving is not a purpose. Empty means denied.
class Purposes {
 public:
  Purposes() = default;
  static Purposes none() { return {}; }
  static Purposes all();
  /// Error mapping.purpose for a word that is no purpose.
  static Result<Purposes> from(std::span<const std::string> names);

  [[nodiscard]] bool allows(Purpose purpose) const { return (bits_ & bit(purpose)) != 0; }
  [[nodiscard]] bool empty() const { return bits_ == 0; }
  void add(Purpose purpose) { bits_ = static_cast<std::uint8_t>(bits_ | bit(purpose)); }
  [[nodiscard]] std::vector<std::string> names() const;  ///< in the order of the enumeration
  friend Purposes operator&(Purposes a, Purposes b) {
    a.bits_ = a.bits_ & b.bits_;
    return a;
  }
  bool operator==(const Purposes&) const = default;

 private:
  static std::uint8_t bit(Purpose purpose) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(purpose)); }
  std::uint8_t bits_ = 0;
};

/// What an event may be used for, as its adapter's terms and the person's consent say.
struct Terms {
  /// Of the fields at or below a path of the body: "person.phone". They narrow, never widen, what the event allows.
  struct Field {
    std::string path;
    Purposes allowed;
  };
  Purposes event;  ///< of every field without terms of its own
  std::vector<Field> fields;

  /// What reading a path allows: the event's purposes, less those of any field at, below or above the path. "" is the
  /// whole.
  [[nodiscard]] Purposes of(std::string_view path) const;
};

}  // namespace isthmus::mapping
