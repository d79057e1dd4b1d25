#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "http/standard_webhooks.h"
#include "system/bridge.h"
#include "system/receiver.h"

namespace isthmus::test {

inline constexpr const char* kSecret = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=";

/// One webhook as a sender of the company's contact forms makes it; each part may be made wrong afterwards.
struct Hook {
  std::string target = "/in/forms";
  std::string id;
  std::string body;
  http::Headers headers;  ///< the three of Standard Webhooks

  /// A lead of this external id, signed over its bytes now.
  static Hook lead(const std::string& external_id) {
    return signed_over("hook-" + external_id, lead_json(external_id));
  }
  /// Any bytes, signed.
  static Hook signed_over(const std::string& id, const std::string& body, std::chrono::seconds ago = {});
  static std::string lead_json(const std::string& external_id, const std::string& message = "Bonjour");
  [[nodiscard]] std::string bytes() const;
};

/// Status and body of the answer to one webhook; status 0: none came.
Socket::Reply send(std::uint16_t port, const Hook& hook);
/// The same over an open connection; nothing when it is no longer open.
std::optional<Socket::Reply> send(Socket& socket, const Hook& hook);

/// The company: leads of its contact forms go to a CRM. Both are connections of the real daemon; what takes the leads
/// is the test's own receiver.
class FormsCompany {
 public:
  explicit FormsCompany(Bridge::Options options = {}, Receiver::Script crm_script = {});

  /// The apply file, with more connections and routes at its end.
  [[nodiscard]] std::string administration(const std::string& more_connections = {},
                                           const std::string& more_routes = {}) const;
  /// Starts the daemon, applies, seals. Fatal failures end the test.
  void open(const std::string& more_connections = {}, const std::string& more_routes = {});
  /// Sends a good lead, which must be accepted, and waits until the CRM has it: neighbours flow.
  void expect_flow(const std::string& external_id);
  /// Nothing is on its way any more, both books add up, and the archive convinces its verifier.
  void expect_settled();

  Receiver crm;
  Bridge bridge;
};

}  // namespace isthmus::test
