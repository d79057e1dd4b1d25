#include "http/multipart.h"

#include <gtest/gtest.h>

namespace isthmus::http {
namespace {

TEST(Multipart, IsTheFormOfRfc7578) {
  const auto made = encode_multipart(
      {{"status", std::nullopt, std::nullopt, "hello"}, {"file", "a\"b\r\n.png", "image/png", "\x89PNG"}});
  const std::string boundary = made.content_type.substr(made.content_type.find('=') + 1);
  EXPECT_EQ(made.content_type, "multipart/form-data; boundary=" + boundary);
  EXPECT_LE(boundary.size(), 70U);  // RFC 2046 5.1.1
  EXPECT_EQ(made.body, "--" + boundary + "\r\nContent-Disposition: form-data; name=\"status\"\r\n\r\nhello\r\n--" +
                           boundary +
                           "\r\nContent-Disposition: form-data; name=\"file\"; "
                           "filename=\"a%22b%0D%0A.png\"\r\nContent-Type: image/png\r\n\r\n" +
                           "\x89PNG\r\n--" + boundary + "--\r\n");
}

TEST(Multipart, GivesTheSameBytesForTheSamePartsAndAnotherBoundaryForOthers) {
  const std::vector<Part> parts{{"a", std::nullopt, std::nullopt, "1"}};
  EXPECT_EQ(encode_multipart(parts).body, encode_multipart(parts).body);
  EXPECT_NE(encode_multipart(parts).content_type,
            encode_multipart({{"a", std::nullopt, std::nullopt, "2"}}).content_type);
}

}  // namespace
}  // namespace isthmus::http
