#include "policy/detail/matcher.h"

#include <re2/re2.h>

#include "policy/detail/detectors.h"

namespace isthmus::policy::detail {

namespace {

std::optional<Span> detect(const MatchDetector& match, std::string_view text) {
  switch (match.detector) {
    case Detector::card_number:
      return find_card_number(text);
    case Detector::iban:
      return find_iban(text);
    case Detector::french_nir:
      return find_french_nir(text);
    case Detector::secret:
      return find_secret(text);
    case Detector::link:
      break;
  }
  return find_link(text, match.except_hosts);
}

}  // namespace

Matcher::Matcher(std::span<const std::shared_ptr<const Pack>> packs) {
  for (const std::shared_ptr<const Pack>& pack : packs) {
    first_list_.push_back(lists_);
    for (const TermList& list : pack->lists) {
      // Every term was folded once by the reader, so that none is empty; what does not fit is refused by PackSet::load.
      for (const std::string& term : list.terms) (void)automaton_.add(term, static_cast<std::uint32_t>(lists_));
      ++lists_;
    }
  }
  automaton_.finish();
}

Matcher::TermMatches Matcher::find_terms(std::span<const Text> texts) const {
  TermMatches matches(lists_);
  if (automaton_.empty()) return matches;
  for (const Text& text : texts) {
    for (const TermAutomaton::Found& found : automaton_.find(text.text, lists_)) {
      if (!matches[found.list]) matches[found.list] = Decision::Match{text.field, found.begin, found.end};
    }
  }
  return matches;
}

std::optional<Decision::Match> find_pattern(const MatchPattern& match, std::span<const Text> texts) {
  for (const Text& text : texts) {
    re2::StringPiece found;
    const re2::StringPiece whole(text.text);
    if (!match.pattern->Match(whole, 0, whole.size(), RE2::UNANCHORED, &found, 1)) continue;
    const auto begin = static_cast<std::uint32_t>(found.data() - whole.data());
    return Decision::Match{text.field, begin, begin + static_cast<std::uint32_t>(found.size())};
  }
  return std::nullopt;
}

std::optional<Decision::Match> find_detected(const MatchDetector& match, std::span<const Text> texts) {
  for (const Text& text : texts) {
    if (const std::optional<Span> span = detect(match, text.text))
      return Decision::Match{text.field, span->begin, span->end};
  }
  return std::nullopt;
}

}  // namespace isthmus::policy::detail
