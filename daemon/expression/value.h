#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace simdjson::dom {
class element;
}

namespace isthmus::expression {

/// What an expression reads and gives: null, a truth, a number, text, a list or an object.
///
/// Threads:   a value is not shared; const access from many threads is safe.
/// Ownership: text, lists and objects may be *borrowed* from a parsed document or another string, which must outlive
/// the
///            value and every value taken from it. owned() copies what is borrowed. Owned lists and objects are
///            immutable and shared between copies.
/// Numbers:   integers are int64; JSON integers above it, fractions and exponents are real (double, finite).
class Value {
 public:
  enum class Kind { null, boolean, integer, real, text, list, object };
  using List = std::vector<Value>;
  using Object = std::vector<std::pair<std::string, Value>>;  ///< in order of insertion, keys unique

  Value() = default;
  static Value of(bool truth) { return Value(Stored(truth)); }
  static Value of(std::int64_t number) { return Value(Stored(number)); }
  static Value of(int number) { return Value(Stored(static_cast<std::int64_t>(number))); }
  static Value of(double number);  ///< not finite: null
  static Value text(std::string owned) { return Value(Stored(std::move(owned))); }
  static Value borrowed(std::string_view text) { return Value(Stored(text)); }  ///< text must outlive the value
  static Value list(List items);
  static Value object(Object members);
  /// A view of parsed JSON: scalars are taken at once (text is borrowed from the parser), lists and objects lazily.
  static Value from_json(const simdjson::dom::element& element);

  [[nodiscard]] Kind kind() const;
  [[nodiscard]] bool is_null() const { return stored_.index() == 0; }
  [[nodiscard]] bool is_text() const { return kind() == Kind::text; }
  [[nodiscard]] bool is_list() const { return kind() == Kind::list; }
  [[nodiscard]] bool is_object() const { return kind() == Kind::object; }

  [[nodiscard]] std::optional<bool> as_bool() const;              ///< of a truth only
  [[nodiscard]] std::optional<std::int64_t> as_integer() const;   ///< of an integer, or of a real without fraction
  [[nodiscard]] std::optional<double> as_real() const;            ///< of any number
  [[nodiscard]] std::optional<std::string_view> as_text() const;  ///< of text only

  /// False for null, false, 0, "", an empty list and an empty object; true for everything else ("false" and "0" too).
  [[nodiscard]] bool truthy() const;

  /// Items of a list, members of an object, bytes of text; 0 for the rest.
  [[nodiscard]] std::size_t size() const;
  [[nodiscard]] Value get(std::string_view key) const;  ///< of an object; null when absent or not an object
  [[nodiscard]] Value get_path(std::span<const std::string> keys) const;  ///< get(), one key after the other
  [[nodiscard]] Value at(std::int64_t index) const;  ///< of a list, negative from its end; null when out of range
  [[nodiscard]] List items() const;                  ///< of a list; empty for the rest
  [[nodiscard]] std::vector<std::pair<std::string_view, Value>> members() const;  ///< of an object; keys are borrowed

  /// As it reads inside text: null is empty, numbers in shortest form, lists and objects as compact JSON.
  [[nodiscard]] std::string to_text() const;
  void append_text(std::string& out) const;
  void to_json(JsonWriter& writer) const;
  [[nodiscard]] std::string to_json() const;

  /// A copy that borrows nothing.
  [[nodiscard]] Value owned() const;

  /// Deep equality. Numbers compare by value (1 == 1.0), other kinds never equal each other; member order does not
  /// matter.
  friend bool operator==(const Value& a, const Value& b);

 private:
  /// A simdjson element, kept as its two words so that this header does not include simdjson.
  struct JsonRef {
    std::array<std::uint64_t, 2> words;
    bool is_list;
  };
  using Stored = std::variant<std::monostate, bool, std::int64_t, double, std::string_view, std::string, JsonRef,
                              std::shared_ptr<const List>, std::shared_ptr<const Object>>;
  explicit Value(Stored stored) : stored_(std::move(stored)) {}
  Stored stored_;
};

[[nodiscard]] std::string_view to_string(
    Value::Kind kind);  ///< "null", "truth", "integer", "number", "text", "list", "object"

/// A JSON text parsed once and kept, for those who hold only bytes (facts, a golden example). Movable.
/// Errors: json.bad. At most 64 levels deep; duplicate keys are kept, the first is read.
class Document {
 public:
  static constexpr std::size_t kDepthMax = 64;
  static Result<Document> parse(std::string_view json);
  [[nodiscard]] Value root() const;  ///< borrowed from this document

  Document(Document&&) noexcept;
  Document& operator=(Document&&) noexcept;
  ~Document();

 private:
  struct Parsed;
  explicit Document(std::unique_ptr<Parsed> parsed);
  std::unique_ptr<Parsed> parsed_;
};

}  // namespace isthmus::expression
