#include "policy/detail/terms.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>
#include <deque>

#include "base/check.h"
#include "policy/detail/utf8.h"

namespace isthmus::policy::detail {

namespace {

/// Scripts that put no space between words: a neighbour says nothing about where a word ends.
bool is_written_without_spaces(UChar32 c) {
  UErrorCode error = U_ZERO_ERROR;
  switch (uscript_getScript(c, &error)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
      return true;
    default:
      return false;
  }
}

/// Whether two neighbours are of one word.
bool joins(char32_t first, char32_t second) {
  const auto inside = static_cast<UChar32>(first);
  const auto outside = static_cast<UChar32>(second);
  return u_isalnum(inside) != 0 && u_isalnum(outside) != 0 && !is_written_without_spaces(inside) &&
         !is_written_without_spaces(outside);
}

}  // namespace

TermAutomaton::TermAutomaton() : states_(1) {}

std::optional<std::uint32_t> TermAutomaton::edge(std::uint32_t state, unsigned char byte) const {
  const std::vector<Edge>& edges = states_[state].edges;
  const auto found =
      std::lower_bound(edges.begin(), edges.end(), byte, [](const Edge& e, unsigned char b) { return e.byte < b; });
  if (found == edges.end() || found->byte != byte) return std::nullopt;
  return found->to;
}

bool TermAutomaton::add(std::string_view term, std::uint32_t list) {
  const bool open = term.ends_with('*');
  if (open) term.remove_suffix(1);
  std::string bytes = fold(term).bytes;
  if (bytes.starts_with(' ')) bytes.erase(0, 1);
  if (bytes.ends_with(' ')) bytes.pop_back();
  if (bytes.empty() || states_.size() + bytes.size() > kStatesMax) return false;
  std::uint32_t state = 0;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    std::optional<std::uint32_t> next = edge(state, byte);
    if (!next) {
      next = static_cast<std::uint32_t>(states_.size());
      states_.emplace_back();
      std::vector<Edge>& edges = states_[state].edges;
      const auto place =
          std::lower_bound(edges.begin(), edges.end(), byte, [](const Edge& e, unsigned char b) { return e.byte < b; });
      edges.insert(place, {byte, *next});
    }
    state = *next;
  }
  outputs_.push_back({list, static_cast<std::uint32_t>(bytes.size()), open, states_[state].first_output});
  states_[state].first_output = static_cast<std::uint32_t>(outputs_.size() - 1);
  return true;
}

std::uint32_t TermAutomaton::step(std::uint32_t state, unsigned char byte) const {
  while (true) {
    if (const std::optional<std::uint32_t> next = edge(state, byte)) return *next;
    if (state == 0) return 0;
    state = states_[state].fail;
  }
}

void TermAutomaton::finish() {
  std::deque<std::uint32_t> queue;  // breadth first: a state's fail is nearer to the root
  for (const Edge& e : states_[0].edges) queue.push_back(e.to);
  while (!queue.empty()) {
    const std::uint32_t state = queue.front();
    queue.pop_front();
    State& here = states_[state];
    here.terminal = here.first_output != kNone ? state : states_[here.fail].terminal;
    for (const Edge& e : here.edges) {
      states_[e.to].fail = step(here.fail, e.byte);
      queue.push_back(e.to);
    }
  }
}

namespace {

std::uint32_t end_of_word(const Folded& text, std::uint32_t end) {
  while (end < text.bytes.size() && joins(character_before(text.bytes, end), character_at(text.bytes, end))) {
    (void)next_character(text.bytes, end);
  }
  return end;
}

}  // namespace

bool TermAutomaton::stands_alone(const Folded& text, std::uint32_t begin, std::uint32_t end, bool open) const {
  if (begin > 0 && joins(character_at(text.bytes, begin), character_before(text.bytes, begin))) return false;
  return open || end == text.bytes.size() || !joins(character_before(text.bytes, end), character_at(text.bytes, end));
}

std::vector<TermAutomaton::Found> TermAutomaton::find(std::string_view text, std::size_t lists) const {
  std::vector<Found> found;
  if (empty()) return found;
  const Folded folded = fold(text);
  std::vector<bool> seen(lists);
  std::uint32_t state = 0;
  for (std::size_t i = 0; i < folded.bytes.size() && found.size() < lists; ++i) {
    state = step(state, static_cast<unsigned char>(folded.bytes[i]));
    for (std::uint32_t ending = states_[state].terminal; ending != 0; ending = states_[states_[ending].fail].terminal) {
      for (std::uint32_t o = states_[ending].first_output; o != kNone; o = outputs_[o].next) {
        const Output& output = outputs_[o];
        ISTHMUS_CHECK(output.list < lists, "every list was counted");
        const auto end = static_cast<std::uint32_t>(i + 1);
        const std::uint32_t begin = end - output.bytes;
        if (seen[output.list] || !stands_alone(folded, begin, end, output.open)) continue;
        seen[output.list] = true;
        const std::uint32_t last = (output.open ? end_of_word(folded, end) : end) - 1;
        found.push_back({output.list, folded.source[begin], end_of_character(text, folded.source[last])});
      }
    }
  }
  return found;
}

}  // namespace isthmus::policy::detail
