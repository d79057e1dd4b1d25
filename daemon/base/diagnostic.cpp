#include "base/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace isthmus {
namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t substituted = diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, substituted});
    }
  }
  return row.back();
}

}  // namespace

bool Diagnostics::has_errors() const {
  return std::any_of(list_.begin(), list_.end(),
                     [](const Diagnostic& d) { return d.severity == Diagnostic::Severity::error; });
}

std::string to_string(const Diagnostic& d) {
  std::string place = d.file;
  if (d.line > 0) place += fmt::format(":{}:{}", d.line, d.column);
  const char* severity = d.severity == Diagnostic::Severity::error ? "error" : "warning";
  return fmt::format("{}: {}[{}]: {}{}{}", place, severity, d.code, d.path, d.path.empty() ? "" : ": ", d.message);
}

std::string Diagnostics::to_string() const {
  std::string text;
  for (const Diagnostic& d : list_) text += isthmus::to_string(d) + "\n";
  return text;
}

std::string nearest_name(std::string_view name, std::span<const std::string> candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(1, name.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best_distance = distance;
      best = candidate;
    }
  }
  return best;
}

}  // namespace isthmus
