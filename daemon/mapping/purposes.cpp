#include "mapping/purposes.h"

#include <algorithm>

namespace isthmus::mapping {
namespace {

constexpr std::array<std::string_view, 4> kNames = {"engagement", "crm", "marketing", "analytics"};

bool at_or_below(std::string_view path, std::string_view above) {
  return above.empty() ||
         (path.substr(0, above.size()) == above && (path.size() == above.size() || path[above.size()] == '.'));
}

}  // namespace

std::string_view to_string(Purpose purpose) { return kNames[static_cast<std::size_t>(purpose)]; }

Purposes Purposes::all() {
  Purposes purposes;
  for (std::size_t i = 0; i < kNames.size(); ++i) purposes.add(static_cast<Purpose>(i));
  return purposes;
}

Result<Purposes> Purposes::from(std::span<const std::string> names) {
  Purposes purposes;
  for (const std::string& name : names) {
    const auto* known = std::find(kNames.begin(), kNames.end(), name);
    if (known == kNames.end()) {
      return fail("mapping.purpose", "\"" + name + "\" is not a purpose", "engagement, crm, marketing, analytics");
    }
    purposes.add(static_cast<Purpose>(known - kNames.begin()));
  }
  return purposes;
}

std::vector<std::string> Purposes::names() const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (allows(static_cast<Purpose>(i))) names.emplace_back(kNames[i]);
  }
  return names;
}

Purposes Terms::of(std::string_view path) const {
  Purposes allowed = event;
  for (const Field& field : fields) {
    if (at_or_below(path, field.path) || at_or_below(field.path, path)) allowed = allowed & field.allowed;
  }
  return allowed;
}

}  // namespace isthmus::mapping
