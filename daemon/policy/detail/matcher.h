#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "policy/detail/pack.h"
#include "policy/detail/terms.h"

namespace isthmus::policy::detail {

/// What the rules of all packs search for, joined so that every list of terms takes part in one pass over a text.
class Matcher {
 public:
  explicit Matcher(std::span<const std::shared_ptr<const Pack>> packs);

  /// The first occurrence of each list over all texts of one request. Made once a request, when the first rule asks for
  /// it.
  using TermMatches = std::vector<std::optional<Decision::Match>>;
  [[nodiscard]] TermMatches find_terms(std::span<const Text> texts) const;

  [[nodiscard]] std::size_t list_id(std::size_t pack, std::size_t list) const { return first_list_[pack] + list; }

 private:
  TermAutomaton automaton_;
  std::vector<std::size_t> first_list_;  // of each pack
  std::size_t lists_ = 0;
};

/// The first occurrence of a pattern or of what a detector looks for.
[[nodiscard]] std::optional<Decision::Match> find_pattern(const MatchPattern& match, std::span<const Text> texts);
[[nodiscard]] std::optional<Decision::Match> find_detected(const MatchDetector& match, std::span<const Text> texts);

}  // namespace isthmus::policy::detail
