#include "rules.h"

#include <filesystem>
#include <vector>

namespace isthmus {

std::shared_ptr<const Rules> Rules::load(const config::Settings& settings, Diagnostics& diagnostics) {
  auto rules = std::make_shared<Rules>();
  for (const std::string& folder : settings.mappings) {
    std::error_code missing;
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
      if (entry.path().extension() == ".yaml") files.push_back(entry.path());
    }
    if (missing)
      diagnostics.add({folder, 0, 0, Diagnostic::Severity::error, "config.folder", "mappings",
                       "the folder cannot be read: " + missing.message()});
    for (const auto& file : files) {
      if (auto map = mapping::Mapping::load(file, diagnostics)) rules->mappings.emplace(map->name(), std::move(*map));
    }
  }
  rules->packs = policy::PackSet::load({settings.policies.begin(), settings.policies.end()}, diagnostics);
  return rules;
}

}  // namespace isthmus
