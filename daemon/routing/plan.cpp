#include "routing/plan.h"

#include <algorithm>

#include "base/crypto.h"
#include "base/json.h"
#include "expression/scope.h"

namespace isthmus::routing {
namespace {

archive::Kind kind_of(const adapter::Event& event) {
  if (event.format == "activity/1") return archive::Kind::message_received;
  if (event.format == "lead/1") return archive::Kind::lead_received;
  if (event.format == "metric/1") return archive::Kind::metric_received;
  return archive::Kind::exchange_received;
}

std::string record_body(const adapter::Event& event) {
  JsonWriter w;
  w.begin_object().member("kind", event.kind).member("dedup_key", event.dedup_key).member("order_key", event.order_key);
  w.member("occurred_ms", event.occurred_ms).member("format", event.format).key("purposes").begin_array();
  for (const std::string& purpose : event.purposes) w.value(purpose);
  w.end_array().key("body").raw(event.body).end_object();
  return std::move(w).text();
}

std::string decision_body(const journal::DecisionRow& row, const std::string& target) {
  JsonWriter w;
  w.begin_object()
      .member("id", row.id.to_string())
      .member("effect", row.effect)
      .member("rule", row.rule)
      .member("pack", row.pack);
  w.member("version", row.pack_version).member("reason", row.reason).member("target", target);
  if (row.command) w.member("command", row.command->to_string());
  if (!row.held_for.empty()) w.member("held_for", row.held_for);
  w.end_object();
  return std::move(w).text();
}

std::string command_body(const PlannedCommand& planned, const std::string& target) {
  JsonWriter w;
  w.begin_object().member("command", planned.command.id.to_string()).member("target", target);
  w.member("verb", adapter::to_string(planned.command.verb)).member("operation", planned.command.operation);
  w.member("format", planned.command.body_format).key("body").raw(planned.body).end_object();
  return std::move(w).text();
}

std::string terms_of(const identity::Connection& source) { return "the terms of " + source.adapter; }

constexpr std::string_view kUnmapped = "+unmapped";
bool is_unmapped(const journal::NewCommand& command) { return command.body_format.ends_with(kUnmapped); }

const adapter::OperationSpec* find_operation(const adapter::Adapter& adapter, const std::string& name) {
  for (const adapter::OperationSpec& operation : adapter.describe().operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

}  // namespace

Bytes Planner::event_key(const identity::Connection& source, const adapter::Event& event) const {
  return crypto::hmac_sha256(key_.reveal(), "event/" + source.uuid.to_string() + "/" + event.dedup_key);
}

EventPlan Planner::plan(const identity::World& world, const identity::Connection& source, adapter::Event event,
                        Instant now) {
  EventPlan plan;
  plan.event = std::move(event);
  plan.connection = &source;
  plan.key = event_key(source, plan.event);
  plan.record = Uuid::random(random_);
  archive::RecordDraft draft{kind_of(plan.event), source.uuid, 0, now, record_body(plan.event), plan.record};
  plan.entries.push_back({std::move(draft), source.id, source.unit});
  for (const identity::Route& route : world.snapshot->routes_from(source.id)) {
    if (route.kinds.contains(plan.event.kind)) follow(world, route, plan, now);
  }
  return plan;
}

void Planner::follow(const identity::World& world, const identity::Route& route, EventPlan& plan, Instant now) {
  const identity::Connection* target = world.snapshot->connection(route.target);
  if (target == nullptr) return;
  const adapter::Adapter* adapter = world.adapter_of(target->id);
  const mapping::Mapping* map = find_mapping_(route.mapping);
  const adapter::OperationSpec* operation = adapter == nullptr ? nullptr : find_operation(*adapter, route.operation);
  if (map == nullptr || operation == nullptr) {
    const auto why = world.suspended.find(target->id);
    return refuse(route.name, *target, "route.broken",
                  map == nullptr                 ? "the mapping " + route.mapping + " is not installed"
                  : why != world.suspended.end() ? "the target is suspended: " + why->second
                                                 : "the target cannot " + route.operation,
                  plan, now);
  }
  if (map->from() != plan.event.format) {
    return refuse(route.name, *target, "route.format",
                  "the mapping reads " + std::string(map->from()) + ", the event is " + plan.event.format, plan, now);
  }
  auto purposes = mapping::Purposes::from(plan.event.purposes);
  if (!purposes) return refuse(route.name, *target, "purposes.unknown", purposes.error().what, plan, now);
  expression::Value::Object fields;
  for (const auto& [name, value] : target->fields) fields.emplace_back(name, expression::Value::borrowed(value));
  expression::MapScope more;
  more.set("connection", expression::Value::object(std::move(fields)));
  more.set("task", expression::Value::object({{"now", expression::Value::of(to_ms(now))}}));
  auto result = map->apply(workspace_, plan.event.body, mapping::Terms{*purposes, {}}, more);
  if (auto* mapped = std::get_if<mapping::Mapped>(&result)) {
    return decide(world, route, *target, *operation, map->to(), std::move(mapped->body), mapped->purposes.names(), plan,
                  now);
  }
  if (auto* denied = std::get_if<mapping::Denied>(&result)) {
    return refuse(route.name, *target, "purposes." + (operation->purpose.empty() ? "none" : operation->purpose),
                  terms_of(*plan.connection) + ": " + denied->field + ": " + denied->reason, plan, now);
  }
  if (auto* held = std::get_if<mapping::Held>(&result)) return hold(route, *target, *operation, *held, plan, now);
  const auto& rejected = std::get<mapping::Rejected>(result);
  refuse(route.name, *target, "mapping.rejected", rejected.field + ": " + rejected.reason, plan, now);
}

// What waited is judged as it stands: mapped again when it never was, else with the body and the purposes it has.
EventPlan Planner::plan_again(const identity::World& world, const journal::Parked& parked,
                              std::vector<std::string> released, Instant now) {
  const journal::NewCommand& command = parked.command;
  EventPlan plan;
  plan.again = &command;
  plan.released = std::move(released);
  plan.event.purposes = command.purposes;
  plan.event.body = parked.body;
  const identity::Connection& target = *world.snapshot->connection(command.connection);
  const auto& routes = world.snapshot->routes();
  const auto route =
      std::find_if(routes.begin(), routes.end(), [&](const identity::Route& one) { return one.name == command.route; });
  plan.connection = route == routes.end() ? nullptr : world.snapshot->connection(route->source);
  if (plan.connection == nullptr) {
    refuse(command.route, target, "route.gone", "the route or its source was removed", plan, now);
  } else if (route->target != command.connection || route->operation != command.operation) {
    refuse(command.route, target, "route.changed", "the route goes elsewhere now, or does something else", plan, now);
  } else if (is_unmapped(command)) {
    plan.event.format = command.body_format.substr(0, command.body_format.size() - kUnmapped.size());
    follow(world, *route, plan, now);
  } else {
    const adapter::Adapter* adapter = world.adapter_of(target.id);
    const adapter::OperationSpec* operation =
        adapter == nullptr ? nullptr : find_operation(*adapter, command.operation);
    if (operation == nullptr) {
      const auto why = world.suspended.find(target.id);
      refuse(command.route, target, "route.broken",
             why != world.suspended.end() ? "the target is suspended: " + why->second
                                          : "the target cannot " + command.operation,
             plan, now);
    } else {
      decide(world, *route, target, *operation, command.body_format, parked.body, command.purposes, plan, now);
    }
  }
  plan.again = nullptr;  // it was the caller's, for the time of this call
  return plan;
}

void Planner::decide(const identity::World& world, const identity::Route& route, const identity::Connection& target,
                     const adapter::OperationSpec& operation, std::string_view format, std::string body,
                     const std::vector<std::string>& purposes, EventPlan& plan, Instant now) {
  auto document = expression::Document::parse(body);
  if (!document) return refuse(route.name, target, "mapping.rejected", "the mapping made no JSON", plan, now);
  const std::vector<policy::Text> texts = policy::content_texts(format, document->root());
  const std::string unit = world.snapshot->unit_name(target.unit);
  const std::string source_unit = world.snapshot->unit_name(plan.connection->unit);
  const std::string terms = terms_of(*plan.connection);
  policy::Request request;
  request.principal = {"", "route", source_unit, {}};
  request.action = operation.verb == adapter::Verb::track ? "track" : "deliver";
  request.resource.connection = target.name;
  request.resource.adapter = target.adapter;
  request.resource.unit = unit;
  request.resource.operation = operation.name;
  request.resource.format = format;
  request.resource.purpose = operation.purpose;
  request.resource.purposes = purposes;
  request.resource.terms = terms;
  request.resource.texts = texts;
  request.resource.body = document->root();
  request.released = plan.released;
  const policy::Decision decision = packs_()->decide(request);

  PlannedCommand planned = command_of(route, target, operation, plan);
  const journal::NewCommand& command = planned.command;
  planned.command.purposes = purposes;
  planned.command.body_format = format;
  planned.body = std::move(body);

  journal::DecisionRow row;
  row.id = command.decision;
  row.command = command.id;
  row.connection = target.id;
  row.effect = static_cast<int>(decision.effect) + 1;
  row.rule = decision.rule;
  row.pack = decision.pack;
  row.pack_version = decision.pack_version;
  row.reason = decision.reason_en;
  row.held_for = decision.held_for;
  if (decision.match) row.span = {decision.match->begin, decision.match->end};
  if (decision.effect == policy::Effect::hold) {
    planned.held_for = decision.held_for;
    planned.reason = decision.reason_en;
  }
  add_decision(plan, std::move(row), target, now);
  if (decision.effect == policy::Effect::forbid) return;
  // Judged again, its text is in the archive already, unless it was mapped only now.
  const bool known = plan.again != nullptr && (!is_unmapped(*plan.again) || planned.held_for);
  if (known) return plan.commands.push_back(std::move(planned));
  plan.entries.push_back(
      {{archive::Kind::command_made, target.uuid, 0, now, command_body(planned, target.name), std::nullopt},
       target.id,
       target.unit});
  plan.commands.push_back(std::move(planned));
}

PlannedCommand Planner::command_of(const identity::Route& route, const identity::Connection& target,
                                   const adapter::OperationSpec& operation, const EventPlan& plan) const {
  PlannedCommand planned;
  journal::NewCommand& command = planned.command;
  if (plan.again != nullptr) {
    command = *plan.again;
    command.decision = Uuid::random(random_);
    return planned;
  }
  command.route = route.name;
  command.id = journal::command_id(
      key_, {plan.connection->uuid.bytes(), plan.event.dedup_key, route.name, target.uuid.bytes(), operation.name});
  command.lane = target.lane;
  command.connection = target.id;
  command.verb = operation.verb;
  command.operation = operation.name;
  command.order_key = crypto::hmac_sha256(key_.reveal(), "order/" + plan.event.order_key);
  command.decision = Uuid::random(random_);
  return planned;
}

// The event waits as it came, under the command's own id: its format says that it is not mapped yet, so nothing can
// send it as it is, and a person sees everything that the mapping saw. Nothing of it may leave before it is mapped and
// decided.
void Planner::hold(const identity::Route& route, const identity::Connection& target,
                   const adapter::OperationSpec& operation, const mapping::Held& held, EventPlan& plan, Instant now) {
  PlannedCommand planned = command_of(route, target, operation, plan);
  planned.command.purposes = plan.event.purposes;
  planned.command.body_format = plan.event.format + std::string(kUnmapped);
  planned.body = plan.event.body;
  planned.held_for = "mapping";
  planned.reason = "route " + route.name + ", mapping " + route.mapping + ": " +
                   (held.field.empty() ? "" : held.field + ": ") + held.reason;
  journal::DecisionRow row;
  row.id = planned.command.decision;
  row.command = planned.command.id;
  row.connection = target.id;
  row.effect = 3;
  row.rule = "mapping.held";
  row.pack = "built-in";
  row.pack_version = "1";
  row.reason = planned.reason;
  row.held_for = *planned.held_for;
  add_decision(plan, std::move(row), target, now);
  if (plan.again == nullptr) {
    plan.entries.push_back(
        {{archive::Kind::command_made, target.uuid, 0, now, command_body(planned, target.name), std::nullopt},
         target.id,
         target.unit});
  }
  plan.commands.push_back(std::move(planned));
}

void Planner::refuse(const std::string& route, const identity::Connection& target, const std::string& rule,
                     const std::string& reason, EventPlan& plan, Instant now) {
  journal::DecisionRow row;
  row.id = Uuid::random(random_);
  if (plan.again != nullptr) row.command = plan.again->id;
  row.connection = target.id;
  row.effect = 4;
  row.rule = rule;
  row.pack = "built-in";
  row.pack_version = "1";
  row.reason = "route " + route + ": " + reason;
  add_decision(plan, std::move(row), target, now);
}

void Planner::add_decision(EventPlan& plan, journal::DecisionRow row, const identity::Connection& target, Instant now) {
  plan.entries.push_back(
      {{archive::Kind::decision_made, target.uuid, 0, now, decision_body(row, target.name), std::nullopt},
       target.id,
       target.unit});
  plan.decisions.push_back(std::move(row));
}

}  // namespace isthmus::routing
