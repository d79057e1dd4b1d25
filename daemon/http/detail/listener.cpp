#include "http/detail/listener.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace isthmus::http::detail {
namespace {

/// Closes unless released.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

tl::unexpected<Error> failure(const std::string& what) {
  return fail("http.listen", "listen on " + what + ": " + std::strerror(errno));
}

std::uint16_t port_of(const sockaddr_storage& address) {
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    return ntohs(in.sin_port);
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    return ntohs(in.sin6_port);
  }
  return 0;
}

Result<Listener> finish(Descriptor socket, const std::string& what) {
  if (::listen(socket.get(), SOMAXCONN) != 0) return failure(what);
  sockaddr_storage bound{};
  socklen_t length = sizeof(bound);
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&bound), &length) != 0) return failure(what);
  return Listener{socket.release(), port_of(bound)};
}

Result<Listener> open_tcp(const TcpAddress& address) {
  const std::string what = address.host + " port " + std::to_string(address.port);
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  v4.sin_family = AF_INET;
  v4.sin_port = htons(address.port);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(address.port);
  const bool is_v4 = ::inet_pton(AF_INET, address.host.c_str(), &v4.sin_addr) == 1;
  if (!is_v4 && ::inet_pton(AF_INET6, address.host.c_str(), &v6.sin6_addr) != 1) {
    return fail("http.listen", "listen on " + what + ": not an IP address",
                "give a literal address, such as 127.0.0.1 or ::");
  }
  Descriptor socket(::socket(is_v4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return failure(what);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));  // else a restart waits for TIME_WAIT
  const auto* where = is_v4 ? reinterpret_cast<const sockaddr*>(&v4) : reinterpret_cast<const sockaddr*>(&v6);
  if (::bind(socket.get(), where, is_v4 ? sizeof(v4) : sizeof(v6)) != 0) return failure(what);
  return finish(Descriptor(socket.release()), what);
}

/// True when a socket of this name is there and nobody listens on it.
bool is_left_over(const sockaddr_un& address) {
  struct stat status {};
  if (::stat(address.sun_path, &status) != 0 || !S_ISSOCK(status.st_mode)) return false;
  const Descriptor probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  return ::connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) != 0 &&
         errno == ECONNREFUSED;
}

Result<Listener> open_unix(const UnixAddress& address) {
  sockaddr_un where{};
  where.sun_family = AF_UNIX;
  if (address.path.empty() || address.path.size() >= sizeof(where.sun_path)) {
    return fail("http.listen", "listen on " + address.path + ": a socket's path has 1 to 107 bytes");
  }
  std::memcpy(where.sun_path, address.path.data(), address.path.size());
  if (is_left_over(where)) ::unlink(where.sun_path);
  Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (socket.get() < 0) return failure(address.path);
  // Before bind, so that the name never exists with a wider mode (unix(7)); after it, because the umask narrowed it.
  if (::fchmod(socket.get(), static_cast<mode_t>(address.mode)) != 0) return failure(address.path);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&where), sizeof(where)) != 0) return failure(address.path);
  if (::chmod(where.sun_path, static_cast<mode_t>(address.mode)) != 0) return failure(address.path);
  return finish(Descriptor(socket.release()), address.path);
}

Result<Listener> open_inherited(const InheritedSocket& inherited) {
  const std::string what = "the inherited descriptor " + std::to_string(inherited.descriptor);
  int listening = 0;
  socklen_t length = sizeof(listening);
  if (::getsockopt(inherited.descriptor, SOL_SOCKET, SO_ACCEPTCONN, &listening, &length) != 0) return failure(what);
  if (listening == 0) return fail("http.listen", "listen on " + what + ": it is not a listening socket");
  Descriptor socket(inherited.descriptor);
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) != 0 ||
      ::fcntl(socket.get(), F_SETFD, FD_CLOEXEC) != 0) {
    return failure(what);
  }
  return finish(Descriptor(socket.release()), what);
}

std::string text_of(const sockaddr_storage& address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  if (address.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof(in));
    return ::inet_ntop(AF_INET, &in.sin_addr, text.data(), text.size());
  }
  if (address.ss_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof(in));
    return ::inet_ntop(AF_INET6, &in.sin6_addr, text.data(), text.size());
  }
  return "unix";
}

}  // namespace

Result<Listener> open_listener(const std::variant<TcpAddress, UnixAddress, InheritedSocket>& address) {
  if (const auto* tcp = std::get_if<TcpAddress>(&address)) return open_tcp(*tcp);
  if (const auto* local = std::get_if<UnixAddress>(&address)) return open_unix(*local);
  return open_inherited(std::get<InheritedSocket>(address));
}

Accepted accept_next(int listener) {
  sockaddr_storage peer{};
  socklen_t length = sizeof(peer);
  const int fd = ::accept4(listener, reinterpret_cast<sockaddr*>(&peer), &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    const bool full = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    const bool none = errno == EAGAIN || errno == EWOULDBLOCK;
    using Outcome = Accepted::Outcome;
    return {full ? Outcome::no_descriptors : none ? Outcome::none_waiting : Outcome::failed, -1, {}};
  }
  if (peer.ss_family != AF_UNIX) {
    const int on = 1;
    ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  }
  return {Accepted::Outcome::taken, fd, text_of(peer)};
}

}  // namespace isthmus::http::detail
