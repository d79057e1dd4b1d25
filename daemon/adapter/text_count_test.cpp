#include "adapter/text_count.h"

#include <gtest/gtest.h>

namespace isthmus::adapter {
namespace {

constexpr std::string_view kFamily = "\U0001F468\u200D\U0001F469\u200D\U0001F467";  // one sign, five code points

TEST(TextCount, CountsOneSignInEachNetworksWay) {
  EXPECT_EQ(count_graphemes(kFamily), 1);
  EXPECT_EQ(count_code_points(kFamily), 5);
  EXPECT_EQ(count_utf16(kFamily), 8);
  EXPECT_EQ(count_weighted(kFamily, 23), 2);
}

TEST(TextCount, CountsACombiningAccentWithItsLetter) {
  EXPECT_EQ(count_graphemes("e\u0301te\u0301"), 3);
  EXPECT_EQ(count_code_points("e\u0301te\u0301"), 5);
}

// twitter-text's conformance: Latin letters weigh 1, CJK 2, every URL 23 whatever its length.
TEST(TextCount, WeighsAsXDoes) {
  EXPECT_EQ(count_weighted("abc", 23), 3);
  EXPECT_EQ(count_weighted("日本", 23), 4);
  EXPECT_EQ(count_weighted("see https://a.example/very/long/path/that/goes/on", 23), 27);
  EXPECT_EQ(count_weighted("https://a.example and http://b.example", 23), 51);
}

TEST(TextCount, CountsNothingInAnEmptyText) {
  EXPECT_EQ(count_graphemes(""), 0);
  EXPECT_EQ(count_weighted("", 23), 0);
}

}  // namespace
}  // namespace isthmus::adapter
