#include "adapter/text_count.h"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <memory>

namespace isthmus::adapter {
namespace {

/// Calls visit(first code point, code points in cluster) for every grapheme cluster.
template <class Visit>
void each_cluster(const icu::UnicodeString& text, Visit visit) {
  UErrorCode error = U_ZERO_ERROR;
  const std::unique_ptr<icu::BreakIterator> breaks(
      icu::BreakIterator::createCharacterInstance(icu::Locale::getRoot(), error));
  if (U_FAILURE(error) != 0 || !breaks) return;
  breaks->setText(text);
  std::int32_t start = breaks->first();
  for (std::int32_t end = breaks->next(); end != icu::BreakIterator::DONE; start = end, end = breaks->next()) {
    visit(text.char32At(start), text.countChar32(start, end - start));
  }
}

icu::UnicodeString unicode(std::string_view text) {
  return icu::UnicodeString::fromUTF8(icu::StringPiece(text.data(), static_cast<std::int32_t>(text.size())));
}

bool is_light(UChar32 c) {
  return c <= 4351 || (c >= 8192 && c <= 8205) || (c >= 8208 && c <= 8223) || (c >= 8242 && c <= 8247);
}

std::int64_t weight_of(std::string_view text) {
  std::int64_t out = 0;
  each_cluster(unicode(text), [&](UChar32 first, std::int32_t points) {
    if (u_hasBinaryProperty(first, UCHAR_EMOJI_PRESENTATION) ||
        (points > 1 && u_hasBinaryProperty(first, UCHAR_EMOJI))) {
      out += 2;
      return;
    }
    out += is_light(first) ? 1 : 2;
    out += points - 1;  // combining marks are light
  });
  return out;
}

bool is_blank(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

}  // namespace

std::int64_t count_code_points(std::string_view text) { return unicode(text).countChar32(); }
std::int64_t count_utf16(std::string_view text) { return unicode(text).length(); }

std::int64_t count_graphemes(std::string_view text) {
  std::int64_t out = 0;
  each_cluster(unicode(text), [&](UChar32, std::int32_t) { ++out; });
  return out;
}

std::int64_t count_weighted(std::string_view text, std::int64_t url_weight) {
  std::int64_t out = 0;
  std::size_t from = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::string_view rest = text.substr(i);
    const bool url = (i == 0 || is_blank(text[i - 1])) && (rest.starts_with("https://") || rest.starts_with("http://"));
    if (!url) continue;
    out += weight_of(text.substr(from, i - from)) + url_weight;
    while (i < text.size() && !is_blank(text[i])) ++i;
    from = i;
    --i;
  }
  return out + weight_of(text.substr(from));
}

}  // namespace isthmus::adapter
