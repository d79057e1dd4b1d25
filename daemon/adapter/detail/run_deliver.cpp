#include <algorithm>

#include "adapter/detail/render.h"
#include "adapter/detail/run.h"
#include "adapter/detail/run_steps.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Expression;
using expression::Value;

Outcome outcome_of(const std::string& command, const Fate& fate) {
  Outcome out;
  out.command_id = command;
  out.verdict = fate.verdict;
  out.remote_id = fate.remote_id;
  out.remote_url = fate.remote_url;
  out.not_before_ms = fate.not_before_ms;
  out.reason = fate.reason;
  return out;
}

Outcome rejected(const std::string& command, const std::string& reason) {
  Outcome out;
  out.command_id = command;
  out.verdict = Verdict::rejected;
  out.reason = "no request can be built: " + reason;
  return out;
}

Step done(std::vector<Outcome> outcomes) { return {Done(std::move(outcomes)), {}}; }

/// The request or wait, with the state that belongs to it.
Result<Step> going_on(std::variant<HttpRequest, Wait, Done> move, const RunState& state) {
  Step out{std::move(move), state.to_bytes()};
  if (out.state.size() > kStateBytesMax) {
    return fail("adapter.poison",
                "what the replies gave does not fit the task's state of " + std::to_string(kStateBytesMax) + " bytes");
  }
  return out;
}

Result<const OperationPlan*> operation_of(const Descriptor& descriptor, const std::string& name) {
  const auto found = descriptor.operations.find(name);
  if (found == descriptor.operations.end()) {
    return fail("adapter.fault", descriptor.description.name + " has no operation " + name);
  }
  return &found->second;
}

Outcome delivered(const OperationPlan& op, const Command& command, Reading& reading) {
  Outcome out;
  out.command_id = command.id;
  out.verdict = Verdict::delivered;
  if (op.duplicate && op.duplicate->test(reading.scope()) == Expression::Truth::yes) out.verdict = Verdict::duplicate;
  out.remote_id = text_of(op.remote_id, reading.scope());
  out.remote_url = text_of(op.remote_url, reading.scope());
  return out;
}

Result<Step> deliver_one(const Descriptor& descriptor, const OperationPlan& op, const Context& context,
                         const Command& command, const Bytes& state, const Input& input) {
  Result<RunState> before = RunState::from_bytes(state);
  if (!before) return fail(std::move(before).error());
  Reading reading;
  reading.set_context(descriptor, context);
  reading.set_command(command);
  StepRun run(descriptor, op.steps, op.let, op.spec.name, context.now_ms, reading, *std::move(before));
  StepRun::Move move = run.advance(input);
  if (auto* request = std::get_if<HttpRequest>(&move)) return going_on(std::move(*request), run.state());
  if (auto* wait = std::get_if<Wait>(&move)) return going_on(std::move(*wait), run.state());
  if (std::holds_alternative<StepRun::Finished>(move)) return done({delivered(op, command, reading)});
  if (const auto* stuck = std::get_if<StepRun::Unbuildable>(&move)) return done({rejected(command.id, stuck->reason)});
  return done({outcome_of(command.id, std::get<Fate>(move))});
}

// ---- batches: one request for many commands, one result each

Value item_for(const Batch& batch, const std::vector<Value>& items, const Command& command, std::size_t position,
               Reading& reading) {
  if (batch.by_order) return position < items.size() ? items[position] : Value();
  expression::MapScope own(&reading.scope());
  own.set("input", reading.parse(command.body));
  own.set("command", Value::object({{"id", Value::text(command.id)}}));
  const std::string key = batch.key ? text_of(batch.key, own) : command.id;
  for (const Value& item : items) {
    expression::MapScope scope(&reading.scope());
    scope.set("item", item);
    if (text_of(batch.match, scope) == key) return item;
  }
  return {};
}

