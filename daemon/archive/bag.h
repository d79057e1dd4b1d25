#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "archive/checkpoint.h"
#include "archive/record.h"

namespace isthmus::archive {

/// What a bag says about itself.
struct BagInfo {
  Checkpoint checkpoint;
  std::string note;  ///< the signed note of the checkpoint, with what witnesses added
  Instant made;
  std::string software;                     ///< "isthmusd 0.1.0"
  std::string gap_reason = "not selected";  ///< for each index below the checkpoint's size that is not added
};

/// One record on its way into a bag.
struct BagRecord {
  std::uint64_t index = 0;
  Bytes header;
  std::optional<OpenedBody> opened;        ///< empty: its body cannot be shown, and why stands in `reason`
  std::string reason;                      ///< 1 to 200 bytes of UTF-8 when `opened` is empty
  std::optional<std::uint64_t> tombstone;  ///< index of the record that erased it, when it was erased
  std::vector<Hash> path;                  ///< inclusion proof in the tree of the checkpoint
};

/// Writes an archive as a BagIt 1.0 bag in format 1 (docs/formats/bag-1.md), one record at a time: memory does not grow
/// with the number of records, only with the number of gaps between them.
///
/// The bag is built as DIR.partial, readable by its owner alone, and renamed to DIR by finish(); a writer that goes
/// away before takes its folder with it. Threads: one. Ownership: borrows the signer. Errors:  bag.exists, bag.write
/// (the file system's reason is in `what`), bag.order, bag.too-many-gaps. After any of them the
///          writer can only be destroyed.
class BagWriter {
 public:
  static constexpr std::size_t kGapsMax = 100'000;

  static Result<std::unique_ptr<BagWriter>> create(std::filesystem::path dir, BagInfo info, const NoteSigner& signer);
  ~BagWriter();
  BagWriter(const BagWriter&) = delete;
  BagWriter& operator=(const BagWriter&) = delete;

  /// Records come in the order of their index, each below the checkpoint's size.
  [[nodiscard]] Result<void> add(const BagRecord& record);
  /// In place of a record that cannot be given, and why, 1 to 200 bytes: a gap that the bag declares.
  [[nodiscard]] Result<void> lack(std::uint64_t index, std::string_view reason);
  /// Number of records written.
  [[nodiscard]] Result<std::uint64_t> finish();

 private:
  struct State;
  explicit BagWriter(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace isthmus::archive
