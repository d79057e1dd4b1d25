#include "http/message.h"

#include <gtest/gtest.h>

namespace isthmus::http {
namespace {

TEST(Headers, AreFoundWithoutRegardToCaseInTheirOrder) {
  const Headers headers{{"Content-Type", "a"}, {"X-One", "1"}, {"x-one", "2"}};
  EXPECT_EQ(headers.find("content-TYPE"), "a");
  EXPECT_EQ(headers.find("X-ONE"), "1");
  EXPECT_EQ(headers.find("X-On"), std::nullopt);
}

TEST(Headers, AskedForTheOnlyOneRefuseToChooseBetweenTwo) {
  const Headers headers{{"Sig", "1"}, {"sig", "2"}, {"Once", "3"}};
  EXPECT_EQ(headers.only("sig"), std::nullopt);
  EXPECT_EQ(headers.only("once"), "3");
}

TEST(Headers, SetReplacesAllOfTheName) {
  Headers headers{{"a", "1"}, {"A", "2"}, {"b", "3"}};
  headers.set("A", "9");
  EXPECT_EQ(headers.count("a"), 1U);
  EXPECT_EQ(headers.find("a"), "9");
  EXPECT_EQ(headers.find("b"), "3");
}

TEST(Percent, DecodesAndRefusesACutEscape) {
  EXPECT_EQ(percent_decode("a%20b%2fc+d").value(), "a b/c+d");
  EXPECT_EQ(percent_decode("a%2").error().code, "http.percent");
  EXPECT_EQ(percent_decode("a%").error().code, "http.percent");
  EXPECT_EQ(percent_decode("a%zz").error().code, "http.percent");
}

TEST(Percent, EncodesEverythingButTheUnreserved) {
  EXPECT_EQ(percent_encode("aZ0-._~ /\xc3\xa9+"), "aZ0-._~%20%2F%C3%A9%2B");
  const std::string bytes("\0\xff%&=", 5);
  EXPECT_EQ(percent_decode(percent_encode(bytes)).value(), bytes);
}

TEST(PathSegments, AreDecodedOneByOneSoThatAnEncodedSlashDoesNotSplit) {
  EXPECT_EQ(path_segments("/").value(), (std::vector<std::string>{}));
  EXPECT_EQ(path_segments("/hooks/a%2Fb/").value(), (std::vector<std::string>{"hooks", "a/b", ""}));
}

TEST(PathSegments, RefuseToClimbAlsoWhenEncoded) {
  EXPECT_EQ(path_segments("/a/../b").error().code, "http.path");
  EXPECT_EQ(path_segments("/a/%2e%2E/b").error().code, "http.path");
  EXPECT_EQ(path_segments("/a%00").error().code, "http.path");
  EXPECT_EQ(path_segments("a").error().code, "http.path");
  EXPECT_TRUE(path_segments("/a/...").has_value());
}

TEST(Query, IsDecodedAndRefusesARepeatedName) {
  const auto pairs = parse_query("a=1&b=x+y%2B&&c").value();
  EXPECT_EQ(pairs.size(), 3U);
  EXPECT_EQ(pairs.at("b"), "x y+");
  EXPECT_EQ(pairs.at("c"), "");
  EXPECT_EQ(parse_query("a=1&%61=2").error().code, "http.query");
  EXPECT_EQ(parse_query("a=%").error().code, "http.percent");
}

TEST(Query, HoldsAThousandPairsAndNotOneMore) {
  std::string query;
  for (int i = 0; i < 1000; ++i) query += "k" + std::to_string(i) + "=&";
  EXPECT_EQ(parse_query(query).value().size(), 1000U);
  EXPECT_EQ(parse_query(query + "last=").error().code, "http.query");
}

TEST(Query, FormattedReadsBack) { EXPECT_EQ(format_query({{"a b", "1&2"}, {"c", ""}}), "a%20b=1%262&c="); }

TEST(Problem, IsTheDocumentOfRfc9457) {
  const Response response = problem(403, Error{"policy.forbidden", "the rule \"r\" forbids it", "ask", ""});
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.headers.find("content-type"), "application/problem+json");
  EXPECT_EQ(
      response.body,
      R"json({"type":"urn:isthmus:problem:policy.forbidden","title":"Forbidden","status":403,"detail":"the rule \"r\" forbids it (ask)","code":"policy.forbidden"})json");
}

TEST(Problem, ReplacesWhatIsNotUtf8) {
  EXPECT_NE(problem(400, "x", "path \xff").body.find("path ?"), std::string::npos);
}

TEST(FieldValue, HoldsNoControlCharacterButTab) {
  EXPECT_TRUE(is_field_value("a\tb \xc3\xa9"));
  EXPECT_FALSE(is_field_value("a\r\nSet-Cookie: x"));
  EXPECT_FALSE(is_field_value(std::string_view("a\0b", 3)));
  EXPECT_TRUE(is_token("X-Hub-Signature-256"));
  EXPECT_FALSE(is_token("X Y"));
  EXPECT_FALSE(is_token(""));
}

}  // namespace
}  // namespace isthmus::http
