#include "adapter/detail/golden_case.h"

#include <algorithm>

#include "adapter/detail/reply_time.h"
#include "config/reader.h"

namespace isthmus::adapter::detail {
namespace {

using config::MapReader;
using config::Node;
using expression::Value;

constexpr std::int64_t kNowMs = 1'800'000'000'000;  // where a file says none

Attrs attrs_of(MapReader& reader, std::string_view key) {
  Attrs out;
  for (const config::Entry& entry : reader.optional_entries(key)) out[entry.key] = plain_value(entry.value).to_text();
  return out;
}

std::int64_t instant_of(MapReader& reader, std::string_view key, std::int64_t fallback) {
  const Node* node = reader.optional(key);
  if (node == nullptr) return fallback;
  const auto ms = instant_ms(plain_value(*node));
  if (!ms) reader.error(key, "golden.instant", "an instant is RFC 3339 or milliseconds since 1970");
  return ms.value_or(fallback);
}

std::string body_of(MapReader& reader) {
  const Node* json = reader.optional("json");
  const Node* text = reader.optional("text");
  if (json != nullptr) return plain_value(*json).to_json();
  return text == nullptr ? std::string() : text->text;
}

void read_send(MapReader& step, GoldenExchange& out) {
  std::optional<MapReader> send = step.required_map("send");
  if (!send) return;
  out.line = send->node().line;
  out.method = send->required_text("method");
  out.url = send->required_text("url");
  out.headers = attrs_of(*send, "headers");
  if (const Node* json = send->optional("json")) out.json = plain_value(*json);
  if (send->node().find("form") != nullptr) out.form = attrs_of(*send, "form");
  if (const Node* text = send->optional("text")) out.text = text->text;
  if (const Node* blob = send->optional("blob")) out.blob = blob->text;
  if (send->node().find("multipart") != nullptr) {
    out.multipart.emplace();
    for (const Node& item : send->optional_list("multipart")) {
      auto& part = out.multipart->emplace_back();
      for (const config::Entry& entry : item.entries) part[entry.key] = plain_value(entry.value).to_text();
    }
  }
  out.object = send->optional_text("object");
  send->finish();
}

HttpReply read_reply(MapReader& reply) {
  HttpReply out;
  out.status = static_cast<std::int32_t>(reply.required_int("status", 100, 599));
  for (const auto& [name, value] : attrs_of(reply, "headers")) out.headers.push_back({name, value});
  out.body = body_of(reply);
  reply.finish();
  return out;
}

void read_exchange(MapReader& reader, GoldenCase& out, Diagnostics& diagnostics) {
  for (const Node& item : reader.optional_list("exchange")) {
    MapReader step(item, reader.path_of("exchange") + "[" + std::to_string(out.exchange.size()) + "]", diagnostics);
    if (!step.is_map()) continue;
    GoldenExchange& exchange = out.exchange.emplace_back();
    exchange.waits_before = step.optional_bool("after_wait", false);
    read_send(step, exchange);
    const std::string lost = step.optional_text("lost");
    if (!lost.empty()) {
      const auto loss = loss_from(lost);
      if (!loss) step.error("lost", "golden.loss", "no way of losing a reply is called " + lost);
      exchange.reply = loss.value_or(Loss::timeout_sent);
    } else if (auto reply = step.required_map("reply")) {
      exchange.reply = read_reply(*reply);
    }
    step.finish();
  }
}

Media read_media(const Node& node, Diagnostics& diagnostics) {
  MapReader reader(node, "media", diagnostics);
  Media out;
  out.blob = reader.required_text("blob");
  out.mime = reader.required_text("mime");
  out.bytes = reader.optional_int("bytes", 0, std::int64_t{1} << 40, 0);
  out.alt_text = reader.optional_text("alt");
  reader.finish();
  return out;
}

/// operation, command: {id, remote_id}, input, media; one command of a delivery.
Command read_command(MapReader& reader, const std::string& operation, const Adapter& adapter,
                     Diagnostics& diagnostics) {
  Command out;
  out.operation = operation;
  for (const OperationSpec& spec : adapter.describe().operations) {
    if (spec.name != operation) continue;
    out.verb = spec.verb;
    out.format = spec.format;
  }
  if (out.format.empty()) reader.error("operation", "golden.operation", "the adapter has no operation " + operation);
  out.id = reader.optional_text("id", "00000000-0000-8000-8000-000000000001");
  out.remote_id = reader.optional_text("remote_id");
  const Node* input = reader.optional("input");
  out.body = input == nullptr ? "{}" : plain_value(*input).to_json();
  for (const Node& item : reader.optional_list("media")) out.media.push_back(read_media(item, diagnostics));
  return out;
}

void read_call(MapReader& webhook, GoldenCase& out) {
  out.call.kind = "webhook";
  out.call.method = webhook.optional_text("method", "POST");
  for (const auto& [name, value] : attrs_of(webhook, "headers")) out.call.headers.push_back({name, value});
  out.call.body = body_of(webhook);
  out.call.received_ms = out.context.now_ms;
  webhook.finish();
}

void read_secrets(MapReader& given, GoldenCase& out) {
  for (auto& [name, value] : attrs_of(given, "secrets")) out.secrets.emplace(name, Secret(value));
  for (auto& [name, value] : attrs_of(given, "tokens")) out.session.tokens.emplace(name, Secret(value));
}

void read_given(MapReader& given, GoldenCase& out, const Adapter& adapter, Diagnostics& diagnostics) {
  using Kind = GoldenCase::Kind;
  const std::string operation = given.optional_text("operation");
  const std::string reconcile = given.optional_text("reconcile");
  const std::string validate = given.optional_text("validate");
  const std::string collect = given.optional_text("collect");
  read_secrets(given, out);
  if (!collect.empty()) {
    out.kind = Kind::collect;
    out.collect.stream = collect;
    const Node* cursor = given.optional("cursor");
    if (cursor != nullptr) out.collect.cursor = plain_value(*cursor).to_json();
    out.collect.limit = static_cast<std::int32_t>(given.optional_int("limit", 1, 1000, 50));
  } else if (auto webhook = given.optional_map("webhook")) {
    out.kind = Kind::webhook;
    read_call(*webhook, out);
  } else if (given.optional_bool("login", false)) {
    out.kind = Kind::login;
  } else if (given.optional_bool("refresh", false)) {
    out.kind = Kind::refresh;
  } else if (given.optional_bool("check", false)) {
    out.kind = Kind::check;
  } else if (given.optional_bool("facts", false)) {
    out.kind = Kind::check;
    out.check = kCheckFacts;
  } else if (given.node().find("commands") != nullptr) {
    for (const Node& item : given.optional_list("commands")) {
      MapReader command(item, "commands", diagnostics);
      out.commands.push_back(read_command(command, operation, adapter, diagnostics));
      command.finish();
    }
  } else {
    out.kind = !reconcile.empty() ? Kind::reconcile : !validate.empty() ? Kind::validate : Kind::deliver;
    out.commands.push_back(read_command(given, operation + reconcile + validate, adapter, diagnostics));
    out.sent_after_ms = instant_of(given, "sent_after", 0);
  }
  given.finish();
}

void check_fate(MapReader& reader, const std::string& fate) {
  static const std::vector<std::string> kFates{"", "success", "throttled", "token_expired", "refused", "reply_lost"};
  if (std::find(kFates.begin(), kFates.end(), fate) == kFates.end()) {
    reader.error("fate", "golden.fate", config::accepted_words(fate, kFates));
  }
}

/// Where the vendor says so: a page and the day it was read, of the case or of the file.
void check_source(MapReader& reader, bool required) {
  std::optional<MapReader> source = required ? reader.required_map("source") : reader.optional_map("source");
  if (!source) return;
  (void)source->required_text("page");
  const std::string date = source->required_text("date");
  if (date.size() != 10 || date[4] != '-' || date[7] != '-')
    source->error("date", "golden.source", "a date is written 2026-11-24");
  (void)source->optional_text("says");
  source->finish();
}

GoldenCase read_case(MapReader& reader, const Context& context, bool source_given, const Adapter& adapter,
                     Diagnostics& diagnostics) {
  GoldenCase out;
  out.line = reader.node().line;
  out.file = reader.node().file ? *reader.node().file : "";
  out.name = reader.required_text("name");
  out.fate = reader.optional_text("fate");
  check_fate(reader, out.fate);
  check_source(reader, !source_given);
  out.context = context;
  out.context.now_ms = instant_of(reader, "now", context.now_ms);
  out.context.attempt = static_cast<std::int32_t>(reader.optional_int("attempt", 1, 1000, 1));
  for (auto& [name, value] : attrs_of(reader, "connection")) out.context.connection[name] = value;
  for (auto& [name, value] : attrs_of(reader, "auth")) out.context.auth[name] = value;
  if (const Node* facts = reader.optional("facts")) out.context.facts_json = plain_value(*facts).to_json();
  if (auto given = reader.required_map("given")) read_given(*given, out, adapter, diagnostics);
  read_exchange(reader, out, diagnostics);
  out.expected = &reader.node();
  bool any = false;
  for (std::string_view key : {"outcome", "outcomes", "page", "sighting", "events", "problems", "session", "report",
                               "session_refused", "poison"}) {
    any = reader.optional(key) != nullptr || any;
  }
  if (!any)
    reader.error("name", "golden.expects-nothing",
                 "a case says what comes of it: outcome, page, sighting, events, ...");
  reader.finish();
  return out;
}

}  // namespace

Value plain_value(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return Value();
    case Node::Kind::sequence: {
      Value::List items;
      for (const Node& item : node.items) items.push_back(plain_value(item));
      return Value::list(std::move(items));
    }
    case Node::Kind::map: {
      Value::Object members;
      for (const config::Entry& entry : node.entries) members.emplace_back(entry.key, plain_value(entry.value));
      return Value::object(std::move(members));
    }
    case Node::Kind::scalar:
      break;
  }
  if (node.quoted) return Value::text(node.text);
  if (node.text == "null" || node.text == "~") return Value();
  if (node.text == "true" || node.text == "false") return Value::of(node.text == "true");
  const bool negative = node.text.starts_with('-');
  const std::string digits = node.text.substr(negative ? 1 : 0);
  const bool whole = !digits.empty() && digits.size() < 17 &&
                     std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (!whole || (digits.size() > 1 && digits[0] == '0')) return Value::text(node.text);
  return Value::of(static_cast<std::int64_t>(std::stoll(node.text)));
}

