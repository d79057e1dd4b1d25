#include "archive/tiles.h"

#include <gtest/gtest.h>

#include <map>

using namespace isthmus;
using namespace isthmus::archive;

namespace {

class StoredTiles final : public TileReader {
 public:
  void keep(std::vector<Tile> tiles) {
    for (Tile& tile : tiles) tiles_[{tile.level, tile.n}] = std::move(tile);
  }
  Result<Tile> tile(unsigned level, std::uint64_t n, std::uint64_t width) override {
    ++reads;
    const auto found = tiles_.find({level, n});
    if (found == tiles_.end() || found->second.width() < width) return fail("test.no-tile", "no such tile");
    return found->second;
  }
  int reads = 0;

 private:
  std::map<std::pair<unsigned, std::uint64_t>, Tile> tiles_;
};

}  // namespace

// https://c2sp.org/tlog-tiles, sections "Merkle Tree" and "Partial Tiles", read 2026-11-24.
TEST(Tiles, HaveThePathsOfTheSpecification) {
  EXPECT_EQ(tile_path(0, 1234067, 256), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path(2, 0, 1), "tile/2/000.p/1");
  EXPECT_EQ(tile_path(1, 999, 255), "tile/1/999.p/255");
  EXPECT_EQ(tile_path(1, 1000, 256), "tile/1/x001/000");
  EXPECT_EQ(entries_path(273, 112), "tile/entries/273.p/112");
  EXPECT_EQ(bundle_entry("abc"), Bytes("\0\3abc", 5));
}

TEST(Tiles, OfATreeOf70000AreThoseOfTheSpecificationsExample) {
  TileBuilder builder;
  std::map<unsigned, int> full;
  for (int i = 0; i < 70'000; ++i) {
    for (const Tile& tile : builder.append(leaf_hash(std::to_string(i)))) {
      EXPECT_EQ(tile.n, static_cast<std::uint64_t>(full[tile.level]++));
      EXPECT_EQ(tile.hashes.size(), 8192U);
    }
  }
  EXPECT_EQ(full, (std::map<unsigned, int>{{0, 273}, {1, 1}}));
  const auto partial = builder.partial();
  ASSERT_EQ(partial.size(), 3U);
  EXPECT_EQ(partial[0].width(), 112U);
  EXPECT_EQ(partial[0].n, 273U);
  EXPECT_EQ(partial[1].width(), 17U);
  EXPECT_EQ(partial[1].n, 1U);
  EXPECT_EQ(partial[2].width(), 1U);
}

TEST(Tiles, GiveTheRootAndTheProofsOfTheTree) {
  for (const std::uint64_t size : {1U, 5U, 255U, 256U, 257U, 700U, 66'000U}) {
    TileBuilder builder;
    MemoryTree tree;
    StoredTiles stored;
    for (std::uint64_t i = 0; i < size; ++i) {
      const Hash leaf = leaf_hash(std::to_string(i));
      tree.append(leaf);
      stored.keep(builder.append(leaf));
    }
    ASSERT_EQ(builder.root(), *root_of(tree, size)) << size;
    stored.keep(builder.partial());
    TiledNodes nodes(stored, size);
    for (std::uint64_t i = 0; i < size; i += 1 + size / 300) {
      const auto proof = inclusion_proof(nodes, i, size);
      ASSERT_TRUE(proof) << size << " " << i;
      ASSERT_EQ(*proof, *inclusion_proof(tree, i, size)) << size << " " << i;
      ASSERT_EQ(*consistency_proof(nodes, i + 1, size), *consistency_proof(tree, i + 1, size)) << size << " " << i;
    }
  }
}

TEST(Tiles, AreReadOnceForProofsInOrder) {
  TileBuilder builder;
  StoredTiles stored;
  for (int i = 0; i < 2000; ++i) stored.keep(builder.append(leaf_hash(std::to_string(i))));
  stored.keep(builder.partial());
  TiledNodes nodes(stored, 2000);
  for (std::uint64_t i = 0; i < 2000; ++i) ASSERT_TRUE(inclusion_proof(nodes, i, 2000));
  EXPECT_EQ(stored.reads, 9);  // 7 full and 1 partial of level 0, 1 partial of level 1
}

TEST(Tiles, ResumeFromTheirPartialTilesOnly) {
  TileBuilder builder;
  for (int i = 0; i < 300; ++i) static_cast<void>(builder.append(leaf_hash(std::to_string(i))));
  auto resumed = TileBuilder::resume(300, builder.partial());
  ASSERT_TRUE(resumed);
  EXPECT_EQ(resumed->root(), builder.root());
  static_cast<void>(builder.append(leaf_hash("next")));
  static_cast<void>(resumed->append(leaf_hash("next")));
  EXPECT_EQ(resumed->root(), builder.root());
  EXPECT_FALSE(TileBuilder::resume(300, builder.partial()));
  EXPECT_FALSE(TileBuilder::resume(300, {}));
}
