#include "adapter/detail/scopes.h"

#include <algorithm>

#include "adapter/detail/feed.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Outcome;
using expression::Value;

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Value media_value(const Media& media) {
  Value::Object out{
      {"blob", Value::text(media.blob)}, {"mime", Value::text(media.mime)}, {"bytes", Value::of(media.bytes)}};
  if (!media.alt_text.empty()) out.emplace_back("alt", Value::text(media.alt_text));
  return Value::object(std::move(out));
}

}  // namespace

Value text_value(std::string_view text) { return is_utf8(text) ? Value::text(std::string(text)) : Value::text(""); }

Value attrs_value(const Attrs& attrs) {
  Value::Object out;
  for (const auto& [name, value] : attrs) out.emplace_back(name, text_value(value));
  return Value::object(std::move(out));
}

Value headers_value(const std::vector<Header>& headers) {
  Value::Object out;
  for (const Header& header : headers) {
    const std::string name = lowered(header.name);
    const bool known = std::any_of(out.begin(), out.end(), [&](const auto& m) { return m.first == name; });
    if (!known && is_utf8(name)) out.emplace_back(name, text_value(header.value));
  }
  return Value::object(std::move(out));
}

std::string text_of(const std::optional<expression::Template>& text, const expression::Scope& scope) {
  if (!text) return {};
  const Outcome outcome = text->evaluate(scope);
  return outcome.ok() ? outcome.value().to_text() : std::string();
}

Value Reading::parse(std::string_view json, bool* good) {
  Result<expression::Document> document = expression::Document::parse(json);
  if (good != nullptr) *good = document.has_value();
  if (!document) return {};
  documents_.push_back(std::move(*document));
  return documents_.back().root();
}

Value Reading::keep(Bytes text) {
  texts_.push_back(std::move(text));
  return Value::borrowed(texts_.back());
}

void Reading::set_context(const Descriptor& descriptor, const Context& context) {
  Attrs fields = context.connection;
  for (const FieldSpec& field : descriptor.description.fields) {
    if (!field.default_value.empty()) fields.emplace(field.name, field.default_value);
    if (field.type == "secret") fields.erase(field.name);  // a secret never gets here, whatever the host hands over
  }
  scope_.set("connection", attrs_value(fields));
  scope_.set("auth", attrs_value(context.auth));
  scope_.set("facts", context.facts_json.empty() ? Value() : parse(context.facts_json));
  scope_.set("now", Value::of(context.now_ms));
  scope_.set("attempt", Value::of(static_cast<std::int64_t>(context.attempt)));
}

void Reading::set_command(const Command& command) {
  Value::Object out{{"id", Value::text(command.id)},
                    {"verb", Value::text(std::string(to_string(command.verb)))},
                    {"operation", Value::text(command.operation)}};
  if (!command.remote_id.empty()) out.emplace_back("remote_id", Value::text(command.remote_id));
  if (command.not_after_ms != 0) out.emplace_back("not_after_ms", Value::of(command.not_after_ms));
  scope_.set("command", Value::object(std::move(out)));
  const Value input = parse(command.body);
  scope_.set("input", input);
  Value::List media;
  for (const Media& item : command.media) media.push_back(media_value(item));
  scope_.set("media", command.media.empty() ? input.get("media") : Value::list(std::move(media)));
}

void Reading::set_commands(const std::vector<Command>& commands) {
  Value::List out;
  for (const Command& command : commands) {
    out.push_back(Value::object({{"id", Value::text(command.id)}, {"input", parse(command.body)}}));
  }
  scope_.set("commands", Value::list(std::move(out)));
}

bool Reading::set_reply(const Descriptor& descriptor, const HttpReply& reply, Decode decode) {
  bool good = true;
  Value body;
  if (decode == Decode::feed) {
    Result<Value> feed = read_feed(reply.body);
    good = feed.has_value();
    if (feed) body = *std::move(feed);
  } else if (!reply.body.empty()) {
    body = parse(reply.body, &good);
  }
  scope_.set("$", body);
  scope_.set("reply", Value::object({{"status", Value::of(static_cast<std::int64_t>(reply.status))},
                                     {"headers", headers_value(reply.headers)},
                                     {"text", is_utf8(reply.body) ? Value::borrowed(reply.body) : Value::text("")}}));
  scope_.set("failure", Value());
  scope_.set("error", Value());
  const std::string code = text_of(descriptor.code, scope_);
  if (!code.empty()) scope_.set("error", Value::object({{"code", Value::text(code)}}));
  return good;
}

void Reading::set_failure(Loss loss) { scope_.set("failure", Value::text(std::string(to_string(loss)))); }

void Reading::set_let(const std::vector<std::pair<std::string, ValuePlan>>& let) {
  Value::Object members;
  for (const auto& [name, plan] : let) {
    Built built = plan->build(scope_);
    if (built.status == Built::Status::value) members.emplace_back(name, std::move(built.value));
    scope_.set("let", Value::object(members));
  }
}

}  // namespace isthmus::adapter::detail
