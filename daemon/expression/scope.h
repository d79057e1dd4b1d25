#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "expression/value.h"

namespace isthmus::expression {

/// Where the first name of a path is looked up: event, connection, command, task, facts, item, $, ...
/// Called during evaluation only, on the caller's thread. Absent and null are the same to a path. Long texts are better
/// given borrowed: each look-up copies the value.
class Scope {
 public:
  virtual ~Scope() = default;
  [[nodiscard]] virtual Value lookup(std::string_view root) const = 0;
};

/// A few names with their values, and another scope behind it (borrowed) for the rest.
class MapScope final : public Scope {
 public:
  explicit MapScope(const Scope* behind = nullptr) : behind_(behind) {}
  MapScope& set(std::string_view name, Value value);  ///< replaces the name's value
  [[nodiscard]] Value lookup(std::string_view root) const override;

 private:
  std::vector<std::pair<std::string, Value>> values_;
  const Scope* behind_;
};

/// The members of one object as roots (a body's own fields), and another scope behind it (borrowed) for the rest.
class ObjectScope final : public Scope {
 public:
  explicit ObjectScope(Value object, const Scope* behind = nullptr) : object_(std::move(object)), behind_(behind) {}
  [[nodiscard]] Value lookup(std::string_view root) const override;

 private:
  Value object_;
  const Scope* behind_;
};

/// Which paths an expression may read, for the check at load. An entry admits its path, what lies below it, and the
/// objects above it: "connection" admits connection.anything; "event.person.email" admits event.person and event, but
/// not event.person.emial.
class Names {
 public:
  explicit Names(std::vector<std::string> paths) : paths_(std::move(paths)) {}
  static Names any();  ///< every path; for tools that know no format

  [[nodiscard]] bool admits(std::string_view dotted) const;
  /// The nearest admitted path to one that is not, or empty.
  [[nodiscard]] std::string nearest(std::string_view dotted) const;
  [[nodiscard]] Names with(std::vector<std::string> more) const;
  [[nodiscard]] const std::vector<std::string>& paths() const { return paths_; }

 private:
  std::vector<std::string> paths_;
  bool any_ = false;
};

}  // namespace isthmus::expression
