#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/merkle.h"
#include "base/bytes.h"

namespace isthmus::archive {

// The tree cut into tiles, as C2SP tlog-tiles says (https://c2sp.org/tlog-tiles, read 2026-11-24).

inline constexpr std::uint64_t kTileWidth = 256;
inline constexpr unsigned kTileHeight = 8;

/// Tile n of a level: hashes of subtrees of 256^level leaves, from subtree n * 256 on.
struct Tile {
  unsigned level = 0;
  std::uint64_t n = 0;
  Bytes hashes;  ///< 1 to 256 hashes of 32 bytes

  [[nodiscard]] std::uint64_t width() const { return hashes.size() / 32; }
};

/// "tile/0/x001/x234/067", with ".p/W" when width is below 256.
[[nodiscard]] std::string tile_path(unsigned level, std::uint64_t n, std::uint64_t width);
/// "tile/entries/x001/x234/067", with ".p/W" when width is below 256.
[[nodiscard]] std::string entries_path(std::uint64_t n, std::uint64_t width);
/// The entry with its length before it, 2 bytes, most significant first; at most 65535 bytes (checked).
[[nodiscard]] Bytes bundle_entry(std::string_view entry);

/// Collects leaves into tiles and hands out each that is full; only the partial tiles at the right edge are kept.
class TileBuilder {
 public:
  TileBuilder() = default;
  /// Goes on from the partial tiles of a tree of this size, one for each level that has one, lowest level first.
  /// Error merkle.bad when their widths are not those that the size asks for.
  static Result<TileBuilder> resume(std::uint64_t size, std::vector<Tile> partial);

  /// Appends a leaf; returns the tiles that it filled, lowest level first.
  [[nodiscard]] std::vector<Tile> append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  /// The partial tiles, lowest level first; levels without one are left out.
  [[nodiscard]] std::vector<Tile> partial() const;
  /// The root of all leaves so far.
  [[nodiscard]] Hash root() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Bytes> edge_;  // a level each: the hashes of its partial tile
};

/// Where stored tiles come from. `width` is what is needed: the tile given may be wider.
class TileReader {
 public:
  virtual ~TileReader() = default;
  [[nodiscard]] virtual Result<Tile> tile(unsigned level, std::uint64_t n, std::uint64_t width) = 0;
};

/// Nodes out of tiles, for proofs against a tree of `size` leaves. Keeps the last tile of each level, so that proofs
/// asked for in the order of their leaves read each tile once. Borrows the reader. One thread.
class TiledNodes final : public NodeReader {
 public:
  TiledNodes(TileReader& tiles, std::uint64_t size) : tiles_(tiles), size_(size) {}
  [[nodiscard]] Result<Hash> node(unsigned level, std::uint64_t index) override;

 private:
  struct Kept {
    std::optional<std::uint64_t> n;
    MemoryTree tree;  ///< of the tile's own hashes
  };
  TileReader& tiles_;
  std::uint64_t size_;
  std::vector<Kept> last_;  // a level each
  std::vector<Kept> edge_;  // a level each: its rightmost tile, which nearly every proof needs as well
};

}  // namespace isthmus::archive
