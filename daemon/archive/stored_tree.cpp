#include "archive/stored_tree.h"

#include <fmt/format.h>

namespace isthmus::archive {

using store::Param;

namespace {

tl::unexpected<Error> damaged(std::string what) {
  return fail("archive.tree-damaged", std::move(what),
              "the tables leaf and tile were changed from outside; restore them from a backup");
}

Result<Hash> root_of_tile(std::string_view hashes) {
  if (hashes.size() != kTileWidth * 32) return damaged("a stored tile does not have 256 hashes");
  Frontier frontier;
  for (std::size_t at = 0; at < hashes.size(); at += 32) frontier.append(*Hash::from_bytes(hashes.substr(at, 32)));
  return frontier.root();
}

}  // namespace

Result<Tile> StoredTiles::tile(unsigned level, std::uint64_t n, std::uint64_t width) {
  auto rows = db_.exec("SELECT hashes FROM tile WHERE level = $1 AND n = $2",
                       {Param::small(static_cast<std::int64_t>(level)), static_cast<std::int64_t>(n)});
  if (!rows) return fail(std::move(rows).error());
  if (!rows->empty()) return Tile{level, n, Bytes(rows->bytes(0, 0))};
  auto hashes = edge(level, n, width);
  if (!hashes) return fail(std::move(hashes).error());
  if (hashes->size() != width * 32)
    return damaged(fmt::format("the tree lacks hashes of its tile {} at level {}", n, level));
  return Tile{level, n, *std::move(hashes)};
}

Result<Bytes> StoredTiles::edge(unsigned level, std::uint64_t n, std::uint64_t width) {
  const auto from = static_cast<std::int64_t>(n * kTileWidth);
  Bytes out;
  if (level == 0) {
    auto rows = db_.exec("SELECT hash FROM leaf WHERE idx >= $1 AND idx < $2 ORDER BY idx",
                         {from, from + static_cast<std::int64_t>(width)});
    if (!rows) return fail(std::move(rows).error());
    for (int i = 0; i < rows->size(); ++i) out += rows->bytes(i, 0);
    return out;
  }
  auto rows =
      db_.exec("SELECT hashes FROM tile WHERE level = $1 AND n >= $2 AND n < $3 ORDER BY n",
               {Param::small(static_cast<std::int64_t>(level) - 1), from, from + static_cast<std::int64_t>(width)});
  if (!rows) return fail(std::move(rows).error());
  for (int i = 0; i < rows->size(); ++i) {
    auto root = root_of_tile(rows->bytes(i, 0));
    if (!root) return fail(std::move(root).error());
    out += root->view();
  }
  return out;
}

Result<std::optional<SignedCheckpoint>> last_checkpoint(store::Connection& db, const std::string& origin) {
  auto rows = db.exec("SELECT origin, note FROM checkpoint ORDER BY origin <> $1, size DESC LIMIT 1", {origin});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return std::optional<SignedCheckpoint>();
  if (rows->text(0, 0) != origin) {
    return fail("archive.other-origin",
                fmt::format("the log in this database has the origin {}, not {}", rows->text(0, 0), origin),
                "set archive.origin back; a log keeps its name for ever");
  }
  SignedCheckpoint out;
  out.note = std::string(rows->bytes(0, 1));
  auto checkpoint = parse_checkpoint(out.note);
  if (!checkpoint) return fail(std::move(checkpoint).error());
  out.checkpoint = *std::move(checkpoint);
  return std::optional(std::move(out));
}

Result<std::int64_t> unsequenced(store::Connection& db) {
  auto rows = db.exec(
      "SELECT coalesce(sum(h.next - 1 - coalesce((SELECT max(seq) FROM leaf l WHERE l.lane = h.lane), 0)), 0)::bigint "
      "FROM lane_head h WHERE h.stage = 3");
  if (!rows) return fail(std::move(rows).error());
  return rows->number(0, 0);
}

}  // namespace isthmus::archive