std::vector<std::filesystem::path> golden_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::optional<CommandFile> read_command_file(const std::filesystem::path& path, const Adapter& adapter,
                                             Diagnostics& diagnostics) {
  const std::optional<Node> tree = config::read_yaml_file(path, diagnostics);
  if (!tree) return std::nullopt;
  MapReader reader(*tree, "", diagnostics);
  if (!reader.is_map()) return std::nullopt;
  CommandFile out;
  out.context.connection = attrs_of(reader, "connection");
  out.context.auth = attrs_of(reader, "auth");
  if (const Node* facts = reader.optional("facts")) out.context.facts_json = plain_value(*facts).to_json();
  out.context.now_ms = instant_of(reader, "now", kNowMs);
  out.command = read_command(reader, reader.required_text("operation"), adapter, diagnostics);
  for (const Node& item : reader.optional_list("replies")) {
    MapReader reply(item, "replies[" + std::to_string(out.replies.size()) + "]", diagnostics);
    if (reply.is_map()) out.replies.push_back(read_reply(reply));
  }
  reader.finish();
  if (diagnostics.has_errors()) return std::nullopt;
  return out;
}

std::unique_ptr<GoldenFile> read_golden(const std::filesystem::path& path, const Adapter& adapter,
                                        Diagnostics& diagnostics) {
  std::optional<Node> tree = config::read_yaml_file(path, diagnostics);
  if (!tree) return nullptr;
  auto out = std::make_unique<GoldenFile>();
  out->tree = *std::move(tree);
  MapReader reader(out->tree, "", diagnostics);
  if (!reader.is_map()) return nullptr;
  Context context;
  context.connection = attrs_of(reader, "connection");
  context.auth = attrs_of(reader, "auth");
  context.now_ms = instant_of(reader, "now", kNowMs);
  const bool source = reader.node().find("source") != nullptr;
  check_source(reader, false);
  for (const Node& item : reader.optional_list("cases")) {
    MapReader one(item, "cases[" + std::to_string(out->cases.size()) + "]", diagnostics);
    if (one.is_map()) out->cases.push_back(read_case(one, context, source, adapter, diagnostics));
  }
  for (const config::Entry& entry : reader.optional_entries("impossible")) {
    check_fate(reader, entry.key);
    if (entry.value.text.size() < 20)
      reader.error("impossible", "golden.impossible", "say in a sentence why " + entry.key + " cannot be");
    out->impossible[entry.key] = entry.value.text;
  }
  reader.finish();
  return out;
}

}  // namespace isthmus::adapter::detail
