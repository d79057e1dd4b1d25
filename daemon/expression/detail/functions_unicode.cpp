#include <unicode/brkiter.h>
#include <unicode/locid.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>

#include "expression/detail/functions.h"

// Case and grapheme clusters follow ICU's root locale (UAX #29 extended grapheme clusters), so that the same text
// always counts the same, on every machine of one release.
namespace isthmus::expression {
namespace {

constexpr auto kPassed = Function::NullInput::is_passed;
constexpr auto kGivesNull = Function::NullInput::gives_null;

bool is_ascii(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

bool starts_code_point(char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }

std::size_t code_points(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), starts_code_point));
}

icu::UnicodeString to_icu(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

Value from_icu(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return Value::text(std::move(out));
}

Outcome lower(Arguments a) {
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text", a[0]);
  if (!is_ascii(*text)) return from_icu(to_icu(*text).toLower(icu::Locale::getRoot()));
  std::string out(*text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return Value::text(std::move(out));
}

Outcome upper(Arguments a) {
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text", a[0]);
  if (!is_ascii(*text)) return from_icu(to_icu(*text).toUpper(icu::Locale::getRoot()));
  std::string out(*text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return Value::text(std::move(out));
}

Outcome title(Arguments a) {
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text", a[0]);
  return from_icu(to_icu(*text).toTitle(nullptr, icu::Locale::getRoot()));
}

// The byte after each grapheme cluster, for at most count clusters.
class Graphemes {
 public:
  explicit Graphemes(std::string_view text) {
    UErrorCode status = U_ZERO_ERROR;
    text_ = utext_openUTF8(nullptr, text.data(), static_cast<std::int64_t>(text.size()), &status);
    iterator_.reset(icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), status));
    if (U_SUCCESS(status)) iterator_->setText(text_, status);
    if (U_SUCCESS(status)) iterator_->first();
    ready_ = U_SUCCESS(status);
  }
  Graphemes(const Graphemes&) = delete;
  Graphemes& operator=(const Graphemes&) = delete;
  ~Graphemes() { utext_close(text_); }

  [[nodiscard]] bool ready() const { return ready_; }
  /// End of the next cluster, or empty at the end of the text.
  [[nodiscard]] std::optional<std::size_t> next() {
    const std::int32_t end = iterator_->next();
    if (end == icu::BreakIterator::DONE) return std::nullopt;
    return static_cast<std::size_t>(end);
  }

 private:
  UText* text_ = nullptr;
  std::unique_ptr<icu::BreakIterator> iterator_;
  bool ready_ = false;
};

Outcome no_icu() { return Outcome::failed("the Unicode data of this machine cannot be read"); }

Outcome count(std::size_t number) { return Value::of(static_cast<std::int64_t>(number)); }

Outcome count_graphemes(Arguments a) {
  if (a[0].is_null()) return count(0);
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text", a[0]);
  Graphemes graphemes(*text);
  if (!graphemes.ready()) return no_icu();
  std::size_t number = 0;
  while (graphemes.next()) ++number;
  return count(number);
}

Outcome count_code_points(Arguments a) {
  if (a[0].is_null()) return count(0);
  const auto text = a[0].as_text();
  return text ? count(code_points(*text)) : wrong_kind("text", a[0]);
}

// A code point of four bytes is a pair of surrogates.
Outcome count_utf16(Arguments a) {
  if (a[0].is_null()) return count(0);
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text", a[0]);
  const auto pairs =
      std::count_if(text->begin(), text->end(), [](char c) { return static_cast<unsigned char>(c) >= 0xF0; });
  return count(code_points(*text) + static_cast<std::size_t>(pairs));
}

Outcome bytes_length(Arguments a) {
  if (a[0].is_null()) return count(0);
  return a[0].is_text() ? count(a[0].size()) : wrong_kind("text", a[0]);
}

Outcome length(Arguments a) {
  if (a[0].is_null()) return count(0);
  if (const auto text = a[0].as_text()) return count(code_points(*text));
  return a[0].is_list() || a[0].is_object() ? count(a[0].size()) : wrong_kind("text, a list or an object", a[0]);
}

std::size_t offset_of_code_point(std::string_view text, std::size_t number) {
  std::size_t offset = 0;
  for (; offset < text.size(); ++offset) {
    if (starts_code_point(text[offset]) && number-- == 0) break;
  }
  return offset;
}

struct Cut {
  std::string_view text;
  std::string_view mark;  // stands for what was cut, and counts
  std::size_t most;
};

std::optional<Cut> cut_of(Arguments a) {
  const auto text = a[0].as_text();
  const auto most = a[1].as_integer();
  const auto mark = a.size() > 2 ? a[2].as_text() : std::string_view();
  if (!text || !most || *most < 0 || !mark) return std::nullopt;
  return Cut{*text, *mark, static_cast<std::size_t>(*most)};
}

Outcome bad_cut() { return Outcome::failed("it takes text, a number from 0 and perhaps a mark for what was cut"); }

Outcome truncate(Arguments a) {
  const auto cut = cut_of(a);
  if (!cut) return bad_cut();
  if (code_points(cut->text) <= cut->most) return a[0];
  const std::size_t mark = code_points(cut->mark);
  if (mark > cut->most) return Outcome::failed("its mark is longer than the whole may be");
  return Value::text(std::string(cut->text.substr(0, offset_of_code_point(cut->text, cut->most - mark))) +
                     std::string(cut->mark));
}

Outcome truncate_graphemes(Arguments a) {
  const auto cut = cut_of(a);
  if (!cut) return bad_cut();
  Graphemes marks(cut->mark);
  Graphemes graphemes(cut->text);
  if (!marks.ready() || !graphemes.ready()) return no_icu();
  std::size_t mark = 0;
  while (marks.next()) ++mark;
  if (mark > cut->most) return Outcome::failed("its mark is longer than the whole may be");
  std::size_t kept = 0;  // bytes of the clusters that stay when something is cut
  std::size_t number = 0;
  while (const auto end = graphemes.next()) {
    if (++number <= cut->most - mark) kept = *end;
    if (number > cut->most) return Value::text(std::string(cut->text.substr(0, kept)) + std::string(cut->mark));
  }
  return a[0];
}

}  // namespace

void add_unicode_functions(Library& library) {
  library.add({"lower", 1, 1, lower, kGivesNull, ""});
  library.add({"upper", 1, 1, upper, kGivesNull, ""});
  library.add({"title", 1, 1, title, kGivesNull, ""});
  library.add({"length", 1, 1, length, kPassed, ""});
  library.add({"count_graphemes", 1, 1, count_graphemes, kPassed, ""});
  library.add({"count_code_points", 1, 1, count_code_points, kPassed, ""});
  library.add({"count_utf16", 1, 1, count_utf16, kPassed, ""});
  library.add({"bytes_length", 1, 1, bytes_length, kPassed, ""});
  library.add({"truncate", 2, 3, truncate, kGivesNull, "it"});
  library.add({"truncate_graphemes", 2, 3, truncate_graphemes, kGivesNull, "it"});
}

}  // namespace isthmus::expression
