#include "adapter/hosts.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace isthmus::adapter {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), lower);
  return out;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}
bool is_ip6_char(char c) { return (c >= 'a' && c <= 'f') || (c >= '0' && c <= '9') || c == ':' || c == '.'; }

struct Authority {
  std::string host;
  std::string_view port;  ///< digits, or empty
};

std::optional<Authority> split_authority(std::string_view authority) {
  Authority out;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t close = authority.find(']');
    if (close == std::string_view::npos) return std::nullopt;
    out.host = lowered(authority.substr(0, close + 1));
    const std::string_view inside = std::string_view(out.host).substr(1, close - 1);
    if (inside.empty() || !std::all_of(inside.begin(), inside.end(), is_ip6_char)) return std::nullopt;
    const std::string_view rest = authority.substr(close + 1);
    if (!rest.empty() && rest.front() != ':') return std::nullopt;
    if (!rest.empty()) out.port = rest.substr(1);
    return out;
  }
  const std::size_t colon = authority.find(':');
  out.host = lowered(authority.substr(0, colon));
  if (colon != std::string_view::npos) out.port = authority.substr(colon + 1);
  if (!out.host.empty() && out.host.back() == '.') out.host.pop_back();  // a root dot names the same host
  if (out.host.empty() || !std::all_of(out.host.begin(), out.host.end(), is_host_char)) return std::nullopt;
  return out;
}

}  // namespace

std::optional<std::string> origin_of(std::string_view url) {
  // White space, control characters and backslashes are read differently by different clients: never here.
  if (std::any_of(url.begin(), url.end(),
                  [](char c) { return static_cast<unsigned char>(c) <= 0x20 || c == '\\' || c == 0x7f; })) {
    return std::nullopt;
  }
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  const std::string scheme = lowered(url.substr(0, colon));
  if (scheme != "http" && scheme != "https") return std::nullopt;
  const std::string_view rest = url.substr(colon + 3);
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.find('@') != std::string_view::npos) return std::nullopt;
  const std::optional<Authority> parts = split_authority(authority);
  if (!parts) return std::nullopt;
  std::uint32_t port = scheme == "https" ? 443 : 80;
  if (!parts->port.empty()) {
    const char* end = parts->port.data() + parts->port.size();
    const auto [stop, error] = std::from_chars(parts->port.data(), end, port);
    if (error != std::errc{} || stop != end || port == 0 || port > 65535) return std::nullopt;
  }
  return scheme + "://" + parts->host + ":" + std::to_string(port);
}

bool host_allowed(std::string_view url, std::span<const std::string> approved) {
  const std::optional<std::string> origin = origin_of(url);
  if (!origin) return false;
  return std::any_of(approved.begin(), approved.end(), [&](const std::string& a) { return origin_of(a) == origin; });
}

std::optional<std::string> resolve_url(std::string_view base, std::string_view reference) {
  if (reference.empty()) return std::nullopt;
  if (origin_of(reference)) return std::string(reference);
  if (reference.find("://") != std::string_view::npos && reference.find("://") < reference.find_first_of("/?#")) {
    return std::nullopt;  // another scheme, or an address that origin_of refused
  }
  const std::size_t scheme_end = base.find("://");
  if (scheme_end == std::string_view::npos) return std::nullopt;
  std::string out;
  if (reference.substr(0, 2) == "//") {
    out = std::string(base.substr(0, scheme_end + 1)) + std::string(reference);
  } else {
    const std::size_t path = base.find_first_of("/?#", scheme_end + 3);
    if (reference.front() == '/') {
      out = std::string(base.substr(0, path)) + std::string(reference);
    } else if (reference.front() == '?') {
      out = std::string(base.substr(0, base.find_first_of("?#"))) + std::string(reference);
    } else {
      return std::nullopt;
    }
  }
  if (!origin_of(out)) return std::nullopt;
  return out;
}

}  // namespace isthmus::adapter
