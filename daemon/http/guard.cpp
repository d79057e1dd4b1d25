#include "http/guard.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <optional>

#include "http/message.h"

namespace isthmus::http {
namespace {

struct Range4 {
  std::uint32_t network;
  unsigned bits;
};

constexpr std::uint32_t ip4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return a << 24 | b << 16 | c << 8 | d;
}

// https://www.iana.org/assignments/iana-ipv4-special-registry, and multicast and class E.
constexpr std::array kRefused4{
    Range4{ip4(0, 0, 0, 0), 8},        // this network (RFC 791), 0.0.0.0 reaches loopback on Linux
    Range4{ip4(10, 0, 0, 0), 8},       // private (RFC 1918)
    Range4{ip4(100, 64, 0, 0), 10},    // shared by carriers (RFC 6598)
    Range4{ip4(127, 0, 0, 0), 8},      // loopback
    Range4{ip4(169, 254, 0, 0), 16},   // link local (RFC 3927), metadata of clouds
    Range4{ip4(172, 16, 0, 0), 12},    // private
    Range4{ip4(192, 0, 0, 0), 24},     // protocol assignments (RFC 6890)
    Range4{ip4(192, 0, 2, 0), 24},     // documentation (RFC 5737)
    Range4{ip4(192, 31, 196, 0), 24},  // AS112 (RFC 7535)
    Range4{ip4(192, 52, 193, 0), 24},  // AMT (RFC 7450)
    Range4{ip4(192, 88, 99, 0), 24},   // 6to4 relays, deprecated (RFC 7526)
    Range4{ip4(192, 168, 0, 0), 16},   // private
    Range4{ip4(192, 175, 48, 0), 24},  // AS112 (RFC 7534)
    Range4{ip4(198, 18, 0, 0), 15},    // benchmarks (RFC 2544)
    Range4{ip4(198, 51, 100, 0), 24},  // documentation
    Range4{ip4(203, 0, 113, 0), 24},   // documentation
    Range4{ip4(224, 0, 0, 0), 4},      // multicast
    Range4{ip4(240, 0, 0, 0), 4},      // reserved, limited broadcast
};

struct Range6 {
  std::array<std::uint8_t, 16> network;
  unsigned bits;
};

// Inside 2000::/3, https://www.iana.org/assignments/iana-ipv6-special-registry. Everything outside 2000::/3 is refused
// as a whole: loopback, mapped and compatible IPv4, NAT64 (64:ff9b::/96, 64:ff9b:1::/48), discard (100::/64), SRv6 SIDs
// (5f00::/16), unique local (fc00::/7), link local (fe80::/10), multicast (ff00::/8), and what is not assigned.
constexpr std::array kRefused6{
    Range6{{0x20, 0x01, 0x00}, 23},              // protocol assignments, Teredo and ORCHID among them (RFC 2928)
    Range6{{0x20, 0x01, 0x0d, 0xb8}, 32},        // documentation (RFC 3849)
    Range6{{0x20, 0x02}, 16},                    // 6to4: carries an IPv4 address (RFC 3056)
    Range6{{0x26, 0x20, 0x00, 0x4f, 0x80}, 48},  // AS112 (RFC 7534)
    Range6{{0x3f, 0xff, 0x00}, 20},              // documentation (RFC 9637)
    Range6{{0x3f, 0xfe}, 16},                    // 6bone, returned (RFC 3701)
};

bool is_public4(std::uint32_t address) {
  return std::none_of(kRefused4.begin(), kRefused4.end(), [address](const Range4& range) {
    return (address >> (32 - range.bits)) == (range.network >> (32 - range.bits));
  });
}

bool same_prefix(const std::uint8_t* a, const std::uint8_t* b, unsigned bits) {
  const unsigned whole = bits / 8;
  if (std::memcmp(a, b, whole) != 0) return false;
  const unsigned rest = bits % 8;
  return rest == 0 || (a[whole] >> (8 - rest)) == (b[whole] >> (8 - rest));
}

bool is_public6(const std::uint8_t* address) {
  if ((address[0] & 0xe0) != 0x20) return false;
  return std::none_of(kRefused6.begin(), kRefused6.end(), [address](const Range6& range) {
    return same_prefix(address, range.network.data(), range.bits);
  });
}

struct HostPort {
  std::string_view host;
  std::optional<std::uint16_t> port;
};

/// "host", "host:port", "[v6]", "[v6]:port"; nothing when the port is not a number.
std::optional<HostPort> split(std::string_view entry) {
  HostPort out;
  std::string_view rest;
  if (!entry.empty() && entry.front() == '[') {
    const std::size_t close = entry.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    out.host = entry.substr(1, close - 1);
    rest = entry.substr(close + 1);
  } else {
    const std::size_t colon = entry.find(':');
    out.host = entry.substr(0, colon);
    rest = colon == std::string_view::npos ? std::string_view{} : entry.substr(colon);
  }
  if (rest.empty()) return out;
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  if (rest.front() != ':' || error != std::errc{} || end != rest.data() + rest.size()) return std::nullopt;
  out.port = port;
  return out;
}

std::string_view unbracketed(std::string_view host) {
  return host.size() >= 2 && host.front() == '[' && host.back() == ']' ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

bool is_public_address(const sockaddr* address, socklen_t length) {
  // Copies instead of casts: the bytes may come from a buffer that is not aligned.
  if (length < static_cast<socklen_t>(sizeof(sa_family_t))) return false;
  if (address->sa_family == AF_INET && length >= static_cast<socklen_t>(sizeof(sockaddr_in))) {
    sockaddr_in in{};
    std::memcpy(&in, address, sizeof(in));
    return is_public4(ntohl(in.sin_addr.s_addr));
  }
  if (address->sa_family == AF_INET6 && length >= static_cast<socklen_t>(sizeof(sockaddr_in6))) {
    sockaddr_in6 in{};
    std::memcpy(&in, address, sizeof(in));
    return is_public6(in.sin6_addr.s6_addr);
  }
  return false;
}

bool is_public_address(std::string_view literal) {
  const std::string text(literal.substr(0, literal.find('%')));  // a zone is not part of the address
  in_addr v4{};
  if (inet_pton(AF_INET, text.c_str(), &v4) == 1) return is_public4(ntohl(v4.s_addr));
  in6_addr v6{};
  return inet_pton(AF_INET6, text.c_str(), &v6) == 1 && is_public6(v6.s6_addr);
}

bool GuardPolicy::allows_internal(std::string_view host, std::uint16_t port) const {
  return std::any_of(internal_hosts.begin(), internal_hosts.end(), [&](const std::string& entry) {
    const auto approved = split(entry);
    return approved && !approved->host.empty() && equal_ignoring_case(approved->host, unbracketed(host)) &&
           (!approved->port || *approved->port == port);
  });
}

}  // namespace isthmus::http
