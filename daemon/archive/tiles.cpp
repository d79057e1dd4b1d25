#include "archive/tiles.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace isthmus::archive {
namespace {

constexpr unsigned kTileLevels = 8;  // 256^8 leaves are more than the 2^53 that format 1 can number

std::string index_path(std::uint64_t n, std::uint64_t width) {
  std::string path = fmt::format("{:03}", n % 1000);
  for (std::uint64_t rest = n / 1000; rest > 0; rest /= 1000) path = fmt::format("x{:03}/{}", rest % 1000, path);
  if (width < kTileWidth) path += fmt::format(".p/{}", width);
  return path;
}

Error bad(std::string what) { return Error{"merkle.bad", std::move(what), {}, {}}; }

MemoryTree tree_of(std::string_view hashes) {
  MemoryTree tree;
  for (std::size_t at = 0; at < hashes.size(); at += 32) tree.append(*Hash::from_bytes(hashes.substr(at, 32)));
  return tree;
}

Hash root_of_full(std::string_view hashes) {
  Frontier frontier;
  for (std::size_t at = 0; at < hashes.size(); at += 32) frontier.append(*Hash::from_bytes(hashes.substr(at, 32)));
  return frontier.root();
}

/// Hashes in the tile n of a level, in a tree of `size` leaves.
std::uint64_t width_at(std::uint64_t size, unsigned level, std::uint64_t n) {
  const std::uint64_t nodes = size >> (kTileHeight * level);
  const std::uint64_t begin = n * kTileWidth;
  return begin >= nodes ? 0 : std::min(kTileWidth, nodes - begin);
}

}  // namespace

std::string tile_path(unsigned level, std::uint64_t n, std::uint64_t width) {
  return fmt::format("tile/{}/{}", level, index_path(n, width));
}

std::string entries_path(std::uint64_t n, std::uint64_t width) { return "tile/entries/" + index_path(n, width); }

Bytes bundle_entry(std::string_view entry) {
  ISTHMUS_CHECK(entry.size() <= 65535, "an entry of a bundle has a length of 16 bits");
  Bytes out;
  out += static_cast<char>(entry.size() >> 8U);
  out += static_cast<char>(entry.size() & 0xffU);
  out += entry;
  return out;
}

Result<TileBuilder> TileBuilder::resume(std::uint64_t size, std::vector<Tile> partial) {
  TileBuilder builder;
  builder.size_ = size;
  builder.edge_.resize(kTileLevels);
  for (Tile& tile : partial) {
    if (tile.level >= kTileLevels || tile.hashes.size() % 32 != 0) return fail(bad("a partial tile is malformed"));
    builder.edge_[tile.level] = std::move(tile.hashes);
  }
  for (unsigned level = 0; level < kTileLevels; ++level) {
    const std::uint64_t width = (size >> (kTileHeight * level)) % kTileWidth;
    if (builder.edge_[level].size() != width * 32) {
      return fail(bad(
          fmt::format("the partial tile of level {} of a tree of {} leaves must have {} hashes", level, size, width)));
    }
  }
  return builder;
}

std::vector<Tile> TileBuilder::append(const Hash& leaf) {
  std::vector<Tile> full;
  Hash hash = leaf;
  edge_.resize(kTileLevels);
  for (unsigned level = 0; level < kTileLevels; ++level) {
    edge_[level] += hash.view();
    if (edge_[level].size() < kTileWidth * 32) break;
    hash = root_of_full(edge_[level]);
    full.push_back(Tile{level, size_ >> (kTileHeight * (level + 1)), std::exchange(edge_[level], {})});
  }
  ++size_;
  return full;
}

std::vector<Tile> TileBuilder::partial() const {
  std::vector<Tile> out;
  for (unsigned level = 0; level < edge_.size(); ++level) {
    if (!edge_[level].empty()) out.push_back(Tile{level, size_ >> (kTileHeight * (level + 1)), edge_[level]});
  }
  return out;
}

Hash TileBuilder::root() const {
  // The peaks of the whole tree are those of each level's partial tile, highest level first.
  std::vector<Hash> peaks;
  for (auto level = edge_.rbegin(); level != edge_.rend(); ++level) {
    Frontier frontier;
    for (std::size_t at = 0; at < level->size(); at += 32)
      frontier.append(*Hash::from_bytes(std::string_view(*level).substr(at, 32)));
    peaks.insert(peaks.end(), frontier.peaks().begin(), frontier.peaks().end());
  }
  const auto frontier = Frontier::from_peaks(size_, std::move(peaks));
  ISTHMUS_CHECK(frontier, "partial tiles have the one bits of the size");
  return frontier->root();
}

Result<Hash> TiledNodes::node(unsigned level, std::uint64_t index) {
  const unsigned tile_level = level / kTileHeight;
  const unsigned height = level % kTileHeight;
  const std::uint64_t n = (index << height) / kTileWidth;
  const std::uint64_t width = width_at(size_, tile_level, n);
  if (width == 0) return fail(bad("this tree has no such node"));
  const bool at_edge = width_at(size_, tile_level, n + 1) == 0;
  auto& slots = at_edge ? edge_ : last_;
  if (slots.size() <= tile_level) slots.resize(tile_level + 1);
  Kept& kept = slots[tile_level];
  if (kept.n != n) {
    auto tile = tiles_.tile(tile_level, n, width);
    if (!tile) return fail(std::move(tile).error());
    if (tile->hashes.size() % 32 != 0 || tile->width() < width) return fail(bad("a stored tile is too narrow"));
    kept.tree = tree_of(std::string_view(tile->hashes).substr(0, width * 32));
    kept.n = n;
  }
  return kept.tree.node(height, index - (n << (kTileHeight - height)));
}

}  // namespace isthmus::archive
