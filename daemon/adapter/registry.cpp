#include "adapter/registry.h"

#include <set>

#include "adapter/golden.h"

namespace isthmus::adapter {
namespace {

/// Whoever shows a network's good days only is not registered.
bool shows_all_fates(const std::filesystem::path& folder, Diagnostics& diagnostics) {
  const std::set<std::string> fates = named_fates(folder / "golden", diagnostics);
  std::string missing;
  for (const std::string& fate : required_fates()) {
    if (fates.count(fate) == 0) missing += (missing.empty() ? "" : ", ") + fate;
  }
  if (missing.empty()) return true;
  diagnostics.add({folder.string(), 0, 0, Diagnostic::Severity::error, "adapter.fates", "",
                   "golden examples for these fates are missing, and none is declared impossible: " + missing});
  return false;
}

}  // namespace

Registry Registry::load(std::span<const std::filesystem::path> folders, const ProgramSockets& sockets,
                        std::vector<std::unique_ptr<Adapter>> built_in, Diagnostics& diagnostics) {
  Registry out;
  for (std::unique_ptr<Adapter>& adapter : built_in) {
    std::string name = adapter->describe().name;
    out.adapters_.insert_or_assign(std::move(name), std::move(adapter));
  }
  for (const std::filesystem::path& folder : system_folders(folders)) {
    std::unique_ptr<Adapter> adapter = load_system(folder, sockets, diagnostics);
    if (!adapter || !shows_all_fates(folder, diagnostics)) continue;
    std::string name = adapter->describe().name;
    out.adapters_.insert_or_assign(std::move(name), std::move(adapter));
  }
  return out;
}

const Adapter* Registry::find(std::string_view name) const {
  const auto found = adapters_.find(name);
  return found == adapters_.end() ? nullptr : found->second.get();
}

std::vector<const Adapter*> Registry::all() const {
  std::vector<const Adapter*> out;
  for (const auto& entry : adapters_) out.push_back(entry.second.get());
  return out;
}

}  // namespace isthmus::adapter
