#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace verify {

[[nodiscard]] std::string leaf_hash(std::string_view entry);  ///< RFC 6962 section 2.1

/// The root that a leaf and its inclusion proof lead to (RFC 9162 section 2.1.3.2); empty when the proof has a wrong
/// length.
[[nodiscard]] std::optional<std::string> root_from_proof(std::string leaf, std::uint64_t index, std::uint64_t size,
                                                         const std::vector<std::string>& path);

/// The root of all leaves, given one after another.
class RootBuilder {
 public:
  void append(std::string leaf);
  [[nodiscard]] std::string root() const;
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<std::string> perfect_;  // roots of the perfect subtrees, left to right
};

}  // namespace verify
