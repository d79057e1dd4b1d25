// What a node says of itself: probes, metrics, the answer of `isthmus status`.
#include "parts.h"

#include "base/json.h"

namespace isthmus::detail {

http::Response NodeParts::probe(const std::string& path) const {
  if (path == "/healthz") return http::json_response(health->late().empty() ? 200 : 503, health->liveness_json());
  if (path == "/readyz") return http::json_response(health->ready() ? 200 : 503, health->readiness_json());
  http::Response response = http::text_response(200, metrics.render() + ops::render_process_metrics());
  response.headers.set("Content-Type", std::string(ops::kMetricsContentType));
  return response;
}

std::string NodeParts::status() const {
  JsonWriter w;
  w.begin_object().member("version", ISTHMUS_VERSION).member("node", settings.node).member("ready", health->ready());
  w.member("public_port", static_cast<std::int64_t>(public_server ? public_server->port() : 0));
  w.member("house_port", static_cast<std::int64_t>(house_server ? house_server->port() : 0))
      .member("lanes", lanes->owned());
  w.key("connections").begin_array();
  const auto world = directory->current();
  for (const auto& [id, connection] : world->snapshot->connections()) {
    const auto why = world->suspended.find(id);
    w.begin_object().member("name", connection.name).member("adapter", connection.adapter);
    w.member("state", why == world->suspended.end() ? "active" : "suspended")
        .member("reason", why == world->suspended.end() ? "" : why->second)
        .end_object();
  }
  w.end_array().key("programs").begin_array();
  const auto away = programs_away.with([](const auto& all) { return all; });
  for (const adapter::Adapter* one : registry->all()) {
    if (!one->is_program()) continue;
    const auto why = away.find(one->describe().name);
    w.begin_object().member("adapter", one->describe().name);
    w.member("state", why == away.end() ? "up" : "away")
        .member("reason", why == away.end() ? "" : why->second)
        .end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

}  // namespace isthmus::detail
