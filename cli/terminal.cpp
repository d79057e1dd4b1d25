#include "cli/terminal.h"

#include "base/bytes.h"

namespace isthmus::cli {

Language language_of(std::string_view lc_all, std::string_view lc_messages, std::string_view lang) {
  const std::string_view locale = !lc_all.empty() ? lc_all : !lc_messages.empty() ? lc_messages : lang;
  const bool french = locale == "fr" || locale.starts_with("fr_") || locale.starts_with("fr.");
  return french ? Language::french : Language::english;
}

std::string printable(std::string_view text, LineFeeds line_feeds) {
  const bool valid = is_utf8(text);
  std::string out(text);
  for (std::size_t at = 0; at < out.size(); ++at) {
    const auto byte = static_cast<unsigned char>(out[at]);
    if (byte == '\n' && line_feeds == LineFeeds::kept) continue;
    const bool control = byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !valid);
    // U+0080 to U+009F are control characters too, C2 80 to C2 9F in UTF-8.
    const bool control_two =
        valid && byte == 0xC2 && at + 1 < out.size() && static_cast<unsigned char>(out[at + 1]) < 0xA0;
    if (control) out[at] = '?';
    if (control_two) out.replace(at, 2, "?");
  }
  return out;
}

}  // namespace isthmus::cli
