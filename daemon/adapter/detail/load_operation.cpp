#include <algorithm>

#include "adapter/detail/formats.h"
#include "adapter/detail/loader.h"

namespace isthmus::adapter::detail {
namespace {

std::int64_t window_ms(MapReader& op) {
  return op
      .optional_duration("idempotency_window", std::chrono::milliseconds(0), std::chrono::hours(24 * 400),
                         std::chrono::milliseconds(0))
      .count();
}

}  // namespace

void read_spec(MapReader& op, const std::string& name, OperationSpec& spec) {
  spec.name = name;
  const std::string verb = op.required_text("verb");
  static const std::vector<std::string> kVerbs{"PUBLISH", "REPLY",  "EDIT",  "REMOVE", "HIDE",
                                               "REACT",   "UPSERT", "TRACK", "CALL"};
  if (const auto known = verb_from(verb)) {
    spec.verb = *known;
  } else if (!verb.empty()) {
    op.error("verb", "descriptor.verb", config::accepted_words(verb, kVerbs));
  }
  spec.format = op.required_text("input");
  const std::vector<std::string> formats = known_formats();
  if (!spec.format.empty() && std::find(formats.begin(), formats.end(), spec.format) == formats.end()) {
    op.error("input", "descriptor.format", config::accepted_words(spec.format, formats));
  }
  static const std::vector<std::string> kPurposes{"", "engagement", "crm", "marketing", "analytics"};
  spec.purpose = op.optional_text("purpose");
  if (std::find(kPurposes.begin(), kPurposes.end(), spec.purpose) == kPurposes.end()) {
    op.error("purpose", "descriptor.purpose", config::accepted_words(spec.purpose, kPurposes));
  }
  spec.replay_safe = op.optional_bool("replay_safe", false);
  spec.idempotency_window_ms = window_ms(op);
}

namespace {

/// Every name that some `take` below this node gives, so that taken.x is checked like any other path.
void collect_taken(const Node& node, std::vector<std::string>& out) {
  for (const config::Entry& entry : node.entries) {
    if (entry.key == "take") {
      for (const config::Entry& taken : entry.value.entries) out.push_back("taken." + taken.key);
    }
    collect_taken(entry.value, out);
  }
  for (const Node& item : node.items) collect_taken(item, out);
}

/// `like: other` takes every key of the other operation that this one does not have itself.
Node merged(const Node& own, const Node& base) {
  Node out = own;
  for (const config::Entry& entry : base.entries) {
    if (own.find(entry.key) == nullptr) out.entries.push_back(entry);
  }
  std::erase_if(out.entries, [](const config::Entry& e) { return e.key == "like"; });
  return out;
}

Compile names_of(const Compile& compile, const Node& node, const std::string& format) {
  std::vector<std::string> names = format_paths(format, "input");
  for (std::string_view name : {"command.id", "command.verb", "command.operation", "command.remote_id",
                                "command.not_after_ms", "media.blob", "media.mime", "media.bytes", "media.alt"}) {
    names.emplace_back(name);
  }
  collect_taken(node, names);
  if (node.find("batch") != nullptr) {
    names.emplace_back("commands.id");
    for (const std::string& path : format_paths(format, "commands.input")) names.push_back(path);
  }
  if (const Node* let = node.find("let")) {
    for (const config::Entry& entry : let->entries) names.push_back("let." + entry.key);
  }
  return compile.with(std::move(names));
}

Batch read_batch(MapReader& batch, const Compile& compile) {
  Batch out;
  out.max = static_cast<int>(batch.optional_int("max", 2, 1000, 100));
  const Compile replied = with_reply(compile);
  const Compile item = replied.with({"item"});
  out.items = read_value(batch, "items", replied);
  out.by_order = batch.optional_choice<bool>("order", {{"same", true}, {"matched", false}}, true);
  out.match = read_template(batch, "match", item);
  out.key = read_template(batch, "key", compile);
  out.ok = read_condition(batch, "ok", item);
  out.remote_id = read_template(batch, "remote_id", item);
  out.code = read_template(batch, "code", item);
  out.reason = read_template(batch, "reason", item);
  out.rules = read_rules(batch, "errors", item);
  if (!out.items)
    batch.error("items", "descriptor.batch", "a batch needs items: where the reply has one result a command");
  if (!out.ok) batch.error("ok", "descriptor.batch", "a batch needs ok: a condition on item");
  if (!out.by_order && !out.match) batch.error("match", "descriptor.batch", "order: matched needs match");
  batch.finish();
  return out;
}

ReconcilePlan read_reconcile(MapReader& reader, const Compile& plain) {
  ReconcilePlan out;
  const Compile compile = plain.with({"sent_after"});
  out.steps = read_steps(reader, compile, true);
  const Compile replied = with_reply(compile);
  out.found = read_condition(reader, "found", replied);
  out.remote_id = read_template(reader, "remote_id", replied);
  out.remote_url = read_template(reader, "remote_url", replied);
  if (!out.found) reader.error("found", "descriptor.reconcile", "reconcile needs found: a condition on what was read");
  check_go_targets(reader, out.steps, compile.diagnostics);
  reader.finish();
  return out;
}

/// The longest that one request of the steps may take.
std::int32_t longest(const std::vector<StepPlan>& steps, std::int32_t usual_ms) {
  const auto of = [&](const RequestPlan& plan) { return plan.timeout_ms > 0 ? plan.timeout_ms : usual_ms; };
  std::int32_t out = 0;
  for (const StepPlan& step : steps) {
    if (step.request) out = std::max(out, of(*step.request));
    if (step.poll) out = std::max(out, of(step.poll->request));
  }
  return out;
}

OperationPlan read_operation(MapReader& op, const std::string& name, const Compile& plain, std::int32_t usual_ms) {
  OperationPlan out;
  read_spec(op, name, out.spec);
  const Compile compile = names_of(plain, op.node(), out.spec.format);
  if (auto batch = op.optional_map("batch")) {
    out.batch = read_batch(*batch, compile);
    out.spec.batch_max = out.batch->max;
  }
  out.let = read_values(op, "let", compile);
  out.steps = read_steps(op, compile, out.spec.replay_safe);
  if (out.batch && out.steps.size() != 1) op.error("batch", "descriptor.batch", "a batch has one step");
  out.spec.timeout_ms = longest(out.steps, usual_ms);
  out.remote_id = read_template(op, "remote_id", with_reply(compile));
  out.remote_url = read_template(op, "remote_url", with_reply(compile));
  out.duplicate = read_condition(op, "duplicate", with_reply(compile));
  out.text = read_template(op, "counted_text", compile);
  for (const config::Entry& entry : op.optional_entries("require")) {
    auto condition = compile_expression(entry.value, op.path_of("require") + "." + entry.key, compile);
    if (condition) out.require.emplace_back(entry.key, *std::move(condition));
  }
  if (auto reconcile = op.optional_map("reconcile")) out.reconcile = read_reconcile(*reconcile, compile);
  out.spec.reconcilable = out.reconcile.has_value();
  check_go_targets(op, out.steps, compile.diagnostics);
  op.finish();
  return out;
}

}  // namespace

void read_operations(MapReader& reader, const Compile& compile, Descriptor& out) {
  const std::span<const config::Entry> entries = reader.optional_entries("operations");
  for (const config::Entry& entry : entries) {
    const std::string path = reader.path_of("operations") + "." + entry.key;
    Node node = entry.value;
    if (const Node* like = node.find("like")) {
      const auto base =
          std::find_if(entries.begin(), entries.end(), [&](const config::Entry& e) { return e.key == like->text; });
      if (base == entries.end() || base->value.find("like") != nullptr) {
        config::report(*like, "descriptor.like", path + ".like", "like names another operation, one without like",
                       compile.diagnostics);
        continue;
      }
      node = merged(node, base->value);
    }
    MapReader op(node, path, compile.diagnostics);
    if (!op.is_map()) continue;
    out.operations.emplace(entry.key, read_operation(op, entry.key, compile, out.timeout_ms));
    out.description.operations.push_back(out.operations.at(entry.key).spec);
  }
}

}  // namespace isthmus::adapter::detail
