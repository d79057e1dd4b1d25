#include "merkle.h"

#include "crypto.h"

namespace verify {
namespace {

std::string node_hash(std::string_view left, std::string_view right) {
  std::string data(1, '\x01');
  data += left;
  data += right;
  return sha256(data);
}

}  // namespace

std::string leaf_hash(std::string_view entry) {
  std::string data(1, '\x00');
  data += entry;
  return sha256(data);
}

std::optional<std::string> root_from_proof(std::string leaf, std::uint64_t index, std::uint64_t size,
                                           const std::vector<std::string>& path) {
  if (index >= size) return std::nullopt;
  std::uint64_t fn = index;
  std::uint64_t sn = size - 1;
  std::string hash = std::move(leaf);
  for (const std::string& sibling : path) {
    if (sn == 0) return std::nullopt;
    if (fn % 2 == 1 || fn == sn) {
      hash = node_hash(sibling, hash);
      for (; fn % 2 == 0 && fn != 0; fn /= 2) sn /= 2;
    } else {
      hash = node_hash(hash, sibling);
    }
    fn /= 2;
    sn /= 2;
  }
  if (sn != 0) return std::nullopt;
  return hash;
}

void RootBuilder::append(std::string leaf) {
  for (std::uint64_t full = size_; full % 2 == 1; full /= 2) {
    leaf = node_hash(perfect_.back(), leaf);
    perfect_.pop_back();
  }
  perfect_.push_back(std::move(leaf));
  ++size_;
}

std::string RootBuilder::root() const {
  if (perfect_.empty()) return sha256({});
  std::string root = perfect_.back();
  for (std::size_t i = perfect_.size() - 1; i-- > 0;) root = node_hash(perfect_[i], root);
  return root;
}

}  // namespace verify
