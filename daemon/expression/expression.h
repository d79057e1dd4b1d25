#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "expression/library.h"
#include "expression/scope.h"
#include "expression/value.h"

/// The `${...}` language: parsed, checked and compiled at load, total when it runs. docs/formats/expression-1.md is its
/// page.
///
///     path                a.b.c   a[0]   a[-1]   a[*].b   a."odd key"   $.id       absent or null: missing
///     path?               the same, absent: null
///     e | f | g(1, 'x')   functions; f(e) is the same as e | f
///     e ?? e              the right side when the left is missing or null
///     == != < <= > >=  in  not in  contains  matches 'regular expression'  and or not  ( )  [1, 2]
///     e | each(item.x)  where(item.ok)  any(item.bad)  all(...)          bounded, over a list
///     e | choose(public: direct, 'x y': 2)                               pairs: bare words are text
///
/// Precedence, tightest first: path, |, ??, comparison, not, and, or.
namespace isthmus::expression {

struct Limits {
  static constexpr std::size_t source_bytes_max = 16384;      ///< one template or expression
  static constexpr std::size_t nodes_max = 512;               ///< of one expression
  static constexpr std::size_t depth_max = 32;                ///< of nesting, in source
  static constexpr std::size_t steps_max = 200000;            ///< nodes visited and items projected, one evaluation
  static constexpr std::size_t items_max = 10000;             ///< of one projection, each or split
  static constexpr std::size_t text_bytes_max = 1024 * 1024;  ///< of one text result
  static constexpr std::size_t value_bytes_max = 64 * 1024 * 1024;  ///< of text read and made, one evaluation
};

/// Where a text stands in a file, so that a mistake inside it is found there. line 0: no place.
struct Origin {
  std::string file;
  int line = 0;      ///< 1-based, of the text's first byte
  int column = 0;    ///< 1-based
  std::string path;  ///< "fields.Email", shown before the message
};

/// What compilation checks against. Borrowed for the call, but for the library, which must outlive the compiled form.
struct Checks {
  const Library& library;
  const Names& names;
};

struct Program;  // compiled form, private to the room

/// One expression, for conditions. Immutable and thread safe once compiled; cheap to copy.
class Expression {
 public:
  /// Empty when the text has mistakes, each added to diagnostics: expression.syntax, .unknown-name, .unknown-function,
  /// .arguments, .pattern, .limit.
  static std::optional<Expression> compile(std::string_view text, const Origin& origin, const Checks& checks,
                                           Diagnostics& diagnostics);

  [[nodiscard]] Outcome evaluate(const Scope& scope) const;

  /// For conditions: yes or no by truthy(), failed when the outcome is missing or failed. Who decides on it fails
  /// closed.
  enum class Truth { no, yes, failed };
  [[nodiscard]] Truth test(const Scope& scope) const;

  /// Dotted paths it may read, sorted, without indexes: "tag.name" for tag[*].name. For purposes.
  [[nodiscard]] const std::vector<std::string>& paths() const;

 private:
  explicit Expression(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

/// Appends piece to out in the form its place needs; false when the place cannot hold it (a header with a line break).
using Encoder = bool (*)(std::string_view piece, std::string& out);

/// Text with `${...}` in it. `$${` stands for a literal `${`. Immutable and thread safe; cheap to copy.
class Template {
 public:
  static std::optional<Template> compile(std::string_view text, const Origin& origin, const Checks& checks,
                                         Diagnostics& diagnostics);

  /// Exactly one `${...}` and nothing else keeps its type; otherwise the pieces joined as text (null is empty).
  /// The first missing or failed piece is the outcome of the whole.
  [[nodiscard]] Outcome evaluate(const Scope& scope) const;

  /// Always text: literal parts as they are, each interpolated piece through encode.
  [[nodiscard]] Outcome render(const Scope& scope, Encoder encode) const;

  [[nodiscard]] bool is_literal() const;                        ///< has no `${...}`
  [[nodiscard]] const std::vector<std::string>& paths() const;  ///< as Expression::paths()

 private:
  explicit Template(std::shared_ptr<const Program> program) : program_(std::move(program)) {}
  std::shared_ptr<const Program> program_;
};

}  // namespace isthmus::expression
