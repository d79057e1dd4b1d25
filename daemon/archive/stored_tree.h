#pragma once

#include <optional>

#include "archive/checkpoint.h"
#include "archive/tiles.h"
#include "store/connection.h"

namespace isthmus::archive {

/// The tree as it lies in the database: full tiles from `tile`, the edge from `leaf`. One thread; borrows the
/// connection.
class StoredTiles final : public TileReader {
 public:
  explicit StoredTiles(store::Connection& db) : db_(db) {}
  /// Errors: those of the store; archive.tree-damaged when rows are missing.
  [[nodiscard]] Result<Tile> tile(unsigned level, std::uint64_t n, std::uint64_t width) override;

 private:
  Result<Bytes> edge(unsigned level, std::uint64_t n, std::uint64_t width);
  store::Connection& db_;
};

/// A checkpoint with its signed note.
struct SignedCheckpoint {
  Checkpoint checkpoint;
  std::string note;
};

/// The last checkpoint of this origin; empty before the first. Error archive.other-origin: the log in this database has
/// another.
[[nodiscard]] Result<std::optional<SignedCheckpoint>> last_checkpoint(store::Connection& db, const std::string& origin);

/// Number of records that stages have written and the log does not hold yet.
[[nodiscard]] Result<std::int64_t> unsequenced(store::Connection& db);

}  // namespace isthmus::archive
