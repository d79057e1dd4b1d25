#include "store/rows.h"

#include <charconv>

#include "base/check.h"

namespace isthmus::store {
namespace {

constexpr Oid kJsonb = 3802, kTimestamptz = 1184;
constexpr std::int64_t kEpochShift = 946'684'800'000'000;

std::int64_t big_endian(std::string_view raw) {
  const bool negative = !raw.empty() && (static_cast<unsigned char>(raw[0]) & 0x80U) != 0;
  std::uint64_t value = negative ? ~std::uint64_t{0} : 0;
  for (const char c : raw) value = (value << 8U) | static_cast<unsigned char>(c);
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::string_view Rows::raw(int row, int column) const {
  ISTHMUS_CHECK(row < size() && column < PQnfields(result_.get()), "the row and column exist");
  return {PQgetvalue(result_.get(), row, column), static_cast<std::size_t>(PQgetlength(result_.get(), row, column))};
}

std::int64_t Rows::affected() const {
  const std::string_view count = result_ ? PQcmdTuples(result_.get()) : "";
  std::int64_t number = 0;
  std::from_chars(count.data(), count.data() + count.size(), number);
  return number;
}

std::int64_t Rows::number(int row, int column) const {
  const std::string_view value = raw(row, column);
  ISTHMUS_CHECK(value.size() == 2 || value.size() == 4 || value.size() == 8, "the column is an integer and not NULL");
  return big_endian(value);
}

bool Rows::truth(int row, int column) const {
  const std::string_view value = raw(row, column);
  ISTHMUS_CHECK(value.size() == 1, "the column is a boolean and not NULL");
  return value[0] != '\0';
}

std::string_view Rows::text(int row, int column) const {
  const std::string_view value = raw(row, column);
  if (PQftype(result_.get(), column) == kJsonb && !value.empty()) return value.substr(1);  // a version byte comes first
  return value;
}

std::string_view Rows::bytes(int row, int column) const { return raw(row, column); }

Uuid Rows::uuid(int row, int column) const {
  const auto id = Uuid::from_bytes(raw(row, column));
  ISTHMUS_CHECK(id.has_value(), "the column is a uuid and not NULL");
  return *id;
}

Instant Rows::instant(int row, int column) const {
  ISTHMUS_CHECK(PQftype(result_.get(), column) == kTimestamptz && !is_null(row, column),
                "the column is a timestamptz and not NULL");
  return from_us(big_endian(raw(row, column)) + kEpochShift);
}

}  // namespace isthmus::store
