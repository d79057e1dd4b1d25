#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "policy/detail/fold.h"

namespace isthmus::policy::detail {

/// Finds the terms of many lists in one pass over a folded text: the automaton of Aho and Corasick (CACM 18:6, 1975)
/// over its bytes.
///
/// A term is found as whole words: no letter or digit may touch it where it begins or ends with one itself, except
/// between ideographs and in other scripts written without spaces. A term that ends in * may go on. Threads: build on
/// one; then const from any. Memory: about 80 bytes for each byte of distinct beginnings.
class TermAutomaton {
 public:
  static constexpr std::size_t kStatesMax = 4'000'000;

  TermAutomaton();

  /// @return false when nothing is left of the term after folding, or the automaton would be too large.
  bool add(std::string_view term, std::uint32_t list);
  /// Call once, after the last add() and before the first find().
  void finish();

  [[nodiscard]] bool empty() const { return outputs_.empty(); }

  struct Found {
    std::uint32_t list;
    std::uint32_t begin;  ///< bytes of the original text
    std::uint32_t end;
  };
  /// The first occurrence of each list, in order of their ends.
  /// @param lists the number of lists; every list given to add() is below it
  [[nodiscard]] std::vector<Found> find(std::string_view text, std::size_t lists) const;

 private:
  struct Edge {
    unsigned char byte;
    std::uint32_t to;
  };
  struct State {
    std::vector<Edge> edges;     // sorted by byte
    std::uint32_t fail = 0;      // the longest proper suffix that is a beginning of a term
    std::uint32_t terminal = 0;  // the nearest state on the way of fails that ends a term, itself included; 0: none
    std::uint32_t first_output = kNone;
  };
  struct Output {
    std::uint32_t list;
    std::uint32_t bytes;  // of the folded term
    bool open;            // ended in *
    std::uint32_t next;   // another term that ends here, or kNone
  };
  static constexpr std::uint32_t kNone = 0xFFFFFFFF;

  [[nodiscard]] std::optional<std::uint32_t> edge(std::uint32_t state, unsigned char byte) const;
  [[nodiscard]] std::uint32_t step(std::uint32_t state, unsigned char byte) const;
  [[nodiscard]] bool stands_alone(const Folded& text, std::uint32_t begin, std::uint32_t end, bool open) const;

  std::vector<State> states_;
  std::vector<Output> outputs_;
};

}  // namespace isthmus::policy::detail
