#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace verify {

/// Indexes of the log, [from, to), that a bag says it does not hold.
struct Gap {
  std::uint64_t from = 0;
  std::uint64_t to = 0;
};
/// The ranges of data/gaps.json, ascending and apart; empty when the text is malformed or for a log of another size.
[[nodiscard]] std::optional<std::vector<Gap>> read_gaps(std::string_view text, std::uint64_t size);

/// Follows the records of a bag and the gaps it declares: together they must be the whole log, each index once.
class Coverage {
 public:
  explicit Coverage(std::vector<Gap> gaps) : gaps_(std::move(gaps)) {}

  /// Goes to `index` (a record's, or the size of the log). False when indexes before it are neither records nor gaps.
  [[nodiscard]] bool reach(std::uint64_t index);
  void pass_record() { ++next_; }
  [[nodiscard]] bool all_gaps_used() const { return used_ == gaps_.size(); }
  [[nodiscard]] bool has_gaps() const { return !gaps_.empty(); }

 private:
  std::vector<Gap> gaps_;
  std::size_t used_ = 0;
  std::uint64_t next_ = 0;
};

}  // namespace verify
