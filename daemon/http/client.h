#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"
#include "http/guard.h"
#include "http/message.h"

namespace isthmus::http {

struct ClientRequest {
  std::string method = "GET";                         ///< a token, upper case
  std::string url{};                                  ///< http or https, no user name inside
  Headers headers{};                                  ///< Host, Content-Length and Connection are written by the client
  Bytes body{};                                       ///< multipart: see http/multipart.h
  std::chrono::milliseconds connect_timeout{10'000};  ///< name, connection and TLS
  std::chrono::milliseconds total_timeout{30'000};    ///< absolute, from send()
  std::size_t reply_bytes_max = 8 << 20;              ///< of the body
  GuardPolicy guard{};
};

struct ClientReply {
  int status = 0;
  Headers headers;
  Bytes body;  ///< content coding untouched; none is asked for
};

/// Why there is no reply. In those of the first group no byte of the request was sent.
enum class LossKind {
  bad_request,       ///< the request cannot be expressed: URL, scheme, method or header
  refused_by_guard,  ///< an internal address that the policy does not allow
  overloaded,        ///< requests_max of the client
  connect,           ///< name not found, connection refused or broken before the request
  tls,               ///< certificate or handshake refused
  timeout_unsent,
  cancelled_unsent,  ///< the client stopped

  // From here on bytes of the request may have been sent: whoever counts effects must look before sending again.
  timeout_sent,
  reset_sent,  ///< the connection ended, or the reply was not HTTP
  too_large,   ///< the reply was larger than reply_bytes_max (its status is known to have come)
  cancelled_sent,
};
[[nodiscard]] std::string_view to_string(LossKind kind);

struct Loss {
  LossKind kind = LossKind::connect;
  std::string what;  ///< for a person: host and reason, never the URL's path or query

  [[nodiscard]] bool maybe_sent() const { return kind >= LossKind::timeout_sent; }
};

using ClientResult = std::variant<ClientReply, Loss>;

/// A proxy for all requests but those to bypass_hosts. Nothing is taken from the environment.
struct Proxy {
  std::string url;                        ///< http://host:port; empty: none
  std::vector<std::string> bypass_hosts;  ///< "crm.example", or ".example" for all below it
};

/// An address to use for a host instead of asking the name service, as a line of /etc/hosts would say.
struct FixedAddress {
  std::string host;
  std::uint16_t port = 443;
  std::string address;  ///< a literal, or several separated by commas
};

struct ClientOptions {
  std::string user_agent = "isthmus";
  std::string extra_ca_file{};  ///< PEM, trusted beside the system's authorities; empty: none
  Proxy proxy{};
  std::vector<FixedAddress> fixed_addresses{};
  std::size_t requests_max = 10'000;    ///< accepted and not yet answered
  std::size_t connections_max = 1'000;  ///< at the same time; further requests wait, their timeouts running
  std::size_t connections_per_host_max = 64;
};

/// HTTP/1.1 calls to other systems, many at a time on one thread (libcurl's multi interface over epoll).
///
/// Every address is judged by the guard when it is connected to, so that a name which changes its answer gains nothing,
/// and again when an open connection is used anew. Redirects are replies like any other. A proxy's own address is the
/// administrator's choice and passes; behind it the guard judges literal addresses only, since the proxy finds names.
/// TLS certificates are always verified. A request other than GET or HEAD is never sent twice, not even when a
/// kept-alive connection broke under it.
///
/// Threads:   one of its own, on which all callbacks run: they must not block, nor throw. send() from any thread.
/// Ownership: owns its thread and connections. A callback is called exactly once for each send(), at the latest in
/// stop(). Errors:    open(): http.ca-file, http.proxy, http.client (no resources).
class Client {
 public:
  using Callback = std::function<void(ClientResult)>;

  static Result<std::unique_ptr<Client>> open(ClientOptions options);
  ~Client();  ///< stop()
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(ClientRequest request, Callback done);
  /// send() and wait, for tools and worker threads; bounded by total_timeout. Never on the client's own thread.
  [[nodiscard]] ClientResult call(ClientRequest request);

  /// Requests accepted and not yet answered.
  [[nodiscard]] std::size_t in_flight() const;
  /// Cancels what is in flight (its callbacks run), joins the thread. Idempotent; a later send() is answered
  /// cancelled_unsent on the caller's thread.
  void stop();

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace isthmus::http
