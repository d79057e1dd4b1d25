// append_json_string reads sixteen bytes at a step: held against the plain rule at every offset and length around a
// step.
#include <gtest/gtest.h>

#include "base/json.h"

namespace isthmus {
namespace {

std::string plainly(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const std::string named = "\"\\\b\f\n\r\t";
    const std::string letters = "\"\\bfnrt";
    if (const auto at = named.find(c); at != std::string::npos && c != '\0') {
      out += std::string("\\") + letters[at];
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += std::string("\\u00") + (c < 0x10 ? "0" : "1") + "0123456789abcdef"[c & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

TEST(JsonString, EscapesEachByteWhereverItStands) {
  for (int byte = 0; byte < 256; ++byte) {
    for (std::size_t length = 1; length <= 35; ++length) {
      for (std::size_t at = 0; at < length; ++at) {
        std::string text(length, 'a');
        text[at] = static_cast<char>(byte);
        std::string out;
        append_json_string(out, text);
        ASSERT_EQ(out, plainly(text)) << byte << " at " << at << " of " << length;
      }
    }
  }
}

TEST(JsonString, EscapesNeighbours) {
  for (const char* text : {"\"\"\"\"\"\"\"\"\"", "aaaaaaa\"\"aaaaaaa", "\x01\x1f !\"#\\[]\x7f", "é\"é\\é\né", ""}) {
    std::string out;
    append_json_string(out, text);
    EXPECT_EQ(out, plainly(text));
  }
}

}  // namespace
}  // namespace isthmus
