#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"

namespace isthmus::store {

/// One parameter of a statement, in PostgreSQL's binary format. Owns its bytes.
class Param {
 public:
  Param(std::int64_t number);  // NOLINT(google-explicit-constructor): a parameter list reads as values
  Param(int number) : Param(static_cast<std::int64_t>(number)) {}
  Param(bool truth);
  Param(std::string_view text);
  Param(const char* text) : Param(std::string_view(text)) {}
  Param(const std::string& text) : Param(std::string_view(text)) {}
  Param(const Uuid& uuid);
  Param(Instant instant);
  template <class T>
  Param(const std::optional<T>& maybe) : Param(maybe ? Param(*maybe) : null()) {}

  static Param null();
  static Param bytes(std::string_view raw);   ///< bytea
  static Param small(std::int64_t number);    ///< smallint; checked
  static Param integer(std::int64_t number);  ///< int; checked

  // Arrays, for INSERT ... SELECT unnest(...).
  static Param bigints(std::span<const std::int64_t> values);
  static Param integers(std::span<const std::int64_t> values);
  static Param smalls(std::span<const std::int64_t> values);
  static Param texts(std::span<const std::string> values);
  static Param texts(std::span<const std::optional<std::string>> values);
  static Param byteas(std::span<const Bytes> values);
  static Param byteas(std::span<const std::optional<Bytes>> values);
  static Param uuids(std::span<const Uuid> values);
  static Param instants(std::span<const Instant> values);
  static Param instants(std::span<const std::optional<Instant>> values);
  static Param booleans(const std::vector<bool>& values);

  [[nodiscard]] std::uint32_t type() const { return type_; }
  [[nodiscard]] const char* data() const { return null_ ? nullptr : bytes_.data(); }
  [[nodiscard]] int size() const { return static_cast<int>(bytes_.size()); }

 private:
  Param(std::uint32_t type, Bytes raw) : type_(type), bytes_(std::move(raw)) {}
  std::uint32_t type_ = 0;
  bool null_ = false;
  Bytes bytes_;
};

}  // namespace isthmus::store
