#include "delivery/ended_body.h"

#include "base/json.h"

namespace isthmus::delivery {

std::string ended_body(const Item& item, const std::string& connection, std::string_view verdict,
                       const adapter::Outcome& outcome, int status) {
  JsonWriter w;
  w.begin_object().member("command", item.command.id.to_string()).member("connection", connection);
  w.member("verdict", verdict).member("attempts", item.attempts).member("http_status", status);
  w.member("remote_id", outcome.remote_id).member("remote_url", outcome.remote_url).member("reason", outcome.reason);
  w.member("operation", item.command.operation).member("format", item.command.body_format);
  w.key("body").raw(item.body.empty() ? "null" : item.body).end_object();
  return std::move(w).text();
}

}  // namespace isthmus::delivery
