#include "archive/sequencer.h"

#include <fmt/format.h>

#include <algorithm>

#include "archive/shown_checkpoint.h"
#include "base/check.h"

namespace isthmus::archive {

using store::Param;

namespace {

constexpr int kSequencerLane = 64;
// How far the clocks of nodes and slow transactions may make `at` go back within the log. It only bounds which
// partitions are looked into first; a record that lies further back is noticed by its number.
constexpr std::chrono::hours kLookBack{48};
constexpr const char* kShownFile = "checkpoint.last";

/// Smallest instant that every timestamptz of ours lies above.
Instant beginning() { return from_us(0); }

}  // namespace

Result<std::unique_ptr<Sequencer>> Sequencer::open(Parts parts) {
  std::unique_ptr<Sequencer> out(new Sequencer(std::move(parts)));
  auto db = out->parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  if (auto loaded = out->load(**db); !loaded) return fail(std::move(loaded).error());
  return out;
}

Result<void> Sequencer::load(store::Connection& db) {
  const auto stored = last_checkpoint(db, parts_.signer.name());
  if (!stored) return fail(stored.error());
  auto count = db.exec("SELECT coalesce(max(idx) + 1, 0) FROM leaf");
  if (!count) return fail(std::move(count).error());
  const std::uint64_t size = *stored ? (*stored)->checkpoint.size : 0;
  if (count->number(0, 0) != static_cast<std::int64_t>(size)) {
    return fail("archive.tree-damaged",
                fmt::format("the log has {} leaves, and its last checkpoint is of {}", count->number(0, 0), size),
                "leaves and checkpoints are written together; the tables were changed from outside");
  }
  if (auto loaded = load_edge(db, size); !loaded) return loaded;
  if (*stored && tiles_.root() != (*stored)->checkpoint.root) {
    return fail("archive.tree-damaged", "the leaves of the log do not give the root of its last checkpoint");
  }
  if (auto loaded = load_positions(db); !loaded) return loaded;
  return compare_with_shown(db, *stored ? std::optional((*stored)->checkpoint) : std::nullopt);
}

Result<void> Sequencer::load_edge(store::Connection& db, std::uint64_t size) {
  StoredTiles stored(db);
  std::vector<Tile> partial;
  for (unsigned level = 0; (size >> (kTileHeight * level)) > 0; ++level) {
    const std::uint64_t nodes = size >> (kTileHeight * level);
    if (nodes % kTileWidth == 0) continue;
    auto tile = stored.tile(level, nodes / kTileWidth, nodes % kTileWidth);
    if (!tile) return fail(std::move(tile).error());
    partial.push_back(*std::move(tile));
  }
  auto builder = TileBuilder::resume(size, std::move(partial));
  if (!builder) return fail(std::move(builder).error());
  tiles_ = *std::move(builder);
  return {};
}

Result<void> Sequencer::load_positions(store::Connection& db) {
  auto rows = db.exec(
      "SELECT h.lane, coalesce((SELECT max(seq) FROM leaf l WHERE l.lane = h.lane), 0) FROM lane_head h WHERE h.stage "
      "= 3");
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i)
    positions_.at(static_cast<std::size_t>(rows->number(i, 0))) = rows->number(i, 1);
  auto last = db.exec("SELECT at FROM leaf ORDER BY idx DESC LIMIT 1");
  if (!last) return fail(std::move(last).error());
  if (!last->empty()) last_at_ = last->instant(0, 0);
  return {};
}

Result<void> Sequencer::compare_with_shown(store::Connection& db, const std::optional<Checkpoint>& stored) const {
  const auto shown = read_shown_checkpoint(parts_.state / kShownFile);
  if (!shown) return fail(shown.error());
  if (!*shown || (*shown)->origin != parts_.signer.name()) return {};
  const std::uint64_t size = stored ? stored->size : 0;
  const auto refuse = [&](std::string_view why) {
    return fail(
        "archive.checkpoint-older",
        fmt::format("{}: the database's log has {} records, and this machine has shown a checkpoint of {}", why, size,
                    (*shown)->size),
        "the database was probably restored from a backup; open a new origin, or bring the newer database back");
  };
  if ((*shown)->size > size) return refuse("the log went back");
  StoredTiles tiles(db);
  TiledNodes nodes(tiles, size);
  const auto root = root_of(nodes, (*shown)->size);
  if (!root) return fail(root.error());
  if (*root != (*shown)->root) return refuse("the log was rewritten");
  return {};
}

