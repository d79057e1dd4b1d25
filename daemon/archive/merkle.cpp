#include "archive/merkle.h"

#include <algorithm>
#include <bit>

#include "base/check.h"
#include "base/crypto.h"

namespace isthmus::archive {
namespace {

Hash hash_of(std::string_view data) { return *Hash::from_bytes(crypto::sha256(data)); }

Error bad(std::string what) { return Error{"merkle.bad", std::move(what), {}, {}}; }

/// The largest power of two smaller than n; n > 1.
std::uint64_t split(std::uint64_t n) { return std::bit_floor(n - 1); }

/// Hash of the leaves [begin, end). Every range the recursion of RFC 6962 makes starts at a multiple of the largest
/// power of two not above its length, so that each perfect range is one node.
Result<Hash> range_hash(NodeReader& nodes, std::uint64_t begin, std::uint64_t end) {
  const std::uint64_t length = end - begin;
  if (std::has_single_bit(length)) {
    return nodes.node(static_cast<unsigned>(std::countr_zero(length)), begin / length);
  }
  const std::uint64_t left_length = split(length);
  auto left = range_hash(nodes, begin, begin + left_length);
  if (!left) return left;
  auto right = range_hash(nodes, begin + left_length, end);
  if (!right) return right;
  return node_hash(*left, *right);
}

Result<std::vector<Hash>> hashes_of(NodeReader& nodes,
                                    const std::vector<std::pair<std::uint64_t, std::uint64_t>>& ranges) {
  std::vector<Hash> out;
  out.reserve(ranges.size());
  for (const auto& range : ranges) {
    auto hash = range_hash(nodes, range.first, range.second);
    if (!hash) return fail(std::move(hash).error());
    out.push_back(*hash);
  }
  return out;
}

}  // namespace

Result<Hash> Hash::from_bytes(std::string_view thirty_two) {
  Hash hash;
  if (thirty_two.size() != hash.bytes_.size()) return fail(bad("a hash must have 32 bytes"));
  std::copy(thirty_two.begin(), thirty_two.end(), hash.bytes_.begin());
  return hash;
}

Hash leaf_hash(std::string_view entry) {
  Bytes data(1, '\x00');
  data += entry;
  return hash_of(data);
}

Hash node_hash(const Hash& left, const Hash& right) {
  Bytes data(1, '\x01');
  data += left.view();
  data += right.view();
  return hash_of(data);
}

Hash empty_root() { return hash_of({}); }

Result<Frontier> Frontier::from_peaks(std::uint64_t size, std::vector<Hash> peaks) {
  if (peaks.size() != static_cast<std::size_t>(std::popcount(size))) {
    return fail(bad("the edge of a tree must have one hash for each one bit of its size"));
  }
  Frontier frontier;
  frontier.size_ = size;
  frontier.peaks_ = std::move(peaks);
  return frontier;
}

void Frontier::append(const Hash& leaf) {
  Hash hash = leaf;
  // Each trailing one bit of the size is a perfect subtree that the new leaf completes into a larger one.
  for (std::uint64_t bits = size_; (bits & 1U) != 0; bits >>= 1U) {
    hash = node_hash(peaks_.back(), hash);
    peaks_.pop_back();
  }
  peaks_.push_back(hash);
  ++size_;
}

Hash Frontier::root() const {
  if (peaks_.empty()) return empty_root();
  Hash root = peaks_.back();
  for (std::size_t i = peaks_.size() - 1; i-- > 0;) root = node_hash(peaks_[i], root);
  return root;
}

Result<Hash> root_of(NodeReader& nodes, std::uint64_t size) {
  if (size == 0) return empty_root();
  return range_hash(nodes, 0, size);
}

Result<std::vector<Hash>> inclusion_proof(NodeReader& nodes, std::uint64_t index, std::uint64_t size) {
  if (index >= size) return fail(bad("no proof for a leaf outside the tree"));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> siblings;  // from the root down
  std::uint64_t begin = 0;
  std::uint64_t end = size;
  while (end - begin > 1) {
    const std::uint64_t middle = begin + split(end - begin);
    if (index < middle) {
      siblings.emplace_back(middle, end);
      end = middle;
    } else {
      siblings.emplace_back(begin, middle);
      begin = middle;
    }
  }
  std::reverse(siblings.begin(), siblings.end());
  return hashes_of(nodes, siblings);
}

Result<std::vector<Hash>> consistency_proof(NodeReader& nodes, std::uint64_t first, std::uint64_t second) {
  if (first == 0 || first > second) return fail(bad("no consistency proof from an empty or a larger tree"));
  std::vector<std::pair<std::uint64_t, std::uint64_t>> ranges;  // from the root down
  std::uint64_t begin = 0;
  std::uint64_t end = second;
  while (end != first) {  // SUBPROOF(first - begin, D[begin:end], begin == 0)
    const std::uint64_t middle = begin + split(end - begin);
    if (first <= middle) {
      ranges.emplace_back(middle, end);
      end = middle;
    } else {
      ranges.emplace_back(begin, middle);
      begin = middle;
    }
  }
  if (begin != 0) ranges.emplace_back(begin, end);
  std::reverse(ranges.begin(), ranges.end());
  return hashes_of(nodes, ranges);
}

Result<Hash> root_from_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                 const std::vector<Hash>& path) {
  if (index >= size) return fail(bad("a leaf outside the tree has no root"));
  std::uint64_t fn = index;
  std::uint64_t sn = size - 1;
  Hash hash = leaf;
  for (const Hash& sibling : path) {
    if (sn == 0) return fail(bad("the path is too long"));
    if ((fn & 1U) != 0 || fn == sn) {
      hash = node_hash(sibling, hash);
      while ((fn & 1U) == 0 && fn != 0) {
        fn >>= 1U;
        sn >>= 1U;
      }
    } else {
      hash = node_hash(hash, sibling);
    }
    fn >>= 1U;
    sn >>= 1U;
  }
  if (sn != 0) return fail(bad("the path is too short"));
  return hash;
}

