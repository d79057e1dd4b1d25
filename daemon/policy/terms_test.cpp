#include "policy/detail/terms.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>

namespace isthmus::policy::detail {
namespace {

/// What the term finds in the text, or "".
std::string found(const std::string& term, const std::string& text) {
  TermAutomaton automaton;
  EXPECT_TRUE(automaton.add(term, 0)) << term;
  automaton.finish();
  const std::vector<TermAutomaton::Found> all = automaton.find(text, 1);
  return all.empty() ? std::string() : text.substr(all[0].begin, all[0].end - all[0].begin);
}

TEST(Terms, AreFoundWhateverTheCaseAccentsAndWidth) {
  EXPECT_EQ(found("résultats", "Nos RESULTATS: bons"), "RESULTATS");
  EXPECT_EQ(found("resultats", "nos résultats"), "résultats");
  EXPECT_EQ(found("straße", "in der STRASSE 4"), "STRASSE");
  EXPECT_EQ(found("coeur", "le cœur a ses raisons"), "cœur");
  EXPECT_EQ(found("office", "the oﬃce"), "oﬃce");
  EXPECT_EQ(found("acme", "ａｃｍｅ!"), "ａｃｍｅ");
  EXPECT_EQ(found("re\xCC\x81sume\xCC\x81", "mon résumé."), "résumé");
  EXPECT_EQ(found("resume", "mon re\xCC\x81sume\xCC\x81."), "re\xCC\x81sume\xCC\x81") << "the span holds the last mark";
  EXPECT_EQ(found("secret",
                  "se\xE2\x80\x8B"
                  "cr\xC2\xAD"
                  "et"),
            "se\xE2\x80\x8B"
            "cr\xC2\xAD"
            "et")
      << "zero-width space, soft hyphen";
  EXPECT_EQ(found("l'embargo", "malgré l’embargo"), "l’embargo");
  EXPECT_EQ(found("ДОМ", "мой дом"), "дом");
}

TEST(Terms, OfSeveralWordsTakeAnyWhiteSpace) {
  EXPECT_EQ(found("profit warning", "a profit \n warning"), "profit \n warning");
  EXPECT_EQ(found("  profit   warning ", "Profit\xC2\xA0Warning"), "Profit\xC2\xA0Warning");
  EXPECT_EQ(found("profit warning", "profitwarning"), "");
  EXPECT_EQ(found("non-public", "non—public"), "non—public");
}

TEST(Terms, AreWholeWordsUnlessTheyEndInAStar) {
  EXPECT_EQ(found("art", "start"), "");
  EXPECT_EQ(found("art", "artist"), "");
  EXPECT_EQ(found("art", "#art!"), "art");
  EXPECT_EQ(found("art", "art2"), "");
  EXPECT_EQ(found("art*", "artist, his"), "artist") << "the span is the whole word";
  EXPECT_EQ(found("art*", "Arté"), "Arté");
  EXPECT_EQ(found("art*", "start"), "");
  EXPECT_EQ(found("$acme", "buy$acme now"), "$acme") << "a term that begins with a sign may touch a word";
  EXPECT_EQ(found("機密", "これは機密情報です"), "機密") << "scripts without spaces";
  EXPECT_EQ(found("c++", "c++ code"), "c++");
}

TEST(Terms, KeepTheVowelsOfScriptsWhereTheyMakeTheWord) {
  EXPECT_EQ(found("कि", "कि है"), "कि");
  EXPECT_EQ(found("कि", "कु है"), "");
}

TEST(Terms, ThatHoldNothingVisibleAreRefused) {
  TermAutomaton automaton;
  EXPECT_FALSE(automaton.add("", 0));
  EXPECT_FALSE(automaton.add("*", 0));
  EXPECT_FALSE(automaton.add(" \t", 0));
  EXPECT_FALSE(automaton.add("\xE2\x80\x8B", 0));
  EXPECT_TRUE(automaton.add("a", 0));
}

TEST(Terms, OfManyListsAreFoundInOnePassOneEach) {
  TermAutomaton automaton;
  EXPECT_TRUE(automaton.add("she", 0));
  EXPECT_TRUE(automaton.add("he", 1));
  EXPECT_TRUE(automaton.add("hers", 2));
  EXPECT_TRUE(automaton.add("he", 3));
  EXPECT_TRUE(automaton.add("his", 4));
  automaton.finish();
  const auto found = automaton.find("ushers she he hers", 5);
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].list, 0U);
  EXPECT_EQ(found[0].begin, 7U);
  EXPECT_EQ(found[3].list, 2U);
}

/// The slow way: try every term at every place.
bool naive(const std::vector<std::string>& terms, const std::string& text) {
  for (const std::string& term : terms) {
    for (std::size_t at = text.find(term); at != std::string::npos; at = text.find(term, at + 1)) {
      const bool left = at == 0 || text[at - 1] == ' ';
      const bool right = at + term.size() == text.size() || text[at + term.size()] == ' ';
      const bool outer_space = term.front() == ' ' || term.back() == ' ';
      if (left && right && !outer_space) return true;
    }
  }
  return false;
}

TEST(Terms, AreFoundExactlyWhereTheSlowWayFindsThem) {
  EXPECT_TRUE(rc::check([] {
    const auto letters = rc::gen::container<std::string>(rc::gen::element('a', 'b', 'a', 'b', ' '));
    const auto clean = [](std::string text) {
      std::string one;
      for (const char c : text) {
        if (c != ' ' || (!one.empty() && one.back() != ' ')) one += c;
      }
      while (one.ends_with(' ')) one.pop_back();
      return one;
    };
    std::vector<std::string> terms;
    for (const std::string& term : *rc::gen::container<std::vector<std::string>>(letters)) {
      if (const std::string kept = clean(term); !kept.empty()) terms.push_back(kept);
    }
    const std::string text = clean(*letters);
    TermAutomaton automaton;
    for (const std::string& term : terms) RC_ASSERT(automaton.add(term, 0));
    automaton.finish();
    RC_ASSERT(automaton.find(text, 1).empty() == !naive(terms, text));
  }));
}

TEST(Terms, InTheThousandsCostOnePass) {
  TermAutomaton automaton;
  for (int i = 0; i < 20'000; ++i) ASSERT_TRUE(automaton.add("term" + std::to_string(i * 7919), 0));
  automaton.finish();
  std::string text;
  while (text.size() < 3000) text += "an ordinary sentence about the weather ";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(automaton.find(text, 1).empty());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(50))
      << "20,000 passes would take far longer";
  EXPECT_EQ(automaton.find(text + "Term7919", 1).size(), 1U);
}

}  // namespace
}  // namespace isthmus::policy::detail
