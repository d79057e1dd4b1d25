#pragma once

#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "adapter/descriptor_adapter.h"
#include "base/bytes.h"
#include "base/check.h"
#include "expression/value.h"

/// What fuzz targets over adapters share: a shipped adapter, and what must hold of whatever it makes of any bytes.
namespace isthmus::fuzz {

inline constexpr std::int64_t kNowMs = 1'795'514'405'000;  // 2026-11-24T10:00:05Z

inline std::unique_ptr<adapter::DescriptorAdapter> shipped(const std::string& system) {
  Diagnostics mistakes;
  auto out =
      adapter::load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/" + system + "/descriptor.yaml", mistakes);
  ISTHMUS_CHECK(out != nullptr, "a shipped descriptor loads");
  return out;
}

inline bool has_text(const expression::Value& object, std::string_view name) {
  const auto text = object.get(name).as_text();
  return text && !text->empty();
}

/// An event can be keyed, ordered and archived, and its body is an ActivityStreams activity of a network without
/// anybody's consent.
inline void check_activity(const adapter::Event& event) {
  ISTHMUS_CHECK(!event.dedup_key.empty() && !event.kind.empty() && !event.order_key.empty(), "an event has its keys");
  ISTHMUS_CHECK(is_utf8(event.dedup_key) && is_utf8(event.order_key) && is_utf8(event.kind), "keys are text");
  ISTHMUS_CHECK(event.format == "activity/1", "a network gives activities");
  for (const std::string& purpose : event.purposes) {
    ISTHMUS_CHECK(purpose == "engagement" || purpose == "analytics", "no consent comes with a mention");
  }
  const Result<expression::Document> body = expression::Document::parse(event.body);
  ISTHMUS_CHECK(body.has_value(), "a body is JSON");
  const expression::Value root = body->root();
  ISTHMUS_CHECK(has_text(root, "type") && has_text(root, "id"), "an activity says what it is");
  ISTHMUS_CHECK(!root.get("published").is_null(), "an activity says when");
  ISTHMUS_CHECK(root.get("actor").is_object() && root.get("object").is_object(),
                "an activity has an actor and an object");
}

/// Parses one call twice: the same events, each sound, or poison; never anything else.
inline void check_parse(const adapter::Adapter& adapter, const adapter::Context& context, const adapter::Call& call) {
  const Result<std::vector<adapter::Event>> events = adapter.parse(context, call);
  const Result<std::vector<adapter::Event>> again = adapter.parse(context, call);
  ISTHMUS_CHECK(events.has_value() == again.has_value(), "the same call is read alike twice");
  if (!events) {
    ISTHMUS_CHECK(events.error().code == "adapter.poison", "what cannot be read is poison");
    return;
  }
  ISTHMUS_CHECK(events->size() == again->size(), "the same call gives as many events twice");
  for (std::size_t i = 0; i < events->size(); ++i) {
    ISTHMUS_CHECK((*events)[i].dedup_key == (*again)[i].dedup_key && (*events)[i].body == (*again)[i].body,
                  "and the same ones");
    check_activity((*events)[i]);
  }
}

inline adapter::Call polled(const std::string& stream, std::string_view body) {
  adapter::Call call;
  call.kind = "poll";
  call.stream = stream;
  call.status = 200;
  call.body = std::string(body);
  call.received_ms = kNowMs;
  return call;
}

inline adapter::Call delivered(std::string_view body) {
  adapter::Call call;
  call.kind = "webhook";
  call.method = "POST";
  call.body = std::string(body);
  call.received_ms = kNowMs;
  return call;
}

}  // namespace isthmus::fuzz
