#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "base/clock.h"
#include "base/result.h"
#include "base/secret.h"
#include "http/message.h"

namespace isthmus::http {

/// The right to answer one request, once, from any thread, at once or later. Copies share the one answer; a second
/// answer is dropped. When the last copy goes without an answer, the request is answered with 500.
class Responder {
 public:
  /// Whoever serves requests makes one (the server, or a test of a handler): deliver is called exactly once, by the
  /// answering thread.
  explicit Responder(std::function<void(Response)> deliver);

  void operator()(Response response) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Called on an I/O thread, which serves other connections too: it must not block. Blocking work goes through a
/// WorkerPool. It must not throw.
using Handler = std::function<void(Request, Responder)>;

/// An address to bind: an IP literal, and a port, 0 for one that the system chooses.
struct TcpAddress {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
};
/// A socket in the file system. A left-over socket that nobody listens on is replaced; removed at stop().
struct UnixAddress {
  std::string path;
  unsigned mode = 0660;
};
/// A socket that listens already and that the service manager handed over; the server owns the descriptor from open()
/// on.
struct InheritedSocket {
  int descriptor = -1;
};

/// Certificate chain and key, PEM. TLS 1.2 and later.
struct ServerTls {
  std::string certificate_chain_pem;
  Secret private_key_pem;
};

struct ServerOptions {
  std::variant<TcpAddress, UnixAddress, InheritedSocket> address{};
  unsigned io_threads = 2;                  ///< 1 to 16
  std::size_t body_bytes_max = 1 << 20;     ///< larger: 413, unread
  std::size_t header_bytes_max = 16 << 10;  ///< request line and fields; larger: 431
  std::size_t connections_max = 10'000;     ///< one more: 503 and closed
  std::chrono::milliseconds header_deadline{
      10'000};  ///< absolute, from the first byte (or the connection) to the end of the fields: 408
  std::chrono::milliseconds body_deadline{
      30'000};  ///< absolute, from the end of the fields to the end of the body: 408
  std::chrono::milliseconds answer_deadline{60'000};  ///< absolute, from the whole request to the handler's answer: 503
  std::chrono::milliseconds write_deadline{30'000};   ///< absolute, for writing one answer: closed
  std::chrono::milliseconds idle_deadline{75'000};    ///< between requests: closed
  std::optional<ServerTls> tls{};
};

/// What happened since open(), for metrics.
struct ServerCounts {
  std::uint64_t connections_open = 0;
  std::uint64_t connections_accepted = 0;
  std::uint64_t connections_refused = 0;  ///< over connections_max
  std::uint64_t requests = 0;             ///< handed to the handler
  std::uint64_t requests_refused = 0;     ///< 400, 413, 431, 501, 505
  std::uint64_t deadlines_missed = 0;
};

/// One listener of HTTP/1.1 (RFC 9110, 9112), with keep-alive; pipelined requests are served in order, one at a time.
///
/// What two readers could take differently is refused: Content-Length twice or beside Transfer-Encoding, a coding other
/// than chunked, folded lines, bare CR or LF in the head, space before a colon, a missing or second Host. Deadlines are
/// absolute, so sending slowly does not extend them; they are looked at ten times a second.
///
/// Threads:   io_threads of its own, a loop each; a connection stays on its loop. All methods from any thread but the
/// I/O ones. Ownership: owns threads and sockets; the clock must outlive it. Responders may outlive it, and then do
/// nothing. Errors:    open(): http.listen (address taken, no permission), http.tls (certificate or key), http.options.
class Server {
 public:
  static Result<std::unique_ptr<Server>> open(ServerOptions options, const Clock& clock, Handler handler);
  ~Server();  ///< stop() without patience
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// The port bound; 0 for a Unix socket.
  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] ServerCounts counts() const;

  /// Accepts no more, closes idle connections and those without a whole head, lets the others finish until the
  /// deadline, then closes all and joins its threads. Idempotent.
  /// @return requests that were cut off.
  std::size_t stop(std::chrono::milliseconds patience);

 private:
  struct Impl;
  explicit Server(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace isthmus::http
