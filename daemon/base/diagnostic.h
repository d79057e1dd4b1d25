#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus {

/// A person's mistake in a file. Files are judged whole: all diagnostics are collected before anything changes.
struct Diagnostic {
  enum class Severity { error, warning };

  std::string file;
  int line = 0;    ///< 1-based; 0 when the mistake has no place
  int column = 0;  ///< 1-based
  Severity severity = Severity::error;
  std::string code;     ///< stable: "config.unknown-key"
  std::string path;     ///< "database.pool_size"
  std::string message;  ///< a sentence: what was found, what is accepted, the nearest name
};

/// All mistakes found while a file is judged, in order of appearance.
class Diagnostics {
 public:
  void add(Diagnostic diagnostic) { list_.push_back(std::move(diagnostic)); }
  [[nodiscard]] bool has_errors() const;
  [[nodiscard]] const std::vector<Diagnostic>& list() const { return list_; }
  /// One line each: `file:line:column: error[code]: path: message`.
  [[nodiscard]] std::string to_string() const;

 private:
  std::vector<Diagnostic> list_;
};

[[nodiscard]] std::string to_string(const Diagnostic& diagnostic);

/// The candidate nearest to name by edit distance, or empty when none is near (distance above a third of the name).
[[nodiscard]] std::string nearest_name(std::string_view name, std::span<const std::string> candidates);

}  // namespace isthmus
