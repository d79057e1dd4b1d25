#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "config/yaml.h"
#include "expression/expression.h"

namespace isthmus::adapter::detail {

/// What compiling a text of a descriptor needs: the file, what may be read here, where mistakes go.
struct Compile {
  const expression::Library& library;
  expression::Names names;
  Diagnostics& diagnostics;

  [[nodiscard]] Compile with(std::vector<std::string> more) const {
    return {library, names.with(std::move(more)), diagnostics};
  }
};

[[nodiscard]] expression::Origin origin(const config::Node& node, const std::string& path);
[[nodiscard]] std::optional<expression::Template> compile_template(const config::Node& node, const std::string& path,
                                                                   const Compile& compile);
[[nodiscard]] std::optional<expression::Expression> compile_expression(const config::Node& node,
                                                                       const std::string& path, const Compile& compile);

/// What a value template gave.
struct Built {
  enum class Status { value, omitted, failed };
  Status status = Status::omitted;
  expression::Value value;
  std::string reason;   ///< when failed; no content
  bool splice = false;  ///< a list from $each: its items join the list it stands in
};

/// A JSON value with `${...}` in its texts, as a descriptor writes it in YAML.
///
///     a text that is one ${...}           keeps its type; null (an optional path that is absent) omits the member or
///     item
///     {$each: "${list}", $as: m, $where: "expr", $value: ...}    one value an item; inside a list they are spliced in
///     {$when: "expr", ...}                omitted unless it holds; with $value: that value instead of the other
///     members
///     {$first: [a, b, c]}                 the first that is not omitted
///     {$merge: [a, b]}                    one object of their members, the later wins
///     null, true, 12 unquoted             themselves
/// Immutable, thread safe.
class ValueTemplate {
 public:
  /// Empty when something is wrong, each mistake reported.
  static std::shared_ptr<const ValueTemplate> compile(const config::Node& node, const std::string& path,
                                                      const Compile& compile);

  [[nodiscard]] Built build(const expression::Scope& scope) const;

 private:
  enum class Kind { literal, text, object, list, each, first, merge };
  struct Member;
  using Child = std::shared_ptr<const ValueTemplate>;

  static Child compile_map(const config::Node& node, const std::string& path, const Compile& compile);
  static Child compile_each(const config::Node& node, const std::string& path, const Compile& compile);
  [[nodiscard]] Built build_object(const expression::Scope& scope) const;
  [[nodiscard]] Built build_list(const expression::Scope& scope) const;
  [[nodiscard]] Built build_each(const expression::Scope& scope) const;
  [[nodiscard]] Built build_first(const expression::Scope& scope) const;
  [[nodiscard]] Built build_merge(const expression::Scope& scope) const;

  Kind kind_ = Kind::literal;
  expression::Value literal_;
  std::optional<expression::Template> text_;
  std::optional<expression::Expression> when_;
  std::vector<std::pair<expression::Template, Child>> members_;
  std::vector<Child> children_;
  std::string as_ = "item";
};

}  // namespace isthmus::adapter::detail
