#pragma once

#include <functional>
#include <string>

#include "http/message.h"
#include "identity/directory.h"
#include "journal/keys.h"
#include "publishing/publisher.h"
#include "store/pool.h"

namespace isthmus::api {

/// The house door: /api/v1 for people and machines with a bearer key, and the probes /healthz, /readyz, /metrics.
/// interfaces/openapi.yaml describes the routes; errors are application/problem+json.
///
/// Threads:   handle() from the workers of its pool; blocks on the database.
/// Ownership: borrows everything it is given.
class House {
 public:
  struct Parts {
    store::Pool& pool;
    journal::Keys& keys;
    const identity::Directory& directory;
    publishing::Publisher& publisher;
    /// Status and body of a probe ("/healthz", "/readyz", "/metrics").
    std::function<http::Response(const std::string& path)> probe;
  };
  explicit House(Parts parts) : parts_(std::move(parts)) {}

  [[nodiscard]] http::Response handle(const http::Request& request);

 private:
  using Query = std::map<std::string, std::string>;
  http::Response route(const identity::Principal& who, const http::Request& request,
                       const std::vector<std::string>& path);
  http::Response get(const identity::Principal& who, const std::vector<std::string>& path, const Query& query);
  http::Response post_media(const http::Request& request);
  http::Response post_post(const identity::Principal& who, const http::Request& request);
  http::Response post_review(const identity::Principal& who, const http::Request& request, const std::string& post,
                             const std::string& act);
  http::Response post_track(const identity::Principal& who, const http::Request& request);
  http::Response show_post(const std::string& id, int status);

  Parts parts_;
};

}  // namespace isthmus::api
