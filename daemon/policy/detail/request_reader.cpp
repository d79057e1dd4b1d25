#include <fmt/format.h>

#include <charconv>

#include "config/reader.h"
#include "policy/detail/pack.h"

namespace isthmus::policy::detail {

namespace {

using config::MapReader;
using config::Node;
using expression::Value;

/// As JSON would have it: unquoted true, false, null and whole numbers are what they look like, everything else is
/// text.
Value to_value(const Node& node) {
  switch (node.kind) {
    case Node::Kind::null:
      return {};
    case Node::Kind::sequence: {
      Value::List items;
      for (const Node& item : node.items) items.push_back(to_value(item));
      return Value::list(std::move(items));
    }
    case Node::Kind::map: {
      Value::Object members;
      for (const config::Entry& entry : node.entries) members.emplace_back(entry.key, to_value(entry.value));
      return Value::object(std::move(members));
    }
    case Node::Kind::scalar:
      break;
  }
  if (node.quoted) return Value::text(node.text);
  if (node.text == "true" || node.text == "false") return Value::of(node.text == "true");
  std::int64_t number = 0;
  const char* end = node.text.data() + node.text.size();
  const auto parsed = std::from_chars(node.text.data(), end, number);
  if (parsed.ec == std::errc{} && parsed.ptr == end && std::to_string(number) == node.text) return Value::of(number);
  return Value::text(node.text);
}

void read_resource(MapReader& r, OwnedRequest& request, Diagnostics& diagnostics) {
  request.connection = r.optional_text("connection");
  request.adapter = r.optional_text("adapter");
  request.resource_unit = r.optional_text("unit");
  request.operation = r.optional_text("operation");
  request.format = r.optional_text("format");
  request.author = r.optional_text("author");
  request.purpose = r.optional_text("purpose");
  request.purposes = r.optional_text_list("purposes");
  request.terms = r.optional_text("terms");
  const Node* body = r.optional("body");
  if (body != nullptr) request.body = to_value(*body);
  const Node* text = r.optional("text");
  if (text != nullptr && body != nullptr) {
    r.error("text", "policy.request", "give either text or body; the texts of a body are found by its format");
  }
  if (text != nullptr) {
    std::string words = config::as_text(*text, r.path_of("text"), diagnostics).value_or(std::string());
    request.body = Value::object({{"text", Value::text(words)}});
    request.texts = {{"text", std::move(words)}};
  } else {
    request.texts = content_texts(request.format, request.body);
  }
  r.finish();
}

}  // namespace

OwnedRequest read_request(const Node& node, const std::string& path, Diagnostics& diagnostics) {
  OwnedRequest request;
  request.context = Value::object({});
  request.body = Value::object({});
  MapReader r(node, path, diagnostics);
  if (std::optional<MapReader> principal = r.optional_map("principal")) {
    request.subject = principal->optional_text("subject");
    request.kind = principal->optional_text("kind", "person");
    request.unit = principal->optional_text("unit");
    request.rights = principal->optional_text_list("rights");
    principal->finish();
  }
  std::vector<std::string> known = actions();
  request.action = r.required_text("action");
  if (!request.action.empty() && std::find(known.begin(), known.end(), request.action) == known.end()) {
    r.error("action", "policy.unknown-action",
            fmt::format("found \"{}\"; {}", request.action, config::accepted_words(request.action, known)));
  }
  if (std::optional<MapReader> resource = r.optional_map("resource")) read_resource(*resource, request, diagnostics);
  if (const Node* context = r.optional("context")) request.context = to_value(*context);
  request.released = r.optional_text_list("released");
  r.finish();
  return request;
}

Request OwnedRequest::view() const {
  Request request;
  request.principal = {subject, kind, unit, rights};
  request.action = action;
  request.resource = {connection, adapter,  resource_unit, operation, format, author,
                      purpose,    purposes, terms,         texts,     body};
  request.context = context;
  request.released = released;
  return request;
}

}  // namespace isthmus::policy::detail
