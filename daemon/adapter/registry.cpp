#include "adapter/registry.h"

#include <algorithm>

#include "adapter/descriptor_adapter.h"
#include "adapter/golden.h"

namespace isthmus::adapter {
namespace {

void complain(const std::filesystem::path& folder, std::string code, std::string message, Diagnostics& diagnostics) {
  diagnostics.add({folder.string(), 0, 0, Diagnostic::Severity::error, std::move(code), "", std::move(message)});
}

std::unique_ptr<Adapter> load_folder(const std::filesystem::path& folder, Diagnostics& diagnostics) {
  std::unique_ptr<DescriptorAdapter> adapter = load_descriptor(folder / "descriptor.yaml", diagnostics);
  if (!adapter) return nullptr;
  const std::string& name = adapter->describe().name;
  if (name != folder.filename().string()) {
    complain(folder, "adapter.folder", "the folder of adapter " + name + " must bear its name", diagnostics);
    return nullptr;
  }
  const std::set<std::string> fates = named_fates(folder / "golden", diagnostics);
  std::string missing;
  for (const std::string& fate : required_fates()) {
    if (fates.count(fate) == 0) missing += (missing.empty() ? "" : ", ") + fate;
  }
  if (missing.empty()) return adapter;
  complain(folder, "adapter.fates",
           "golden examples for these fates are missing, and none is declared impossible: " + missing, diagnostics);
  return nullptr;
}

}  // namespace

Registry Registry::load(std::span<const std::filesystem::path> folders, std::vector<std::unique_ptr<Adapter>> built_in,
                        Diagnostics& diagnostics) {
  Registry out;
  for (std::unique_ptr<Adapter>& adapter : built_in) {
    std::string name = adapter->describe().name;
    out.adapters_.insert_or_assign(std::move(name), std::move(adapter));
  }
  for (const std::filesystem::path& folder : system_folders(folders)) {
    std::unique_ptr<Adapter> adapter = load_folder(folder, diagnostics);
    if (!adapter) continue;
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

std::vector<std::filesystem::path> system_folders(std::span<const std::filesystem::path> paths) {
  std::vector<std::filesystem::path> out;
  for (const std::filesystem::path& path : paths) {
    std::error_code error;
    if (std::filesystem::exists(path / "descriptor.yaml", error)) {
      out.push_back(path);
      continue;
    }
    std::vector<std::filesystem::path> inside;
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      if (std::filesystem::exists(entry.path() / "descriptor.yaml", error)) inside.push_back(entry.path());
    }
    std::sort(inside.begin(), inside.end());
    out.insert(out.end(), inside.begin(), inside.end());
  }
  return out;
}

}  // namespace isthmus::adapter
