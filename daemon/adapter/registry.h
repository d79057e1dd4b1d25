#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/contract.h"
#include "base/diagnostic.h"

namespace isthmus::adapter {

/// The adapters of this process by name: folders `<dir>/<system>/` that hold descriptor.yaml and golden/, and C++ ones
/// that are given. A later folder overrides an earlier one of the same name (/usr/share, then /etc). Threads: immutable
/// once loaded. Ownership: owns the adapters.
class Registry {
 public:
  /// Loads every folder. A bad descriptor, a folder whose name is not the adapter's, or one without the five golden
  /// fates is left out and reported; the others are there.
  static Registry load(std::span<const std::filesystem::path> folders, std::vector<std::unique_ptr<Adapter>> built_in,
                       Diagnostics& diagnostics);

  [[nodiscard]] const Adapter* find(std::string_view name) const;
  [[nodiscard]] std::vector<const Adapter*> all() const;

 private:
  std::map<std::string, std::unique_ptr<Adapter>, std::less<>> adapters_;
};

/// The folders that hold a descriptor.yaml: each path itself, or those in it, sorted.
[[nodiscard]] std::vector<std::filesystem::path> system_folders(std::span<const std::filesystem::path> paths);

}  // namespace isthmus::adapter