bool is_consistent(std::uint64_t first, const Hash& first_root, std::uint64_t second, const Hash& second_root,
                   const std::vector<Hash>& proof) {
  if (first == 0 || first > second) return false;
  if (first == second) return proof.empty() && first_root == second_root;
  std::vector<Hash> path = proof;
  if (std::has_single_bit(first)) path.insert(path.begin(), first_root);
  if (path.empty()) return false;
  std::uint64_t fn = first - 1;
  std::uint64_t sn = second - 1;
  while ((fn & 1U) != 0) {
    fn >>= 1U;
    sn >>= 1U;
  }
  Hash from_first = path.front();
  Hash from_second = path.front();
  for (std::size_t i = 1; i < path.size(); ++i) {
    if (sn == 0) return false;
    if ((fn & 1U) != 0 || fn == sn) {
      from_first = node_hash(path[i], from_first);
      from_second = node_hash(path[i], from_second);
      while ((fn & 1U) == 0 && fn != 0) {
        fn >>= 1U;
        sn >>= 1U;
      }
    } else {
      from_second = node_hash(from_second, path[i]);
    }
    fn >>= 1U;
    sn >>= 1U;
  }
  return sn == 0 && from_first == first_root && from_second == second_root;
}

void MemoryTree::append(const Hash& leaf) {
  Hash hash = leaf;
  for (std::size_t level = 0;; ++level) {
    if (level == levels_.size()) levels_.emplace_back();
    levels_[level].push_back(hash);
    const std::size_t count = levels_[level].size();
    if (count % 2 != 0) return;
    hash = node_hash(levels_[level][count - 2], levels_[level][count - 1]);
  }
}

Result<Hash> MemoryTree::node(unsigned level, std::uint64_t index) {
  if (level >= levels_.size() || index >= levels_[level].size()) return fail(bad("this tree has no such node"));
  return levels_[level][index];
}

}  // namespace isthmus::archive