Result<std::vector<Sequencer::Leaf>> Sequencer::waiting(store::Connection& db) const {
  auto rows = db.exec("SELECT lane, next - 1 FROM lane_head WHERE stage = 3");
  if (!rows) return fail(std::move(rows).error());
  std::array<std::int64_t, kLanes> heads{};
  std::size_t expected = 0;
  for (int i = 0; i < rows->size(); ++i) {
    const auto lane = static_cast<std::size_t>(rows->number(i, 0));
    heads.at(lane) = std::min(rows->number(i, 1), positions_.at(lane) + static_cast<std::int64_t>(kBatchLeavesMax));
    expected += static_cast<std::size_t>(std::max<std::int64_t>(0, heads.at(lane) - positions_.at(lane)));
  }
  if (expected == 0) return std::vector<Leaf>();
  const Instant since = last_at_ ? *last_at_ - kLookBack : beginning();
  auto found = read_records(db, heads, since);
  if (found && found->size() < expected) found = read_records(db, heads, beginning());
  if (found && found->size() != expected) {
    return fail("archive.record-missing",
                fmt::format("{} numbered records wait for the log, and {} are there", expected, found->size()),
                "records were taken out of the table from outside; restore them from a backup");
  }
  return found;
}

Result<std::vector<Sequencer::Leaf>> Sequencer::read_records(store::Connection& db,
                                                             const std::array<std::int64_t, kLanes>& heads,
                                                             Instant since) const {
  std::vector<std::int64_t> lanes;
  std::vector<std::int64_t> from;
  std::vector<std::int64_t> to;
  for (std::size_t lane = 0; lane < kLanes; ++lane) {
    if (heads[lane] <= positions_[lane]) continue;
    lanes.push_back(static_cast<std::int64_t>(lane));
    from.push_back(positions_[lane]);
    to.push_back(heads[lane]);
  }
  auto rows = db.exec(
      "SELECT r.lane, r.seq, r.at, r.id, r.leaf_hash FROM unnest($1::smallint[], $2::bigint[], $3::bigint[]) AS "
      "w(lane, a, b), "
      "LATERAL (SELECT lane, seq, at, id, leaf_hash FROM record WHERE lane = w.lane AND seq > w.a AND seq <= w.b AND "
      "at >= $4) r "
      "ORDER BY r.lane, r.seq",
      {Param::smalls(lanes), Param::bigints(from), Param::bigints(to), since});
  if (!rows) return fail(std::move(rows).error());
  std::vector<Leaf> out;
  for (int i = 0; i < rows->size(); ++i) {
    auto hash = Hash::from_bytes(rows->bytes(i, 4));
    if (!hash) return fail(std::move(hash).error());
    out.push_back(
        {static_cast<int>(rows->number(i, 0)), rows->number(i, 1), rows->instant(i, 2), rows->uuid(i, 3), *hash});
  }
  return out;
}

namespace {

/// Merges the lanes' runs by time; within a lane the order stays, and what is cut off is the end of each run.
template <class Leaf>
std::vector<Leaf> merged(const std::vector<Leaf>& by_lane, std::size_t count_max) {
  std::vector<std::pair<std::size_t, std::size_t>> runs;  // next, end
  for (std::size_t i = 0; i < by_lane.size(); ++i) {
    if (i == 0 || by_lane[i].lane != by_lane[i - 1].lane) runs.emplace_back(i, i);
    runs.back().second = i + 1;
  }
  std::vector<Leaf> out;
  while (out.size() < count_max && !runs.empty()) {
    const auto first = std::min_element(runs.begin(), runs.end(), [&](const auto& a, const auto& b) {
      return by_lane[a.first].at < by_lane[b.first].at;
    });
    out.push_back(by_lane[first->first++]);
    if (first->first == first->second) runs.erase(first);
  }
  return out;
}

}  // namespace

