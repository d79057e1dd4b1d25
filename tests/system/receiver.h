#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/guarded.h"
#include "http/server.h"

namespace isthmus::test {

/// A system or network on loopback that keeps what came to it, and answers as a test says. Threads: any.
class Receiver {
 public:
  using Script = std::function<http::Response(const http::Request&)>;

  /// Answers 204 to everything without a script.
  explicit Receiver(Script script = {});
  ~Receiver();

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  [[nodiscard]] std::string host() const { return "127.0.0.1:" + std::to_string(server_->port()); }
  [[nodiscard]] std::vector<http::Request> requests() const {
    return requests_.with([](const auto& all) { return all; });
  }
  /// Each lead that came, by its external id, with the idempotency keys (webhook-id) it came under.
  [[nodiscard]] std::map<std::string, std::set<std::string>> leads() const;
  [[nodiscard]] bool has_lead(const std::string& external_id) const { return leads().contains(external_id); }

 private:
  SystemClock clock_;
  Script script_;
  Guarded<std::vector<http::Request>> requests_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace isthmus::test
