#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace isthmus::http {

/// True only for a unicast address of the public Internet. Everything that the IANA special-purpose registries (RFC
/// 6890, as updated up to RFC 9637) mark as not globally reachable is refused, and so is every form that carries an
/// IPv4 address in an IPv6 one (mapped, compatible, NAT64, 6to4, Teredo), whatever the inner address: a translator
/// would unpack it. Families other than IPv4 and IPv6 are refused.
[[nodiscard]] bool is_public_address(const sockaddr* address, socklen_t length);
/// The same for a literal ("127.0.0.1", "::1", without brackets); false when it is not one.
[[nodiscard]] bool is_public_address(std::string_view literal);

/// Which hosts a request may reach at internal addresses: the approved hosts of a connection with `internal: allow`.
/// An empty policy reaches public addresses only.
struct GuardPolicy {
  std::vector<std::string> internal_hosts;  ///< "crm.example", "10.0.0.7", "[fd00::1]", each with an optional ":port"

  [[nodiscard]] bool allows_internal(std::string_view host, std::uint16_t port) const;
};

}  // namespace isthmus::http
