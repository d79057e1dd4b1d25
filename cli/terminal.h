#pragma once

#include <fmt/format.h>

#include <ostream>
#include <string>
#include <string_view>

namespace isthmus::cli {

enum class Language { english, french };

/// French for a locale name that begins with "fr" ("fr_FR.UTF-8"), else English.
/// @param lc_all, lc_messages, lang the variables of that name, "" when not set; the first that is set counts (POSIX).
[[nodiscard]] Language language_of(std::string_view lc_all, std::string_view lc_messages, std::string_view lang);

/// One text in both languages, so that neither can be forgotten. May hold {} places for say().
struct Words {
  std::string_view en;
  std::string_view fr;

  [[nodiscard]] std::string_view in(Language language) const { return language == Language::french ? fr : en; }
};

template <class... Values>
[[nodiscard]] std::string say(Language language, const Words& words, const Values&... values) {
  return fmt::format(fmt::runtime(words.in(language)), values...);
}

/// Where a command writes and in which language. Borrowed for the run.
struct Terminal {
  std::ostream& out;
  std::ostream& err;
  Language language = Language::english;
  enum class Progress { shown, hidden } progress = Progress::hidden;  ///< shown when standard error is a terminal
};

/// Exit codes of the program, as its manual says.
enum Exit : int { exit_good = 0, exit_failed = 1, exit_usage = 2, exit_unreachable = 3 };

/// Text that came from elsewhere, safe to show: control characters and bytes that are not UTF-8 become "?" (a vendor's
/// reply must not move somebody's cursor). Line feeds too, unless kept.
enum class LineFeeds { replaced, kept };
[[nodiscard]] std::string printable(std::string_view text, LineFeeds line_feeds = LineFeeds::replaced);

}  // namespace isthmus::cli
