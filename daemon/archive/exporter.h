#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "archive/checkpoint.h"
#include "archive/recorder.h"
#include "archive/stored_tree.h"
#include "base/clock.h"
#include "store/pool.h"

namespace isthmus::archive {

/// Writes what the log holds as a bag (docs/formats/bag-1.md), page by page: memory does not grow with the log.
/// One call at a time. Borrows everything it is given.
class Exporter {
 public:
  struct Parts {
    store::Pool& pool;
    Recorder& recorder;  ///< for the keys of days
    const NoteSigner& signer;
    const Clock& clock;
    std::string software;  ///< "isthmusd 0.1.0"
  };
  explicit Exporter(Parts parts) : parts_(std::move(parts)) {}

  /// Which records: indexes of the log, [from, to); without `to`, all up to the last checkpoint.
  struct Range {
    std::uint64_t from = 0;
    std::optional<std::uint64_t> to = std::nullopt;
  };
  struct Summary {
    std::uint64_t log_size = 0;
    std::uint64_t records = 0;
    std::uint64_t erased = 0;    ///< of these, without a body because it was erased
    std::uint64_t unopened = 0;  ///< of these, without a body because it does not open: somebody must look into it
    std::uint64_t absent = 0;    ///< in the range, but no longer in the table of records
    std::int64_t waiting = 0;    ///< records that were not in the log yet
  };
  /// Errors: archive.empty (nothing was sequenced yet), bag.*, archive.tree-damaged, those of the store. On error
  /// nothing stays.
  [[nodiscard]] Result<Summary> write(const std::filesystem::path& dir, Range range);

 private:
  Parts parts_;
};

}  // namespace isthmus::archive