Outcome item_outcome(const Batch& batch, const HttpReply& reply, const Command& command, const Value& item,
                     bool replay_safe, Reading& reading) {
  Outcome out;
  out.command_id = command.id;
  if (item.is_null()) {
    out.verdict = replay_safe ? Verdict::retry : Verdict::ambiguous;
    out.reason = "the reply has no result for this record";
    return out;
  }
  expression::MapScope scope(&reading.scope());
  scope.set("item", item);
  if (batch.ok->test(scope) == Expression::Truth::yes) {
    out.verdict = Verdict::delivered;
    out.remote_id = text_of(batch.remote_id, scope);
    return out;
  }
  const std::string code = text_of(batch.code, scope);
  out = outcome_of(command.id, classify_item(batch.rules, reply.status, code, scope));
  if (out.reason.empty()) out.reason = code + ": " + text_of(batch.reason, scope);
  return out;
}

/// What a batch sends, and the commands that it leaves out because no request can be built from them.
struct Sorted {
  std::vector<Command> sent;
  std::vector<Outcome> refused;
  std::optional<HttpRequest> request;  ///< of sent; absent when nothing is left
};

Rendered render_batch(const Descriptor& descriptor, const OperationPlan& op, const Context& context,
                      const std::vector<Command>& commands) {
  Reading reading;
  reading.set_context(descriptor, context);
  reading.set_commands(commands);
  reading.set_let(op.let);
  return render(*op.steps.front().request, descriptor, reading.scope());
}

/// One command that lacks a field must not hold up its neighbours. Worked out anew when the reply comes: nothing is
/// kept, and the same commands are sorted alike.
Sorted sort_out(const Descriptor& descriptor, const OperationPlan& op, const Context& context,
                const std::vector<Command>& commands) {
  Sorted out;
  Rendered whole = render_batch(descriptor, op, context, commands);
  if (whole.request) return {commands, {}, std::move(whole.request)};
  for (const Command& command : commands) {
    const Rendered alone = render_batch(descriptor, op, context, {command});
    if (alone.request) {
      out.sent.push_back(command);
    } else {
      out.refused.push_back(rejected(command.id, alone.reason));
    }
  }
  if (out.sent.empty()) return out;
  whole = render_batch(descriptor, op, context, out.sent);
  out.request = std::move(whole.request);
  if (out.request) return out;
  for (const Command& command : out.sent) out.refused.push_back(rejected(command.id, whole.reason));
  out.sent.clear();
  return out;
}

Result<Step> deliver_batch(const Descriptor& descriptor, const OperationPlan& op, const Context& context,
                           const std::vector<Command>& all_commands, const Input& input) {
  Sorted sorted = sort_out(descriptor, op, context, all_commands);
  const std::vector<Command>& commands = sorted.sent;
  std::vector<Outcome> outcomes = std::move(sorted.refused);
  if (!sorted.request) return done(std::move(outcomes));
  if (std::holds_alternative<First>(input) || std::holds_alternative<Waited>(input)) {
    return going_on(*std::move(sorted.request), RunState{});
  }
  Reading reading;
  reading.set_context(descriptor, context);
  reading.set_commands(commands);
  reading.set_let(op.let);
  const StepPlan& step = op.steps.front();
  const bool safe = step.request->replay_safe;
  const auto all = [&](const Fate& fate) {
    for (const Command& command : commands) outcomes.push_back(outcome_of(command.id, fate));
    return done(std::move(outcomes));
  };
  if (const auto* loss = std::get_if<Loss>(&input)) {
    reading.set_failure(*loss);
    return all(classify(descriptor, {&step.rules, &step.ok, op.spec.name, safe}, *loss, reading.scope()));
  }
  const HttpReply& reply = std::get<HttpReply>(input);
  const bool readable = reading.set_reply(descriptor, reply);
  const Fate fate =
      classify(descriptor, {&step.rules, &step.ok, op.spec.name, safe}, reply, context.now_ms, reading.scope());
  if (fate.kind != Fate::Kind::success) return all(fate);
  const Built items = op.batch->items->build(reading.scope());
  if (!readable || items.status != Built::Status::value) {
    Fate unread;
    unread.verdict = safe ? Verdict::retry : Verdict::ambiguous;
    unread.reason = "accepted, but the reply cannot be read";
    return all(unread);
  }
  const std::vector<Value> list = items.value.items();
  for (std::size_t i = 0; i < commands.size(); ++i) {
    const Value item = item_for(*op.batch, list, commands[i], i, reading);
    outcomes.push_back(item_outcome(*op.batch, reply, commands[i], item, safe, reading));
  }
  return done(std::move(outcomes));
}

}  // namespace

