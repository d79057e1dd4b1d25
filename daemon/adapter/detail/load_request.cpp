#include <algorithm>

#include "adapter/detail/loader.h"

namespace isthmus::adapter::detail {

using expression::Expression;
using expression::Template;

Compile with_reply(const Compile& compile) {
  return compile.with({"$", "reply.status", "reply.headers", "reply.text", "failure", "error.code"});
}

std::optional<Template> read_template(MapReader& reader, std::string_view key, const Compile& compile) {
  const Node* node = reader.optional(key);
  return node == nullptr ? std::nullopt : compile_template(*node, reader.path_of(key), compile);
}

std::optional<Expression> read_condition(MapReader& reader, std::string_view key, const Compile& compile) {
  const Node* node = reader.optional(key);
  return node == nullptr ? std::nullopt : compile_expression(*node, reader.path_of(key), compile);
}

NamedTemplates read_templates(MapReader& reader, std::string_view key, const Compile& compile) {
  NamedTemplates out;
  for (const config::Entry& entry : reader.optional_entries(key)) {
    auto value = compile_template(entry.value, reader.path_of(key) + "." + entry.key, compile);
    if (value) out.emplace_back(entry.key, *std::move(value));
  }
  return out;
}

NamedValues read_values(MapReader& reader, std::string_view key, const Compile& compile) {
  NamedValues out;
  for (const config::Entry& entry : reader.optional_entries(key)) {
    ValuePlan value = ValueTemplate::compile(entry.value, reader.path_of(key) + "." + entry.key, compile);
    if (value) out.emplace_back(entry.key, std::move(value));
  }
  return out;
}

ValuePlan read_value(MapReader& reader, std::string_view key, const Compile& compile) {
  const Node* node = reader.optional(key);
  return node == nullptr ? nullptr : ValueTemplate::compile(*node, reader.path_of(key), compile);
}

std::vector<std::string> read_words(MapReader& reader, std::string_view key, Diagnostics& diagnostics) {
  std::vector<std::string> out;
  const Node* node = reader.optional(key);
  if (node == nullptr) return out;
  const std::string path = reader.path_of(key);
  if (node->kind != Node::Kind::sequence) {
    if (auto word = config::as_text(*node, path, diagnostics)) out.push_back(*std::move(word));
    return out;
  }
  for (const Node& item : node->items) {
    if (auto word = config::as_text(item, path, diagnostics)) out.push_back(*std::move(word));
  }
  return out;
}

namespace {

void read_target(MapReader& reader, const Compile& compile, RequestPlan& out) {
  const Node* node = reader.optional("request");
  if (node == nullptr) return;
  const std::optional<std::string> text = config::as_text(*node, reader.path_of("request"), compile.diagnostics);
  if (!text) return;
  const std::size_t space = text->find(' ');
  static const std::vector<std::string> kMethods{"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"};
  out.method = text->substr(0, space);
  if (space == std::string::npos || std::find(kMethods.begin(), kMethods.end(), out.method) == kMethods.end()) {
    reader.error("request", "descriptor.request",
                 "a request is a method and an address, like \"POST /api/v1/statuses\"; " +
                     config::accepted_words(out.method, kMethods));
    return;
  }
  expression::Origin place = origin(*node, reader.path_of("request"));
  place.column += static_cast<int>(space) + 1;
  out.target = Template::compile(text->substr(space + 1), place, {compile.library, compile.names}, compile.diagnostics);
}

std::vector<MultipartPart> read_parts(MapReader& reader, const Compile& compile) {
  std::vector<MultipartPart> out;
  for (const Node& item : reader.optional_list("multipart")) {
    MapReader part(item, reader.path_of("multipart"), compile.diagnostics);
    MultipartPart& p = out.emplace_back();
    p.name = part.required_text("name");
    p.text = read_template(part, "text", compile);
    p.blob = read_template(part, "blob", compile);
    p.content_type = read_template(part, "content_type", compile);
    p.filename = read_template(part, "filename", compile);
    if (p.text.has_value() == p.blob.has_value())
      part.error("name", "descriptor.multipart", "a part has either text or blob");
    part.finish();
  }
  return out;
}

}  // namespace

RequestPlan read_request(MapReader& reader, const Compile& compile, bool replay_safe) {
  RequestPlan out;
  read_target(reader, compile, out);
  out.query = read_values(reader, "query", compile);
  out.headers = read_templates(reader, "headers", compile);
  out.content_type = read_template(reader, "content_type", compile);
  int bodies = 0;
  const auto body = [&](RequestPlan::BodyKind kind) { out.body = kind, ++bodies; };
  if (reader.node().find("json") != nullptr) body(RequestPlan::BodyKind::json);
  if (reader.node().find("form") != nullptr) body(RequestPlan::BodyKind::form);
  if (reader.node().find("text") != nullptr) body(RequestPlan::BodyKind::text);
  if (reader.node().find("blob") != nullptr) body(RequestPlan::BodyKind::blob);
  if (reader.node().find("multipart") != nullptr) body(RequestPlan::BodyKind::multipart);
  if (bodies > 1)
    reader.error("request", "descriptor.request", "a request has one of json, form, text, blob, multipart");
  out.json = read_value(reader, "json", compile);
  out.form = read_values(reader, "form", compile);
  out.text = read_template(reader, "text", compile);
  if (auto blob = read_template(reader, "blob", compile)) out.text = std::move(blob);
  out.multipart = read_parts(reader, compile);
  const bool reads = out.method == "GET" || out.method == "HEAD";
  out.replay_safe = reader.optional_bool("replay_safe", reads || replay_safe);
  out.timeout_ms =
      static_cast<std::int32_t>(reader
                                    .optional_duration("timeout", std::chrono::milliseconds(0), std::chrono::minutes(2),
                                                       std::chrono::milliseconds(0))
                                    .count());
  return out;
}

namespace {

void read_conditions(MapReader& when, const Compile& compile, Rule& out) {
  out.statuses = read_words(when, "status", compile.diagnostics);
  for (const std::string& status : out.statuses) {
    const bool digits =
        status.size() == 3 && status[0] >= '1' && status[0] <= '5' &&
        (status.substr(1) == "xx" || (status[1] >= '0' && status[1] <= '9' && status[2] >= '0' && status[2] <= '9'));
    if (!digits) when.error("status", "descriptor.status", "a status is three digits like 429, or a class like 4xx");
  }
  out.codes = read_words(when, "code", compile.diagnostics);
  out.operations = read_words(when, "operation", compile.diagnostics);
  for (const std::string& word : read_words(when, "failure", compile.diagnostics)) {
    if (const auto loss = loss_from(word)) {
      out.losses.push_back(*loss);
    } else {
      static const std::vector<std::string> kLosses{"connect",    "tls",       "timeout_unsent",  "timeout_sent",
                                                    "reset_sent", "too_large", "refused_by_guard"};
      when.error("failure", "descriptor.failure", config::accepted_words(word, kLosses));
    }
  }
  out.condition = read_condition(when, "if", compile);
  when.finish();
}

void read_act(MapReader& rule, Rule& out) {
  int acts = 0;
  const std::string verdict = rule.optional_text("verdict");
  if (!verdict.empty()) {
    ++acts;
    static const std::vector<std::string> kVerdicts{"DELIVERED", "DUPLICATE",     "RETRY", "THROTTLED", "REAUTH",
                                                    "REJECTED",  "MISCONFIGURED", "GONE",  "AMBIGUOUS"};
    if (const auto known = verdict_from(verdict)) {
      out.verdict = *known;
    } else {
      rule.error("verdict", "descriptor.verdict", config::accepted_words(verdict, kVerdicts));
    }
  }
  if (rule.node().find("presence") != nullptr) {
    ++acts;
    out.act = Rule::Act::presence;
    out.presence = rule.optional_choice<Presence>(
        "presence", {{"found", Presence::found}, {"absent", Presence::absent}, {"unknown", Presence::unknown}},
        Presence::unknown);
  }
  out.go = rule.optional_text("go");
  if (!out.go.empty()) ++acts, out.act = Rule::Act::go;
  if (rule.optional_bool("skip", false)) ++acts, out.act = Rule::Act::skip;
  if (acts != 1) rule.error("when", "descriptor.rule", "a rule has exactly one of verdict, presence, go, skip");
}

}  // namespace

std::vector<Rule> read_rules(MapReader& reader, std::string_view key, const Compile& plain) {
  const Compile compile = with_reply(plain);
  std::vector<Rule> out;
  for (const Node& item : reader.optional_list(key)) {
    MapReader rule(item, reader.path_of(key) + "[" + std::to_string(out.size()) + "]", compile.diagnostics);
    Rule& r = out.emplace_back();
    if (!rule.is_map()) continue;
    if (auto when = rule.required_map("when")) read_conditions(*when, compile, r);
    read_act(rule, r);
    r.reason = read_template(rule, "reason", compile);
    r.not_before = read_template(rule, "not_before", compile);
    r.remote_id = read_template(rule, "remote_id", compile);
    r.remote_url = read_template(rule, "remote_url", compile);
    rule.finish();
  }
  return out;
}

std::vector<Rule> read_whens(MapReader& reader, std::string_view key, const Compile& plain) {
  const Compile compile = with_reply(plain);
  std::vector<Rule> out;
  for (const Node& item : reader.optional_list(key)) {
    MapReader when(item, reader.path_of(key) + "[" + std::to_string(out.size()) + "]", compile.diagnostics);
    Rule& rule = out.emplace_back();
    if (when.is_map()) read_conditions(when, compile, rule);
  }
  return out;
}

namespace {

Poll read_poll(MapReader& poll, const Compile& compile, const Compile& replied) {
  Poll out;
  out.start = read_condition(poll, "start", replied);
  out.request = read_request(poll, compile, true);
  out.pending = read_condition(poll, "pending", replied);
  out.every_ms = static_cast<std::int32_t>(
      poll.optional_duration("every", std::chrono::milliseconds(100), std::chrono::minutes(10), std::chrono::seconds(2))
          .count());
  out.times_max = static_cast<int>(poll.optional_int("times_max", 1, 30, 20));
  out.take = read_values(poll, "take", replied);
  if (!out.request.target) poll.error("request", "descriptor.poll", "a poll needs a request");
  if (!out.pending)
    poll.error("pending", "descriptor.poll", "a poll needs pending: a condition under which it asks again");
  poll.finish();
  return out;
}

/// The keys of a step; the caller calls finish(), because the map may be a whole operation.
StepPlan read_step(MapReader& step, const Compile& compile, bool replay_safe) {
  StepPlan out;
  out.name = step.optional_text("name");
  out.each = read_template(step, "each", compile);
  out.as = step.optional_text("as", "item");
  const Compile inner =
      out.each ? compile.with({out.as}) : Compile{compile.library, compile.names, compile.diagnostics};
  const Compile replied = with_reply(inner);
  out.condition = read_condition(step, "if", inner);
  RequestPlan request = read_request(step, inner, replay_safe);
  if (request.target) out.request = std::move(request);
  out.ok = read_words(step, "ok", compile.diagnostics);
  out.take = read_values(step, "take", replied);
  if (auto poll = step.optional_map("poll")) out.poll = read_poll(*poll, inner, replied);
  out.rules = read_rules(step, "errors", inner);
  if (!out.request) step.error("request", "descriptor.step", "a step needs a request");
  return out;
}

}  // namespace

std::vector<StepPlan> read_steps(MapReader& reader, const Compile& compile, bool replay_safe) {
  std::vector<StepPlan> out;
  if (reader.node().find("steps") == nullptr) {
    out.push_back(read_step(reader, compile, replay_safe));
    return out;
  }
  for (const Node& item : reader.required_list("steps")) {
    MapReader step(item, reader.path_of("steps") + "[" + std::to_string(out.size()) + "]", compile.diagnostics);
    if (!step.is_map()) continue;
    out.push_back(read_step(step, compile, replay_safe));
    step.finish();
  }
  return out;
}

void check_go_targets(const MapReader& at, const std::vector<StepPlan>& steps, Diagnostics& diagnostics) {
  std::vector<std::string> names;
  for (const StepPlan& step : steps) names.push_back(step.name);
  for (const StepPlan& step : steps) {
    for (const Rule& rule : step.rules) {
      if (rule.act != Rule::Act::go || std::find(names.begin(), names.end(), rule.go) != names.end()) continue;
      config::report(at.node(), "descriptor.go", at.path(), "go: no step is named \"" + rule.go + "\"", diagnostics);
    }
  }
}

}  // namespace isthmus::adapter::detail