Result<Sequencer::Step> Sequencer::step(std::int64_t epoch) {
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto found = waiting(**db);
  if (!found) return fail(std::move(found).error());
  if (found->empty()) return Step{};
  const std::vector<Leaf> leaves = merged(*found, kBatchLeavesMax);

  TileBuilder next = tiles_;
  std::vector<Tile> full;
  for (const Leaf& leaf : leaves) {
    for (Tile& tile : next.append(leaf.hash)) full.push_back(std::move(tile));
  }
  SignedCheckpoint head;
  head.checkpoint = {parts_.signer.name(), next.size(), next.root()};
  head.note = parts_.signer.sign(head.checkpoint.text());
  if (auto committed = commit(**db, epoch, leaves, full, head); !committed) return fail(std::move(committed).error());

  tiles_ = std::move(next);
  for (const Leaf& leaf : leaves) positions_.at(static_cast<std::size_t>(leaf.lane)) = leaf.seq;
  last_at_ = leaves.back().at;
  if (auto kept = keep_shown_checkpoint(parts_.state / kShownFile, head.note); !kept)
    return fail(std::move(kept).error());
  return Step{leaves.size(), std::move(head)};
}

Result<void> Sequencer::commit(store::Connection& db, std::int64_t epoch, const std::vector<Leaf>& leaves,
                               const std::vector<Tile>& full, const SignedCheckpoint& head) const {
  auto tx = store::Transaction::begin(db);
  if (!tx) return fail(std::move(tx).error());
  auto fence =
      tx->exec("SELECT 1 FROM lane WHERE lane = $1 AND epoch = $2 FOR SHARE", {Param::small(kSequencerLane), epoch});
  if (!fence) return fail(std::move(fence).error());
  if (fence->empty()) return fail("lane.lost", "the log is sequenced by another node now");

  std::vector<std::int64_t> lanes, seqs;
  std::vector<Instant> ats;
  std::vector<Uuid> ids;
  std::vector<Bytes> hashes;
  for (const Leaf& leaf : leaves) {
    lanes.push_back(leaf.lane);
    seqs.push_back(leaf.seq);
    ats.push_back(leaf.at);
    ids.push_back(leaf.id);
    hashes.emplace_back(leaf.hash.view());
  }
  auto done = tx->exec(
      "INSERT INTO leaf (idx, lane, seq, at, id, hash) SELECT $1 + o - 1, l, s, a, i, h FROM unnest($2::smallint[], "
      "$3::bigint[], "
      "$4::timestamptz[], $5::uuid[], $6::bytea[]) WITH ORDINALITY AS x(l, s, a, i, h, o)",
      {static_cast<std::int64_t>(tiles_.size()), Param::smalls(lanes), Param::bigints(seqs), Param::instants(ats),
       Param::uuids(ids), Param::byteas(hashes)});
  if (!done) return fail(std::move(done).error());
  for (const Tile& tile : full) {
    auto kept = tx->exec("INSERT INTO tile (level, n, hashes) VALUES ($1, $2, $3)",
                         {Param::small(static_cast<std::int64_t>(tile.level)), static_cast<std::int64_t>(tile.n),
                          Param::bytes(tile.hashes)});
    if (!kept) return fail(std::move(kept).error());
  }
  auto shown = tx->exec("INSERT INTO checkpoint (origin, size, root, note, at) VALUES ($1, $2, $3, $4, $5)",
                        {head.checkpoint.origin, static_cast<std::int64_t>(head.checkpoint.size),
                         Param::bytes(head.checkpoint.root.view()), Param::bytes(head.note), parts_.clock.now()});
  if (!shown) return fail(std::move(shown).error());
  return tx->commit();
}

}  // namespace isthmus::archive
