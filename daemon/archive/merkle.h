#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace isthmus::archive {

/// A SHA-256 hash of the Merkle tree.
class Hash {
 public:
  Hash() = default;
  static Result<Hash> from_bytes(std::string_view thirty_two);
  [[nodiscard]] std::string_view view() const { return {bytes_.data(), bytes_.size()}; }
  auto operator<=>(const Hash&) const = default;

 private:
  std::array<char, 32> bytes_{};
};

// RFC 6962 section 2.1.
[[nodiscard]] Hash leaf_hash(std::string_view entry);               ///< SHA-256(0x00 || entry)
[[nodiscard]] Hash node_hash(const Hash& left, const Hash& right);  ///< SHA-256(0x01 || left || right)
[[nodiscard]] Hash empty_root();                                    ///< SHA-256 of nothing

/// The right edge of a tree: all that is needed to append leaves and to know the root. At most 64 hashes.
class Frontier {
 public:
  Frontier() = default;
  /// The edge of a tree of this size from its largest perfect subtrees, left to right (as peaks() gives them).
  /// Error merkle.bad when their number is not that of the one bits of size.
  static Result<Frontier> from_peaks(std::uint64_t size, std::vector<Hash> peaks);

  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Hash root() const;
  [[nodiscard]] const std::vector<Hash>& peaks() const { return peaks_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<Hash> peaks_;
};

/// Where the hashes of perfect subtrees come from: node (level, index) covers the leaves
/// [index * 2^level, (index + 1) * 2^level), all of which exist when it is asked for.
class NodeReader {
 public:
  virtual ~NodeReader() = default;
  [[nodiscard]] virtual Result<Hash> node(unsigned level, std::uint64_t index) = 0;
};

/// The root of the first `size` leaves.
[[nodiscard]] Result<Hash> root_of(NodeReader& nodes, std::uint64_t size);
/// RFC 6962 section 2.1.1; index < size, else error merkle.bad. Sibling nearest the leaf first.
[[nodiscard]] Result<std::vector<Hash>> inclusion_proof(NodeReader& nodes, std::uint64_t index, std::uint64_t size);
/// RFC 6962 section 2.1.2; 0 < first <= second, else error merkle.bad.
[[nodiscard]] Result<std::vector<Hash>> consistency_proof(NodeReader& nodes, std::uint64_t first, std::uint64_t second);

/// The root that a leaf and its path lead to (RFC 9162 section 2.1.3.2). Error merkle.bad when the path has a wrong
/// length.
[[nodiscard]] Result<Hash> root_from_inclusion(const Hash& leaf, std::uint64_t index, std::uint64_t size,
                                               const std::vector<Hash>& path);
/// True when the proof shows that the tree of `second` leaves begins with that of `first` (RFC 9162 section 2.1.4.2).
[[nodiscard]] bool is_consistent(std::uint64_t first, const Hash& first_root, std::uint64_t second,
                                 const Hash& second_root, const std::vector<Hash>& proof);

/// A whole tree in memory, for small logs and tests: one vector a level.
class MemoryTree final : public NodeReader {
 public:
  void append(const Hash& leaf);
  [[nodiscard]] std::uint64_t size() const { return levels_.empty() ? 0 : levels_.front().size(); }
  [[nodiscard]] Result<Hash> node(unsigned level, std::uint64_t index) override;

 private:
  std::vector<std::vector<Hash>> levels_;
};

}  // namespace isthmus::archive
