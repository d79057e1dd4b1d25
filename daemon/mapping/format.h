#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expression/value.h"

namespace isthmus::mapping {

/// One field of a canonical format. The formats are those of interfaces/*.schema.json.
struct FormatField {
  enum class Type { text, instant, integer, boolean, texts, object, objects };

  std::string_view path;  ///< "person.email"; of a list's items without index: "media.blob"
  Type type;
  enum class Presence { required, optional } presence;  ///< required: wherever the object above it is present
};

/// A canonical format: post/1, activity/1, lead/1, metric/1. Constant data, thread safe.
struct Format {
  std::string_view name;
  std::span<const FormatField> fields;  ///< an object before what lies in it

  [[nodiscard]] const FormatField* find(std::string_view path) const;
  /// What is wrong with a value that would stand at field, or empty: wrong type, an unknown or absent member, an
  /// integer of 2^53 or more. Names paths, never content.
  [[nodiscard]] std::string problem_with(const expression::Value& value, const FormatField& field) const;
  [[nodiscard]] std::string problem_with_body(const expression::Value& body) const;
};

[[nodiscard]] std::span<const Format> all_formats();
[[nodiscard]] const Format* find_format(std::string_view name);    ///< nullptr when not known
[[nodiscard]] std::string_view to_string(FormatField::Type type);  ///< "an RFC 3339 instant"

}  // namespace isthmus::mapping
