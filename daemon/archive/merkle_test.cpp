// Held against the reference leaves, roots and proofs of Certificate Transparency
// (https://github.com/transparency-dev/merkle, testonly/constants.go, read 2026-11-24), and against the recursive
// definitions of RFC 6962 section 2.1 for every pair of sizes up to 70.
#include "archive/merkle.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

using namespace isthmus;
using namespace isthmus::archive;

namespace {

const std::vector<std::string> kReferenceEntries = {
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"};
const std::vector<std::string> kReferenceRoots = {"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                                                  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
                                                  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
                                                  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
                                                  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
                                                  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
                                                  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
                                                  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
                                                  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};

std::string hex(const Hash& hash) { return to_hex(hash.view()); }

std::vector<std::string> hex(const Result<std::vector<Hash>>& hashes) {
  std::vector<std::string> out;
  for (const Hash& hash : hashes.value()) out.push_back(hex(hash));
  return out;
}

using Leaves = std::vector<Hash>;

std::size_t split(std::size_t n) {
  std::size_t k = 1;
  while (k * 2 < n) k *= 2;
  return k;
}
Leaves part(const Leaves& d, std::size_t from, std::size_t to) {
  return {d.begin() + static_cast<std::ptrdiff_t>(from), d.begin() + static_cast<std::ptrdiff_t>(to)};
}
Hash mth(const Leaves& d) {
  if (d.empty()) return empty_root();
  if (d.size() == 1) return d[0];
  const std::size_t k = split(d.size());
  return node_hash(mth(part(d, 0, k)), mth(part(d, k, d.size())));
}
Leaves path(std::size_t m, const Leaves& d) {
  if (d.size() == 1) return {};
  const std::size_t k = split(d.size());
  Leaves out = m < k ? path(m, part(d, 0, k)) : path(m - k, part(d, k, d.size()));
  out.push_back(m < k ? mth(part(d, k, d.size())) : mth(part(d, 0, k)));
  return out;
}
Leaves subproof(std::size_t m, const Leaves& d, bool whole) {
  if (m == d.size()) return whole ? Leaves{} : Leaves{mth(d)};
  const std::size_t k = split(d.size());
  Leaves out = m <= k ? subproof(m, part(d, 0, k), whole) : subproof(m - k, part(d, k, d.size()), false);
  out.push_back(m <= k ? mth(part(d, k, d.size())) : mth(part(d, 0, k)));
  return out;
}

}  // namespace

TEST(Merkle, GivesTheReferenceRoots) {
  Frontier frontier;
  MemoryTree tree;
  EXPECT_EQ(hex(frontier.root()), kReferenceRoots[0]);
  for (std::size_t i = 0; i < kReferenceEntries.size(); ++i) {
    const Hash leaf = leaf_hash(*from_hex(kReferenceEntries[i]));
    frontier.append(leaf);
    tree.append(leaf);
    EXPECT_EQ(hex(frontier.root()), kReferenceRoots[i + 1]);
    EXPECT_EQ(hex(*root_of(tree, i + 1)), kReferenceRoots[i + 1]);
  }
}

TEST(Merkle, GivesTheReferenceProofs) {
  MemoryTree tree;
  for (const auto& entry : kReferenceEntries) tree.append(leaf_hash(*from_hex(entry)));
  EXPECT_EQ(hex(inclusion_proof(tree, 0, 1)), std::vector<std::string>{});
  EXPECT_EQ(hex(inclusion_proof(tree, 0, 8)),
            (std::vector<std::string>{"96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
                                      "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(hex(inclusion_proof(tree, 5, 8)),
            (std::vector<std::string>{"bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
  EXPECT_EQ(hex(consistency_proof(tree, 2, 8)),
            (std::vector<std::string>{"5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
                                      "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}));
  EXPECT_EQ(hex(consistency_proof(tree, 6, 8)),
            (std::vector<std::string>{"0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
                                      "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
                                      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}));
}

TEST(Merkle, AgreesWithTheRecursiveDefinitionForEverySmallTree) {
  Leaves leaves;
  MemoryTree tree;
  Frontier frontier;
  for (std::size_t n = 1; n <= 70; ++n) {
    leaves.push_back(leaf_hash(std::to_string(n)));
    tree.append(leaves.back());
    frontier.append(leaves.back());
    const Hash root = mth(leaves);
    ASSERT_EQ(frontier.root(), root);
    ASSERT_EQ(*root_of(tree, n), root);
    ASSERT_EQ(Frontier::from_peaks(n, frontier.peaks())->root(), root);
    for (std::size_t i = 0; i < n; ++i) {
      const auto proof = inclusion_proof(tree, i, n);
      ASSERT_EQ(*proof, path(i, leaves));
      ASSERT_EQ(*root_from_inclusion(leaves[i], i, n, *proof), root);
      const auto consistency = consistency_proof(tree, i + 1, n);
      ASSERT_EQ(*consistency, subproof(i + 1, leaves, true));
      ASSERT_TRUE(is_consistent(i + 1, mth(part(leaves, 0, i + 1)), n, root, *consistency));
    }
  }
}

TEST(Merkle, RefusesProofsThatWereChanged) {
  Leaves leaves;
  MemoryTree tree;
  for (std::size_t n = 1; n <= 20; ++n) {
    leaves.push_back(leaf_hash(std::to_string(n)));
    tree.append(leaves.back());
    const Hash root = mth(leaves);
    for (std::size_t i = 0; i < n; ++i) {
      const Leaves good = *inclusion_proof(tree, i, n);
      Leaves longer = good;
      longer.push_back(root);
      EXPECT_FALSE(root_from_inclusion(leaves[i], i, n, longer));
      if (n > 1) {
        EXPECT_NE(*root_from_inclusion(leaves[(i + 1) % n], i, n, good), root);
      }
      if (good.empty()) continue;
      Leaves shorter = good;
      shorter.pop_back();
      EXPECT_FALSE(root_from_inclusion(leaves[i], i, n, shorter));
    }
    for (std::size_t m = 1; m < n; ++m) {
      const Hash first_root = mth(part(leaves, 0, m));
      Leaves proof = *consistency_proof(tree, m, n);
      EXPECT_FALSE(is_consistent(m, root, n, root, proof));
      proof.push_back(root);
      EXPECT_FALSE(is_consistent(m, first_root, n, root, proof));
      proof.resize(proof.size() - 2);
      EXPECT_FALSE(is_consistent(m, first_root, n, root, proof));
    }
  }
  EXPECT_FALSE(inclusion_proof(tree, 20, 20));
  EXPECT_FALSE(consistency_proof(tree, 0, 20));
  EXPECT_FALSE(consistency_proof(tree, 21, 20));
  EXPECT_FALSE(Frontier::from_peaks(3, {empty_root()}));
  EXPECT_FALSE(Hash::from_bytes("short"));
}
