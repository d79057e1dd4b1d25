#pragma once

#include <map>
#include <memory>
#include <string>

#include "adapter/contract.h"
#include "base/secret.h"

namespace isthmus::adapter {

/// Secrets of a connection by the descriptor's name ("password", "webhook_secret").
using Secrets = std::map<std::string, Secret, std::less<>>;

/// What a login gave. The host seals the tokens, and hands kept to the adapter as Context::auth.
struct Session {
  Secrets tokens;               ///< "access", "refresh", ...
  Attrs kept;                   ///< no secret
  std::int64_t expires_ms = 0;  ///< 0: not told
};

/// The outcome of a login or refresh.
struct Login {
  Verdict verdict =
      Verdict::retry;  ///< delivered: session is set; reauth: a person must act; throttled or retry: later
  Session session;
  std::int64_t not_before_ms = 0;  ///< 0 = none
  std::string reason;              ///< no token, no body
};

namespace detail {
struct AuthPlan;
}

/// How requests of one adapter are authenticated: the part of a descriptor that only the host runs, because it alone
/// has secrets.
///
///     if (a.has_session() && no session yet)  login_request -> send -> parse_login
///     apply(request) -> send -> reply; if session_refused(reply), once: refresh_request (or login_request) ->
///     parse_login -> send again
///
/// Threads:   immutable, any thread. Ownership: owned by its adapter.
/// Errors:    auth.secret-missing (a secret the connection lacks: a person acts), auth.cannot-apply (a value that does
/// not fit).
class Authenticator {
 public:
  explicit Authenticator(std::shared_ptr<const detail::AuthPlan> plan);
  ~Authenticator();

  /// Something must be asked from the network before the first request: login_request().
  [[nodiscard]] bool has_session() const;
  [[nodiscard]] bool has_refresh() const;

  [[nodiscard]] Result<HttpRequest> login_request(const Context& context, const Secrets& secrets) const;
  [[nodiscard]] Result<HttpRequest> refresh_request(const Context& context, const Secrets& secrets,
                                                    const Session& session) const;
  /// Reads the reply to either. A refresh that brings no new refresh token keeps the old one; no empty token ever
  /// replaces one.
  [[nodiscard]] Login parse_login(const Context& context, const HttpReply& reply, const Session& before) const;

  /// The reply says that the session is no longer good: refresh or log in, then send the same request once more.
  [[nodiscard]] bool session_refused(const HttpReply& reply) const;

  /// The request with what authenticates it. Overwrites a header of the same name.
  [[nodiscard]] Result<HttpRequest> apply(HttpRequest request, const Context& context, const Secrets& secrets,
                                          const Session& session) const;

 private:
  std::shared_ptr<const detail::AuthPlan> plan_;
};

}  // namespace isthmus::adapter
