#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace isthmus {

/// The one JSON writer: appends to a string, no tree. Keys and values must be given in a legal order (checked).
/// Text that is not UTF-8 is a bug of the caller: everything from outside was validated when it was parsed.
class JsonWriter {
 public:
  /// Takes memory for about this many bytes at once, for a writer whose result is large.
  void reserve(std::size_t bytes) { out_.reserve(bytes); }
  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);
  JsonWriter& value(std::string_view text);
  JsonWriter& value(const char* text) { return value(std::string_view(text)); }
  JsonWriter& value(const std::string& text) { return value(std::string_view(text)); }
  JsonWriter& value(bool truth);
  JsonWriter& value(std::int64_t number);
  JsonWriter& value(std::uint64_t number);
  JsonWriter& value(int number) { return value(static_cast<std::int64_t>(number)); }
  JsonWriter& value(double number);  ///< shortest form that reads back; not finite: null
  JsonWriter& null();
  /// A value that is JSON text already.
  JsonWriter& raw(std::string_view json);
  template <class T>
  JsonWriter& member(std::string_view name, const T& v) {
    key(name);
    return value(v);
  }

  [[nodiscard]] const std::string& text() const& { return out_; }
  [[nodiscard]] std::string text() && { return std::move(out_); }

 private:
  void separate();
  std::string out_;
  std::vector<bool> first_;  // a level each: true until its first element
  bool after_key_ = false;
};

/// Appends text as a JSON string with quotes, with the escapes of RFC 8785 section 3.2.2.2.
void append_json_string(std::string& out, std::string_view text);

/// RFC 8785 (JCS) form of a JSON text, for what is hashed or signed. Only what record format 1 allows: objects, arrays,
/// strings, true, false, null and integers in [-(2^53-1), 2^53-1].
/// Errors: json.bad (not JSON, not UTF-8, lone surrogate), json.duplicate-key, json.number (a fraction, an exponent, or
/// too large).
[[nodiscard]] Result<std::string> canonical_json(std::string_view json);

}  // namespace isthmus
