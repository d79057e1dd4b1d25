#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "adapter/contract.h"
#include "base/clock.h"
#include "base/diagnostic.h"

/// One installed system: a folder that bears its adapter's name and holds golden/ and either descriptor.yaml (the
/// adapter is this data) or program.json (the adapter is a program: what its describe() says,
/// docs/writing-an-adapter.md).
namespace isthmus::adapter {

/// Where the programs of this machine are met: NAME.sock in one folder, held by systemd (isthmus-adapter@NAME.socket).
struct ProgramSockets {
  std::filesystem::path folder;
  const Clock& clock;  ///< must outlive the adapters
};

/// Where systemd/isthmus-adapter@.socket makes them.
inline constexpr const char* kProgramSocketsFolder = "/run/isthmus-adapters";

/// The folders of systems: each path itself when it is one, or those in it, sorted.
[[nodiscard]] std::vector<std::filesystem::path> system_folders(std::span<const std::filesystem::path> paths);

/// The adapter of one folder. A program is not connected: it may come later, and be away again.
/// @return nullptr when anything is wrong (codes descriptor.*, adapter.folder, adapter.form, adapter.socket), all of it
/// in diagnostics.
[[nodiscard]] std::unique_ptr<Adapter> load_system(const std::filesystem::path& folder, const ProgramSockets& sockets,
                                                   Diagnostics& diagnostics);

}  // namespace isthmus::adapter
