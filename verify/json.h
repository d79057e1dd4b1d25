#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

struct JsonMember;

/// A value of a JSON text in the one spelling that bags use: RFC 8785, numbers restricted to integers within 2^53 - 1.
struct Json {
  enum class Type { null, boolean, number, string, array, object };

  Type type = Type::null;
  std::string_view raw;             ///< the bytes of this value in the text that was read
  std::int64_t number = 0;          ///< of a number; 1 for true
  std::string text;                 ///< of a string, escapes resolved
  std::vector<Json> items;          ///< of an array
  std::vector<JsonMember> members;  ///< of an object, in the order of their names

  [[nodiscard]] const Json* find(std::string_view name) const;
  [[nodiscard]] bool is(Type wanted) const { return type == wanted; }
};

struct JsonMember {
  std::string name;
  Json value;
};

inline constexpr int kJsonDepthMax = 34;  ///< a body of 32 levels, in the line that holds it

/// The value, which must be the whole text; empty when the text is not JSON, not in canonical form (white space, order
/// or repetition of names, spelling of strings and numbers, UTF-8), or nests too deep. Views point into `text`.
[[nodiscard]] std::optional<Json> read_json(std::string_view text);

}  // namespace verify
