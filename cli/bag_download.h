#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/control.h"

namespace isthmus::cli {

/// What a download has so far.
struct BagProgress {
  std::size_t files_done = 0;
  std::size_t files = 0;
  std::uint64_t bytes_done = 0;
  std::uint64_t bytes = 0;
};

/// Fetches one archive export of the daemon into a folder, holding each file against the size and SHA-256 that the
/// daemon announced, and then lets the daemon forget the export.
///
/// The bag is made beside its place (DIR.incomplete-ID) and moved there when it is whole: DIR holds a whole bag or does
/// not exist. On an error the incomplete folder is removed.
/// Errors: bag.exists (DIR is there), bag.path (the daemon announced a path that leaves the bag), bag.file (size or
/// hash
///         differ), bag.write (the disk), control.*, and as `refused` an answer with an error status.
struct BagResult {
  BagProgress fetched;
  std::optional<Reply> refused;  ///< the daemon said no; nothing was written
};
[[nodiscard]] Result<BagResult> download_bag(Control& control, const std::filesystem::path& folder,
                                             const std::function<void(const BagProgress&)>& progress);

}  // namespace isthmus::cli
