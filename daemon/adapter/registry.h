#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/contract.h"
#include "adapter/system_folder.h"
#include "base/diagnostic.h"

namespace isthmus::adapter {

/// The adapters of this process by name: folders `<dir>/<system>/` that hold golden/ and a descriptor or a program's
/// description (system_folder.h), and C++ ones that are given. A later folder overrides an earlier one of the same name
/// (/usr/share, then /etc), and any folder a C++ one. Threads: immutable once loaded. Ownership: owns the adapters.
class Registry {
 public:
  /// Loads every folder. A bad descriptor, a folder whose name is not the adapter's, or one without the five golden
  /// fates is left out and reported; the others are there. What is built in is not asked for its examples: it has no
  /// folder here, and the build that compiled it ran them.
  static Registry load(std::span<const std::filesystem::path> folders, const ProgramSockets& sockets,
                       std::vector<std::unique_ptr<Adapter>> built_in, Diagnostics& diagnostics);

  [[nodiscard]] const Adapter* find(std::string_view name) const;
  [[nodiscard]] std::vector<const Adapter*> all() const;

 private:
  std::map<std::string, std::unique_ptr<Adapter>, std::less<>> adapters_;
};

}  // namespace isthmus::adapter
