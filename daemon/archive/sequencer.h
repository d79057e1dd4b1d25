#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>

#include "archive/checkpoint.h"
#include "archive/stored_tree.h"
#include "archive/tiles.h"
#include "base/clock.h"
#include "store/pool.h"

namespace isthmus::archive {

/// Gives the records of all lanes their place in the log and signs its checkpoints.
///
/// Within a lane records keep the order of their numbers; lanes are merged by time. Numbers of a lane are without gaps,
/// so a record that was taken away is noticed (archive.record-missing). Threads:    one, that of the sequencer's lane
/// (64). Ownership:  borrows what it is given. Errors:     as values. After any of them from step(), the outcome is
/// read again with a new object: open(). Durability: what step() returns is committed, and kept in the state folder
/// before it is returned.
class Sequencer {
 public:
  static constexpr std::size_t kBatchLeavesMax = 512;  ///< in one transaction

  struct Parts {
    store::Pool& pool;
    const NoteSigner& signer;
    const Clock& clock;
    std::filesystem::path state;  ///< folder of this node; holds checkpoint.last
  };

  /// Reads where the log stands and checks that its tree gives the signed root.
  /// Errors: archive.checkpoint-older (the database knows less than this machine has shown, as after a restore: nothing
  /// is sequenced until an administrator decides), archive.tree-damaged, archive.other-origin, archive.state, those of
  /// the store.
  static Result<std::unique_ptr<Sequencer>> open(Parts parts);

  struct Step {
    std::size_t leaves = 0;                ///< 0: nothing waited, nothing was signed
    std::optional<SignedCheckpoint> head;  ///< the new one
  };
  /// One transaction: up to kBatchLeavesMax records get their leaves. When it returns that many, more may wait.
  /// Errors: lane.lost (another node sequences), archive.record-missing, archive.state, those of the store.
  [[nodiscard]] Result<Step> step(std::int64_t epoch);

  [[nodiscard]] std::uint64_t size() const { return tiles_.size(); }

 private:
  static constexpr std::size_t kLanes = 64;

  struct Leaf {
    int lane = 0;
    std::int64_t seq = 0;
    Instant at;
    Uuid id;
    Hash hash;
  };

  explicit Sequencer(Parts parts) : parts_(std::move(parts)) {}
  Result<void> load(store::Connection& db);
  Result<void> load_edge(store::Connection& db, std::uint64_t size);
  Result<void> load_positions(store::Connection& db);
  Result<void> compare_with_shown(store::Connection& db, const std::optional<Checkpoint>& stored) const;
  Result<std::vector<Leaf>> waiting(store::Connection& db) const;
  Result<std::vector<Leaf>> read_records(store::Connection& db, const std::array<std::int64_t, kLanes>& heads,
                                         Instant since) const;
  Result<void> commit(store::Connection& db, std::int64_t epoch, const std::vector<Leaf>& leaves,
                      const std::vector<Tile>& full, const SignedCheckpoint& head) const;

  Parts parts_;
  TileBuilder tiles_;
  std::array<std::int64_t, kLanes> positions_{};  // last number of each lane that has a leaf
  std::optional<Instant> last_at_;                // of the newest leaf
};

}  // namespace isthmus::archive
