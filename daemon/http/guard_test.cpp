// The neighbours of each range are the test: the last address inside is refused, the first outside passes.
#include "http/guard.h"

#include <gtest/gtest.h>
#include <netinet/in.h>

namespace isthmus::http {
namespace {

bool passes(std::string_view literal) { return is_public_address(literal); }

TEST(Guard, RefusesEveryIpv4RangeToItsEdges) {
  for (const char* address :
       {"0.0.0.0",         "0.255.255.255",   "10.0.0.0",       "10.255.255.255",  "100.64.0.0",      "100.127.255.255",
        "127.0.0.1",       "127.255.255.255", "169.254.0.0",    "169.254.169.254", "169.254.255.255", "172.16.0.0",
        "172.31.255.255",  "192.0.0.0",       "192.0.0.255",    "192.0.2.1",       "192.88.99.1",     "192.168.0.0",
        "192.168.255.255", "198.18.0.0",      "198.19.255.255", "198.51.100.7",    "203.0.113.255",   "224.0.0.1",
        "239.255.255.255", "240.0.0.1",       "255.255.255.255"}) {
    EXPECT_FALSE(passes(address)) << address;
  }
}

TEST(Guard, PassesTheNeighboursOfTheIpv4Ranges) {
  for (const char* address :
       {"1.0.0.0",       "9.255.255.255",   "11.0.0.0",        "100.63.255.255", "100.128.0.0", "126.255.255.255",
        "128.0.0.0",     "169.253.255.255", "169.255.0.0",     "172.15.255.255", "172.32.0.0",  "192.0.1.0",
        "192.0.3.0",     "192.167.255.255", "192.169.0.0",     "198.17.255.255", "198.20.0.0",  "198.51.99.255",
        "203.0.112.255", "203.0.114.0",     "223.255.255.255", "8.8.8.8"}) {
    EXPECT_TRUE(passes(address)) << address;
  }
}

TEST(Guard, RefusesEveryIpv6FormThatIsNotPlainPublicUnicast) {
  for (const char* address : {"::",
                              "::1",
                              "::ffff:127.0.0.1",
                              "::ffff:8.8.8.8",
                              "::8.8.8.8",
                              "64:ff9b::8.8.8.8",
                              "64:ff9b::7f00:1",
                              "64:ff9b:1::1",
                              "100::1",
                              "2001::1",
                              "2001:1ff:ffff::",
                              "2001:db8::1",
                              "2002:7f00:1::",
                              "2002:808:808::1",
                              "2620:4f:8000::1",
                              "3ffe::1",
                              "3fff::1",
                              "3fff:fff:ffff::1",
                              "5f00::1",
                              "fc00::1",
                              "fdff::1",
                              "fe80::1",
                              "fe80::1%lo",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "4000::1"}) {
    EXPECT_FALSE(passes(address)) << address;
  }
}

TEST(Guard, PassesPublicIpv6) {
  for (const char* address : {"2001:200::1", "2001:4860:4860::8888", "2001:db7::1", "2001:db9::1", "2003::1",
                              "2606:4700::1111", "2a00::1", "2620:4f:8001::1", "3fff:1000::1"}) {
    EXPECT_TRUE(passes(address)) << address;
  }
}

TEST(Guard, RefusesWhatIsNotAnAddress) {
  for (const char* text : {"", "example.org", "127.1", "2130706433", "8.8.8.8.8", "[2a00::1]"})
    EXPECT_FALSE(passes(text)) << text;
  sockaddr local{};
  local.sa_family = AF_UNIX;
  EXPECT_FALSE(is_public_address(&local, sizeof(local)));
  sockaddr_in in{};
  in.sin_family = AF_INET;
  in.sin_addr.s_addr = htonl(0x08080808);
  EXPECT_TRUE(is_public_address(reinterpret_cast<const sockaddr*>(&in), sizeof(in)));
  EXPECT_FALSE(is_public_address(reinterpret_cast<const sockaddr*>(&in), sizeof(in) - 1));
}

TEST(Guard, AllowsTheApprovedInternalHostAndNoOther) {
  const GuardPolicy policy{{"crm.example", "10.0.0.7:8443", "[fd00::1]:443"}};
  EXPECT_TRUE(policy.allows_internal("CRM.example", 80));
  EXPECT_FALSE(policy.allows_internal("crm.example.org", 80));
  EXPECT_FALSE(policy.allows_internal("xcrm.example", 80));
  EXPECT_TRUE(policy.allows_internal("10.0.0.7", 8443));
  EXPECT_FALSE(policy.allows_internal("10.0.0.7", 443));
  EXPECT_TRUE(policy.allows_internal("[fd00::1]", 443));
  EXPECT_FALSE(policy.allows_internal("[fd00::2]", 443));
  EXPECT_FALSE(GuardPolicy{}.allows_internal("crm.example", 80));
  const GuardPolicy malformed{{"", "a:b"}};
  EXPECT_FALSE(malformed.allows_internal("a", 80));
  EXPECT_FALSE(malformed.allows_internal("", 80));
}

}  // namespace
}  // namespace isthmus::http
