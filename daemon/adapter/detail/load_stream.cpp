#include <algorithm>

#include "adapter/detail/formats.h"
#include "adapter/detail/loader.h"

namespace isthmus::adapter::detail {
namespace {

constexpr std::string_view kPurposes[] = {"engagement", "crm", "marketing", "analytics"};

std::vector<std::string> read_purposes(MapReader& event, Diagnostics& diagnostics) {
  std::vector<std::string> out = read_words(event, "purposes", diagnostics);
  for (const std::string& word : out) {
    if (std::find(std::begin(kPurposes), std::end(kPurposes), word) == std::end(kPurposes)) {
      event.error("purposes", "descriptor.purpose",
                  config::accepted_words(word, {kPurposes, kPurposes + std::size(kPurposes)}));
    }
  }
  return out;
}

EventPlan read_event(MapReader& event, const Compile& plain) {
  EventPlan out;
  std::vector<std::string> names;
  if (const Node* let = event.node().find("let")) {
    for (const config::Entry& entry : let->entries) names.push_back("let." + entry.key);
  }
  const Compile compile = plain.with(std::move(names));
  out.condition = read_condition(event, "if", compile);
  out.let = read_values(event, "let", compile);
  out.kind = read_template(event, "kind", compile);
  out.dedup = read_template(event, "dedup", compile);
  out.at = read_template(event, "at", compile);
  out.order_key = read_template(event, "order_key", compile);
  out.format = event.required_text("format");
  const std::vector<std::string> formats = known_formats();
  if (!out.format.empty() && std::find(formats.begin(), formats.end(), out.format) == formats.end()) {
    event.error("format", "descriptor.format", config::accepted_words(out.format, formats));
  }
  out.body = read_value(event, "body", compile);
  if (const Node* purposes = event.node().find("purposes");
      purposes != nullptr && purposes->kind != Node::Kind::sequence) {
    out.purposes_value = read_value(event, "purposes", compile);
  } else {
    out.purposes = read_purposes(event, compile.diagnostics);
  }
  for (std::string_view key : {"kind", "dedup", "at", "order_key", "body", "purposes"}) {
    if (event.node().find(key) == nullptr) event.error(key, "config.missing-key", std::string(key) + " is missing");
  }
  event.finish();
  return out;
}

/// `event: name` or `events: [name, ...]`, each of the file's top-level `events`; the first whose `if` holds makes the
/// event.
std::vector<EventPlan> read_events(MapReader& reader, const Node* library, const Compile& compile) {
  std::vector<EventPlan> out;
  const Compile inner = with_reply(compile).with({"record", "index", "headers"});
  for (const std::string& name : read_words(reader, "events", compile.diagnostics)) {
    const Node* node = library == nullptr ? nullptr : library->find(name);
    if (node == nullptr) {
      std::vector<std::string> known;
      if (library != nullptr) {
        for (const config::Entry& entry : library->entries) known.push_back(entry.key);
      }
      reader.error("events", "descriptor.event",
                   "the file's events have none named \"" + name + "\"; " + config::accepted_words(name, known));
      continue;
    }
    MapReader event(*node, "events." + name, compile.diagnostics);
    if (event.is_map()) out.push_back(read_event(event, inner));
  }
  return out;
}

Decode read_decode(MapReader& reader) {
  return reader.optional_choice<Decode>("decode", {{"json", Decode::json}, {"feed", Decode::feed}}, Decode::json);
}

void read_paging(MapReader& stream, const Compile& replied, StreamPlan& out) {
  std::optional<MapReader> page = stream.optional_map("page");
  if (!page) return;
  out.paging = page->required_choice<StreamPlan::Paging>(
      "by",
      {{"link", StreamPlan::Paging::link}, {"token", StreamPlan::Paging::token}, {"url", StreamPlan::Paging::token}});
  out.next_is_url = out.paging == StreamPlan::Paging::link || page->optional_text("by") == "url";
  out.rel = page->optional_text("rel", "next");
  out.next = read_template(*page, "next", replied);
  if (out.paging == StreamPlan::Paging::token && !out.next)
    page->error("next", "descriptor.page", "page by token or url needs next");
  out.pages_max = static_cast<int>(page->optional_int("pages_max", 1, 10000, 200));
  out.first_pages_max = static_cast<int>(page->optional_int("first_pages_max", 1, 10000, out.pages_max));
  page->finish();
}

void read_cursor(MapReader& stream, const Compile& compile, const Compile& replied, StreamPlan& out) {
  std::optional<MapReader> cursor = stream.optional_map("cursor");
  if (!cursor) return;
  out.mark = read_template(*cursor, "mark", replied.with({"record"}));
  out.mark_of_page = read_template(*cursor, "mark_of_page", replied);
  out.mark_is_number = cursor->optional_choice<bool>("compare", {{"text", false}, {"number", true}}, false);
  out.order = cursor->optional_choice<StreamPlan::Order>(
      "order", {{"oldest_first", StreamPlan::Order::oldest_first}, {"newest_first", StreamPlan::Order::newest_first}},
      StreamPlan::Order::oldest_first);
  out.start = read_template(*cursor, "start", compile);
  out.keep = read_templates(*cursor, "keep", replied);
  cursor->finish();
}

StreamPlan read_stream(MapReader& stream, const std::string& name, const Node* events, const Compile& plain) {
  StreamPlan out;
  out.spec.name = name;
  out.spec.every_ms =
      stream.optional_duration("every", std::chrono::seconds(1), std::chrono::hours(24 * 7), std::chrono::minutes(1))
          .count();
  std::vector<std::string> names{"cursor.mark", "cursor.page", "limit"};
  if (const Node* cursor = stream.node().find("cursor")) {
    if (const Node* keep = cursor->find("keep")) {
      for (const config::Entry& entry : keep->entries) names.push_back("cursor.keep." + entry.key);
    }
  }
  const Compile compile = plain.with(std::move(names));
  const Compile replied = with_reply(compile);
  out.request = read_request(stream, compile, true);
  if (!out.request.target) stream.error("request", "descriptor.stream", "a stream needs a request");
  out.decode = read_decode(stream);
  out.records = read_template(stream, "records", replied);
  out.ok = read_words(stream, "ok", compile.diagnostics);
  read_paging(stream, replied, out);
  read_cursor(stream, compile, replied, out);
  out.rules = read_rules(stream, "errors", compile);
  out.events = read_events(stream, events, plain);
  stream.finish();
  return out;
}

}  // namespace

void read_verify(MapReader& webhook, const std::vector<std::string>& secrets, WebhookRecipe& out) {
  std::optional<MapReader> verify = webhook.required_map("verify");
  if (!verify) return;
  out.kind = verify->required_choice<WebhookRecipe::Kind>(
      "recipe", {{"standard_webhooks", WebhookRecipe::Kind::standard_webhooks},
                 {"hmac_sha256", WebhookRecipe::Kind::hmac_sha256},
                 {"hubspot_v3", WebhookRecipe::Kind::hubspot_v3},
                 {"secret_in_header", WebhookRecipe::Kind::secret_in_header}});
  out.header = verify->optional_text("header");
  out.prefix = verify->optional_text("prefix");
  out.base64 = verify->optional_choice<bool>("encoding", {{"hex", false}, {"base64", true}}, false);
  out.secret_field = verify->required_text("secret");
  if (!out.secret_field.empty() && std::find(secrets.begin(), secrets.end(), out.secret_field) == secrets.end())
    verify->error("secret", "descriptor.secret",
                  "the connection has no field of type secret named \"" + out.secret_field + "\"; " +
                      config::accepted_words(out.secret_field, secrets));
  const bool names_header =
      out.kind == WebhookRecipe::Kind::hmac_sha256 || out.kind == WebhookRecipe::Kind::secret_in_header;
  if (names_header && out.header.empty()) verify->error("header", "config.missing-key", "this recipe needs header");
  verify->finish();
}

void read_streams(MapReader& reader, const Compile& compile, Descriptor& out) {
  const Node* events = reader.optional("events");
  for (const config::Entry& entry : reader.optional_entries("streams")) {
    MapReader stream(entry.value, reader.path_of("streams") + "." + entry.key, compile.diagnostics);
    if (!stream.is_map()) continue;
    out.streams.emplace(entry.key, read_stream(stream, entry.key, events, compile));
    out.description.streams.push_back(out.streams.at(entry.key).spec);
  }
}

void read_webhook(MapReader& reader, const Compile& compile, Descriptor& out) {
  std::optional<MapReader> webhook = reader.optional_map("webhook");
  if (!webhook) return;
  WebhookPlan& plan = out.webhook.emplace();
  read_verify(*webhook, out.description.secrets, plan.recipe);
  plan.recipe.delivery_id_header = webhook->optional_text("delivery_id_header");
  plan.recipe.answer_status = static_cast<std::int32_t>(webhook->optional_int("answer", 200, 299, 204));
  plan.decode = read_decode(*webhook);
  const Compile replied = with_reply(compile).with({"headers"});
  plan.records = read_template(*webhook, "records", replied);
  plan.events = read_events(*webhook, reader.node().find("events"), compile);
  for (const Node& item : webhook->optional_list("challenges")) {
    MapReader challenge(item, "webhook.challenges", compile.diagnostics);
    WebhookPlan::Challenge& c = plan.challenges.emplace_back();
    const Compile call = replied.with({"method", "query"});
    c.condition = read_condition(challenge, "if", call);
    c.status = static_cast<int>(challenge.optional_int("status", 200, 299, 200));
    c.content_type = challenge.optional_text("content_type", "text/plain");
    c.body = read_template(challenge, "body", call);
    challenge.finish();
  }
  webhook->finish();
  out.description.webhook = plan.recipe;
}

}  // namespace isthmus::adapter::detail
