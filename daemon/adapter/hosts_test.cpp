#include "adapter/hosts.h"

#include <gtest/gtest.h>

namespace isthmus::adapter {
namespace {

TEST(Hosts, NameSchemeHostAndPortOfAnAddress) {
  EXPECT_EQ(origin_of("https://A.Example/x?y"), "https://a.example:443");
  EXPECT_EQ(origin_of("http://localhost:2583"), "http://localhost:2583");
  EXPECT_EQ(origin_of("http://[::1]:80/"), "http://[::1]:80");
  EXPECT_EQ(origin_of("https://a.example./"), "https://a.example:443");
}

TEST(Hosts, RefuseWhatClientsReadDifferently) {
  for (const char* url :
       {"ftp://a.example/", "//a.example/", "https://u@a.example/", "https://u:p@a.example/", "https:///x",
        "https://a.example\\@b.example/", "https://a b.example/", "https://a.example:0/", "https://a.example:65536/",
        "https://a.example:8x/", "https://a.example%2f/", ""}) {
    EXPECT_EQ(origin_of(url), std::nullopt) << url;
  }
}

TEST(Hosts, AllowOnlyWhatWasApprovedToThePort) {
  const std::vector<std::string> approved{"https://api.example", "http://localhost:2583/"};
  EXPECT_TRUE(host_allowed("https://api.example/v1?x=1", approved));
  EXPECT_TRUE(host_allowed("https://API.example:443/v1", approved));
  EXPECT_FALSE(host_allowed("http://api.example/v1", approved));
  EXPECT_FALSE(host_allowed("https://api.example:8443/v1", approved));
  EXPECT_FALSE(host_allowed("https://api.example.evil.example/", approved));
  EXPECT_FALSE(host_allowed("http://localhost:2584/", approved));
  EXPECT_FALSE(host_allowed("nonsense", std::vector<std::string>{"nonsense"}));
}

TEST(Hosts, ResolveWhatRepliesGiveAsTheNextPage) {
  const std::string base = "https://a.example/v1/items?page=1";
  EXPECT_EQ(resolve_url(base, "https://b.example/2"), "https://b.example/2");
  EXPECT_EQ(resolve_url(base, "//b.example/2"), "https://b.example/2");
  EXPECT_EQ(resolve_url(base, "/v1/items?page=2"), "https://a.example/v1/items?page=2");
  EXPECT_EQ(resolve_url(base, "?page=2"), "https://a.example/v1/items?page=2");
  EXPECT_EQ(resolve_url(base, "ftp://a.example/"), std::nullopt);
  EXPECT_EQ(resolve_url(base, ""), std::nullopt);
}

}  // namespace
}  // namespace isthmus::adapter
