#include <algorithm>

#include "adapter/detail/reply_time.h"
#include "adapter/detail/run.h"
#include "adapter/detail/scopes.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Expression;
using expression::Template;
using expression::Value;

tl::unexpected<Error> poison(std::size_t record, const std::string& what) {
  return fail("adapter.poison", "record " + std::to_string(record) + ": " + what);
}

Result<std::string> required(const std::optional<Template>& text, std::string_view name, std::size_t record,
                             const expression::Scope& scope) {
  const expression::Outcome outcome = text->evaluate(scope);
  if (!outcome.ok()) return poison(record, std::string(name) + ": " + std::string(outcome.reason()));
  std::string out = outcome.value().to_text();
  if (out.empty()) return poison(record, std::string(name) + " is empty");
  return out;
}

Result<Event> make_event(const EventPlan& plan, std::size_t record, const expression::Scope& scope) {
  Event out;
  out.format = plan.format;
  Result<std::string> kind = required(plan.kind, "kind", record, scope);
  if (!kind) return fail(std::move(kind).error());
  Result<std::string> dedup = required(plan.dedup, "dedup", record, scope);
  if (!dedup) return fail(std::move(dedup).error());
  Result<std::string> order = required(plan.order_key, "order_key", record, scope);
  if (!order) return fail(std::move(order).error());
  out.kind = *std::move(kind);
  out.dedup_key = *std::move(dedup);
  out.order_key = *std::move(order);
  const expression::Outcome at = plan.at->evaluate(scope);
  const std::optional<std::int64_t> ms = at.ok() ? instant_ms(at.value()) : std::nullopt;
  if (!ms) return poison(record, "at is no instant");
  out.occurred_ms = *ms;
  const Built body = plan.body->build(scope);
  if (body.status != Built::Status::value) return poison(record, "body: " + body.reason);
  out.body = body.value.to_json();
  out.purposes = plan.purposes;
  if (plan.purposes_value) {
    const Built purposes = plan.purposes_value->build(scope);
    for (const Value& word : purposes.value.items()) {
      const std::string text = word.to_text();
      for (std::string_view known : {"engagement", "crm", "marketing", "analytics"}) {
        if (text == known) out.purposes.push_back(text);
      }
    }
  }
  return out;
}

/// The event of one record by the first plan whose condition holds; none when no plan is about it.
Result<std::optional<Event>> event_of(const std::vector<EventPlan>& plans, std::size_t index, Reading& reading) {
  for (const EventPlan& plan : plans) {
    expression::MapScope scope(&reading.scope());
    Value::Object let;
    for (const auto& [name, value] : plan.let) {
      Built built = value->build(scope);
      if (built.status == Built::Status::value) let.emplace_back(name, std::move(built.value));
      scope.set("let", Value::object(let));
    }
    if (plan.condition) {
      const Expression::Truth truth = plan.condition->test(scope);
      if (truth == Expression::Truth::failed) return poison(index, "the condition of an event could not be decided");
      if (truth == Expression::Truth::no) continue;
    }
    Result<Event> event = make_event(plan, index, scope);
    if (!event) return fail(std::move(event).error());
    return std::optional<Event>(*std::move(event));
  }
  return std::optional<Event>();
}

constexpr std::size_t kRecordsMax = 5000;

Result<std::vector<Event>> events_of(const std::vector<EventPlan>& plans, const std::optional<Template>& records,
                                     Reading& reading) {
  Value::List list;
  if (records) {
    const expression::Outcome outcome = records->evaluate(reading.scope());
    if (!outcome.ok()) return fail("adapter.poison", "no records: " + std::string(outcome.reason()));
    list = outcome.value().items();
  } else {
    list.push_back(reading.scope().lookup("$"));
  }
  if (list.size() > kRecordsMax)
    return fail("adapter.poison", "more than " + std::to_string(kRecordsMax) + " records in one call");
  std::vector<Event> out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    reading.scope().set("record", list[i]);
    reading.scope().set("index", Value::of(static_cast<std::int64_t>(i)));
    Result<std::optional<Event>> event = event_of(plans, i, reading);
    if (!event) return fail(std::move(event).error());
    if (*event) out.push_back(**std::move(event));
  }
  return out;
}

/// The call as a reply: parse() reads webhooks and polled replies alike.
bool set_call(const Descriptor& descriptor, const Context& context, const Call& call, Decode decode, Reading& reading) {
  reading.set_context(descriptor, context);
  reading.scope().set("now", Value::of(call.received_ms));
  const bool good = reading.set_reply(descriptor, {call.status, call.headers, call.body}, decode);
  reading.scope().set("headers", headers_value(call.headers));
  reading.scope().set("method", text_value(call.method));
  return good;
}

tl::unexpected<Error> unreadable(std::string_view what, const Bytes& body, Decode decode) {
  std::string reason = std::string(what) + " cannot be read";
  if (decode == Decode::json) {
    if (const auto document = expression::Document::parse(body); !document) reason += ": " + document.error().what;
  }
  return fail("adapter.poison", std::move(reason));
}

constexpr std::size_t kKeyShownMax = 40;  // a reason is a line

/// The first key that an object has twice, anywhere in the value: readers differ about which of the two counts.
std::optional<std::string> repeated_key(const Value& value) {
  std::vector<std::string_view> keys;
  for (const auto& member : value.members()) {
    keys.push_back(member.first);
    if (auto inside = repeated_key(member.second)) return inside;
  }
  std::sort(keys.begin(), keys.end());
  if (const auto twice = std::adjacent_find(keys.begin(), keys.end()); twice != keys.end()) return std::string(*twice);
  for (const Value& item : value.items()) {
    if (auto inside = repeated_key(item)) return inside;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<Event>> parse_call(const Descriptor& descriptor, const Context& context, const Call& call) {
  Reading reading;
  if (call.kind == "poll") {
    const auto stream = descriptor.streams.find(call.stream);
    if (stream == descriptor.streams.end()) {
      return fail("adapter.fault", descriptor.description.name + " has no stream " + call.stream);
    }
    if (call.status == 304) return std::vector<Event>{};
    if (!set_call(descriptor, context, call, stream->second.decode, reading))
      return unreadable("the reply", call.body, stream->second.decode);
    return events_of(stream->second.events, stream->second.records, reading);
  }
  if (!descriptor.webhook) return fail("adapter.fault", descriptor.description.name + " takes no webhooks");
  const Decode decode = descriptor.webhook->decode;
  if (!set_call(descriptor, context, call, decode, reading) || call.body.empty())
    return unreadable("the body", call.body, decode);
  if (const auto twice = repeated_key(reading.scope().lookup("$"))) {
    const std::string name = twice->size() <= kKeyShownMax ? " " + *twice : std::string();
    return fail("adapter.poison", "an object of the body has the key" + name + " twice");
  }
  return events_of(descriptor.webhook->events, descriptor.webhook->records, reading);
}

Result<Answer> answer_challenge(const Descriptor& descriptor, const Context& context, const Call& call) {
  Reading reading;
  if (descriptor.webhook) {
    (void)set_call(descriptor, context, call, Decode::json, reading);
    for (const WebhookPlan::Challenge& challenge : descriptor.webhook->challenges) {
      if (challenge.condition && challenge.condition->test(reading.scope()) != Expression::Truth::yes) continue;
      return Answer{
          challenge.status, {{"Content-Type", challenge.content_type}}, text_of(challenge.body, reading.scope())};
    }
  }
  return fail("adapter.no-challenge", "this call is no hand-shake of " + descriptor.description.name);
}

}  // namespace isthmus::adapter::detail
