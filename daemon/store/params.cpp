#include "store/params.h"

#include <limits>

#include "base/check.h"

namespace isthmus::store {
namespace {

// Type numbers of pg_type.dat; fixed for ever in PostgreSQL.
constexpr std::uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25, kTimestamptz = 1184,
                        kUuid = 2950, kBoolArray = 1000, kByteaArray = 1001, kInt2Array = 1005, kInt4Array = 1007,
                        kTextArray = 1009, kInt8Array = 1016, kTimestamptzArray = 1185, kUuidArray = 2951;
// PostgreSQL counts microseconds from 2000-01-01.
constexpr std::int64_t kEpochShift = 946'684'800'000'000;

template <class T>
void put(Bytes& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out += static_cast<char>((static_cast<std::uint64_t>(value) >> static_cast<unsigned>(shift)) & 255U);
  }
}

template <class T>
Bytes big_endian(std::int64_t number) {
  ISTHMUS_CHECK(number >= std::numeric_limits<T>::min() && number <= std::numeric_limits<T>::max(),
                "a number fits its column");
  Bytes out;
  put(out, static_cast<T>(number));
  return out;
}

// Array of one dimension: dimensions, has-nulls flag, element type, length, lower bound, then each element with its
// size.
template <class Range, class Encode>
Bytes array(std::uint32_t element, const Range& values, Encode encode) {
  Bytes out;
  put(out, std::int32_t{values.empty() ? 0 : 1});
  put(out, std::int32_t{1});
  put(out, static_cast<std::int32_t>(element));
  if (values.empty()) return out;
  put(out, static_cast<std::int32_t>(values.size()));
  put(out, std::int32_t{1});
  for (const auto& value : values) encode(out, value);
  return out;
}

void put_sized(Bytes& out, std::string_view raw) {
  put(out, static_cast<std::int32_t>(raw.size()));
  out += raw;
}
template <class T>
void put_maybe(Bytes& out, const std::optional<T>& value) {
  if (value) {
    put_sized(out, *value);
  } else {
    put(out, std::int32_t{-1});
  }
}

}  // namespace

Param::Param(std::int64_t number) : Param(kInt8, big_endian<std::int64_t>(number)) {}
Param::Param(bool truth) : Param(kBool, Bytes(1, truth ? '\1' : '\0')) {}
Param::Param(std::string_view text) : Param(kText, Bytes(text)) {}
Param::Param(const Uuid& uuid) : Param(kUuid, Bytes(uuid.bytes())) {}
Param::Param(Instant instant) : Param(kTimestamptz, big_endian<std::int64_t>(to_us(instant) - kEpochShift)) {}

Param Param::null() {
  Param param(0U, Bytes());
  param.null_ = true;
  return param;
}
Param Param::bytes(std::string_view raw) { return {kBytea, Bytes(raw)}; }
Param Param::small(std::int64_t number) { return {kInt2, big_endian<std::int16_t>(number)}; }
Param Param::integer(std::int64_t number) { return {kInt4, big_endian<std::int32_t>(number)}; }

Param Param::bigints(std::span<const std::int64_t> values) {
  return {kInt8Array,
          array(kInt8, values, [](Bytes& out, std::int64_t v) { put_sized(out, big_endian<std::int64_t>(v)); })};
}
Param Param::integers(std::span<const std::int64_t> values) {
  return {kInt4Array,
          array(kInt4, values, [](Bytes& out, std::int64_t v) { put_sized(out, big_endian<std::int32_t>(v)); })};
}
Param Param::smalls(std::span<const std::int64_t> values) {
  return {kInt2Array,
          array(kInt2, values, [](Bytes& out, std::int64_t v) { put_sized(out, big_endian<std::int16_t>(v)); })};
}
Param Param::texts(std::span<const std::string> values) {
  return {kTextArray, array(kText, values, [](Bytes& out, const std::string& v) { put_sized(out, v); })};
}
Param Param::texts(std::span<const std::optional<std::string>> values) {
  return {kTextArray, array(kText, values, [](Bytes& out, const auto& v) { put_maybe(out, v); })};
}
Param Param::byteas(std::span<const Bytes> values) {
  return {kByteaArray, array(kBytea, values, [](Bytes& out, const Bytes& v) { put_sized(out, v); })};
}
Param Param::byteas(std::span<const std::optional<Bytes>> values) {
  return {kByteaArray, array(kBytea, values, [](Bytes& out, const auto& v) { put_maybe(out, v); })};
}
Param Param::uuids(std::span<const Uuid> values) {
  return {kUuidArray, array(kUuid, values, [](Bytes& out, const Uuid& v) { put_sized(out, v.bytes()); })};
}
Param Param::instants(std::span<const Instant> values) {
  return {kTimestamptzArray, array(kTimestamptz, values, [](Bytes& out, Instant v) {
            put_sized(out, big_endian<std::int64_t>(to_us(v) - kEpochShift));
          })};
}
Param Param::instants(std::span<const std::optional<Instant>> values) {
  return {kTimestamptzArray, array(kTimestamptz, values, [](Bytes& out, const std::optional<Instant>& v) {
            if (v) {
              put_sized(out, big_endian<std::int64_t>(to_us(*v) - kEpochShift));
            } else {
              put(out, std::int32_t{-1});
            }
          })};
}
Param Param::booleans(const std::vector<bool>& values) {
  return {kBoolArray, array(kBool, values, [](Bytes& out, bool v) {
            put_sized(out, v ? std::string_view("\1", 1) : std::string_view("\0", 1));
          })};
}

}  // namespace isthmus::store
