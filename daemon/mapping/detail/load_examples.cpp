#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/clock.h"
#include "config/reader.h"
#include "mapping/detail/loader.h"

namespace isthmus::mapping {
namespace {

bool is_whole_number(std::string_view text) {
  const std::string_view digits = !text.empty() && text[0] == '-' ? text.substr(1) : text;
  return !digits.empty() && digits.size() <= 18 && (digits == "0" || digits[0] != '0') &&
         std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::string json_of(const config::Node* node) {
  if (node == nullptr) return "{}";
  JsonWriter writer;
  write_json(*node, writer);
  return std::move(writer).text();
}

Purposes purposes_of(config::MapReader& reader, std::string_view key, const std::vector<std::string>& names) {
  auto purposes = Purposes::from(names);
  if (purposes) return *purposes;
  reader.error(key, purposes.error().code,
               fmt::format("{}; accepted: {}", purposes.error().what, purposes.error().hint));
  return Purposes::none();
}

void read_narrowed(config::MapReader& reader, const Format& from, Terms& terms, Diagnostics& diagnostics) {
  for (const config::Entry& entry : reader.optional_entries("narrowed")) {
    const std::string path = reader.path_of("narrowed") + "." + entry.key;
    std::vector<std::string> names;
    for (const config::Node& item : config::as_list(entry.value, path, diagnostics)) {
      if (auto name = config::as_text(item, path, diagnostics)) names.push_back(*name);
    }
    if (from.find(entry.key) == nullptr) {
      reader.error("narrowed", "mapping.unknown-field", fmt::format("{} has no field {}", from.name, entry.key));
    }
    terms.fields.push_back(Terms::Field{entry.key, purposes_of(reader, "narrowed", names)});
  }
}

// Exactly one of gives, held, rejected, denied.
void read_end(config::MapReader& reader, Example& example) {
  constexpr std::array<std::pair<std::string_view, Example::End>, 3> stops = {
      {{"held", Example::End::held}, {"rejected", Example::End::rejected}, {"denied", Example::End::denied}}};
  const config::Node* gives = reader.optional("gives");
  example.gives = json_of(gives);
  int ends = gives == nullptr ? 0 : 1;
  for (const auto& stop : stops) {
    if (reader.optional(stop.first) == nullptr) continue;
    example.end = stop.second;
    example.field = reader.required_text(stop.first);
    ++ends;
  }
  if (ends != 1) reader.error("name", "mapping.example", "an example says one of gives, held, rejected, denied");
}

void read_now(config::MapReader& reader, Example& example) {
  const std::string now = reader.optional_text("now", "2026-01-01T00:00:00Z");
  const auto instant = from_rfc3339(now);
  if (!instant) {
    reader.error("now", "mapping.example", "now is an RFC 3339 instant");
  } else {
    example.now_ms = to_ms(*instant);
  }
}

}  // namespace

void write_json(const config::Node& node, JsonWriter& writer) {
  switch (node.kind) {
    case config::Node::Kind::null:
      writer.null();
      return;
    case config::Node::Kind::scalar: {
      if (!node.quoted && (node.text == "true" || node.text == "false")) {
        writer.value(node.text == "true");
      } else if (!node.quoted && is_whole_number(node.text)) {
        writer.raw(node.text);
      } else {
        writer.value(node.text);
      }
      return;
    }
    case config::Node::Kind::sequence:
      writer.begin_array();
      for (const config::Node& item : node.items) write_json(item, writer);
      writer.end_array();
      return;
    case config::Node::Kind::map:
      writer.begin_object();
      for (const config::Entry& entry : node.entries) {
        writer.key(entry.key);
        write_json(entry.value, writer);
      }
      writer.end_object();
  }
}

void load_examples(std::span<const config::Node> nodes, const std::string& path, Plan& plan, Diagnostics& diagnostics) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    config::MapReader reader(nodes[i], fmt::format("{}[{}]", path, i), diagnostics);
    Example example;
    example.name = reader.required_text("name");
    example.line = nodes[i].line;
    example.given = json_of(reader.required("given"));
    example.connection = json_of(reader.optional("connection"));
    read_now(reader, example);
    const bool limited = reader.optional("purposes") != nullptr;
    example.terms.event =
        limited ? purposes_of(reader, "purposes", reader.optional_text_list("purposes")) : Purposes::all();
    read_narrowed(reader, *plan.from, example.terms, diagnostics);
    read_end(reader, example);
    example.dropped = reader.optional_text_list("dropped");
    if (reader.optional("allowed") != nullptr) example.allowed = reader.optional_text_list("allowed");
    reader.finish();
    plan.examples.push_back(std::move(example));
  }
}

}  // namespace isthmus::mapping