Result<Step> advance_deliver(const Descriptor& descriptor, const Context& context, const Deliver& task,
                             const Bytes& state, const Input& input) {
  if (task.commands.empty()) return fail("adapter.fault", "a delivery without a command");
  const Result<const OperationPlan*> op = operation_of(descriptor, task.commands.front().operation);
  if (!op) return fail(op.error());
  const OperationPlan& plan = **op;
  for (const Command& command : task.commands) {
    if (command.operation != plan.spec.name) return fail("adapter.fault", "a delivery holds commands of one operation");
  }
  if (task.commands.size() > static_cast<std::size_t>(plan.spec.batch_max)) {
    return fail("adapter.fault",
                plan.spec.name + " takes " + std::to_string(plan.spec.batch_max) + " commands at most");
  }
  if (plan.batch) return deliver_batch(descriptor, plan, context, task.commands, input);
  return deliver_one(descriptor, plan, context, task.commands.front(), state, input);
}

namespace {

/// By so much a network's clock may be behind ours when a look compares its times with that of the first send.
constexpr std::int64_t kClockSkewMs = 60000;

Step sighted(Presence presence, std::string id = {}, std::string url = {}) {
  return {Done(Sighting{presence, std::move(id), std::move(url)}), {}};
}

/// A look that failed for a passing reason is repeated; one that the network refuses tells nothing, and a person
/// decides.
Step looked(const Command& command, const Fate& fate) {
  if (fate.kind == Fate::Kind::presence) return sighted(fate.presence, fate.remote_id, fate.remote_url);
  switch (fate.verdict) {
    case Verdict::delivered:
    case Verdict::duplicate:
      return sighted(Presence::found, fate.remote_id, fate.remote_url);
    case Verdict::retry:
    case Verdict::throttled:
    case Verdict::reauth:
    case Verdict::misconfigured:
      return done({outcome_of(command.id, fate)});
    case Verdict::rejected:
    case Verdict::gone:
    case Verdict::ambiguous:
      break;
  }
  return sighted(Presence::unknown);
}

}  // namespace

Result<Step> advance_reconcile(const Descriptor& descriptor, const Context& context, const Reconcile& task,
                               const Bytes& state, const Input& input) {
  const Result<const OperationPlan*> op = operation_of(descriptor, task.command.operation);
  if (!op) return fail(op.error());
  const OperationPlan& plan = **op;
  if (!plan.reconcile) return sighted(Presence::unknown);
  Result<RunState> before = RunState::from_bytes(state);
  if (!before) return fail(std::move(before).error());
  Reading reading;
  reading.set_context(descriptor, context);
  reading.set_command(task.command);
  reading.scope().set("sent_after", Value::of(std::max<std::int64_t>(0, task.sent_after_ms - kClockSkewMs)));
  StepRun run(descriptor, plan.reconcile->steps, plan.let, plan.spec.name, context.now_ms, reading, *std::move(before));
  StepRun::Move move = run.advance(input);
  if (auto* request = std::get_if<HttpRequest>(&move)) return going_on(std::move(*request), run.state());
  if (auto* wait = std::get_if<Wait>(&move)) return going_on(std::move(*wait), run.state());
  if (const auto* fate = std::get_if<Fate>(&move)) return looked(task.command, *fate);
  if (std::holds_alternative<StepRun::Unbuildable>(move)) return sighted(Presence::unknown);
  switch (plan.reconcile->found->test(reading.scope())) {
    case Expression::Truth::yes:
      return sighted(Presence::found, text_of(plan.reconcile->remote_id, reading.scope()),
                     text_of(plan.reconcile->remote_url, reading.scope()));
    case Expression::Truth::no:
      return sighted(Presence::absent);
    case Expression::Truth::failed:
      break;
  }
  return sighted(Presence::unknown);
}

}  // namespace isthmus::adapter::detail
