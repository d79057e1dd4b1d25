#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/diagnostic.h"
#include "config/settings.h"
#include "mapping/mapping.h"
#include "policy/pack_set.h"

namespace isthmus {

/// Mappings and rule packs: what a reload replaces as a whole. Immutable once loaded; any thread may read.
struct Rules {
  std::map<std::string, mapping::Mapping, std::less<>> mappings;  ///< by name
  std::shared_ptr<const policy::PackSet> packs;

  /// Reads every `*.yaml` of the settings' mapping folders and every pack. Mistakes go to diagnostics, all of them; the
  /// answer is of use only when diagnostics has no errors.
  static std::shared_ptr<const Rules> load(const config::Settings& settings, Diagnostics& diagnostics);
};

}  // namespace isthmus
