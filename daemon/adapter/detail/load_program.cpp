#include "adapter/detail/load_program.h"

#include <algorithm>

#include "adapter/detail/functions.h"
#include "adapter/detail/loader.h"
#include "base/crypto.h"
#include "expression/value.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Value;

/// JSON as the node of a file, so that one set of readers and of rules judges both. JSON's texts are quoted ones.
Node node_of(const Value& value, const std::shared_ptr<const std::string>& file, const std::string& path,
             Diagnostics& diagnostics) {
  Node out;
  out.file = file;
  if (value.is_object()) {
    out.kind = Node::Kind::map;
    for (const auto& [key, member] : value.members()) {
      const std::string name(key);
      if (out.find(name) != nullptr) {
        config::report(out, "descriptor.repeated-key", path + name, "the key stands there twice", diagnostics);
        continue;
      }
      out.entries.push_back({name, true, 0, 0, node_of(member, file, path + name + ".", diagnostics)});
    }
  } else if (value.is_list()) {
    out.kind = Node::Kind::sequence;
    for (const Value& item : value.items()) out.items.push_back(node_of(item, file, path, diagnostics));
  } else if (!value.is_null()) {
    out.kind = Node::Kind::scalar;
    out.quoted = value.is_text();
    out.text = value.to_text();
  }
  return out;
}

void read_program_operations(MapReader& reader, Diagnostics& diagnostics, Description& out) {
  for (const config::Entry& entry : reader.optional_entries("operations")) {
    MapReader op(entry.value, reader.path_of("operations") + "." + entry.key, diagnostics);
    if (!op.is_map()) continue;
    OperationSpec& spec = out.operations.emplace_back();
    read_spec(op, entry.key, spec);
    spec.reconcilable = op.optional_bool("reconcile", false);
    spec.batch_max = static_cast<std::int32_t>(op.optional_int("batch", 1, 1000, 1));
    spec.timeout_ms = static_cast<std::int32_t>(
        op.optional_duration("timeout", std::chrono::milliseconds(1), std::chrono::minutes(2), std::chrono::seconds(20))
            .count());
    op.finish();
  }
}

void read_program_streams(MapReader& reader, Diagnostics& diagnostics, Description& out) {
  for (const config::Entry& entry : reader.optional_entries("streams")) {
    MapReader stream(entry.value, reader.path_of("streams") + "." + entry.key, diagnostics);
    if (!stream.is_map()) continue;
    const auto every =
        stream.optional_duration("every", std::chrono::seconds(1), std::chrono::hours(24 * 7), std::chrono::minutes(1));
    out.streams.push_back({entry.key, every.count()});
    stream.finish();
  }
}

void read_program_webhook(MapReader& reader, Description& out) {
  std::optional<MapReader> webhook = reader.optional_map("webhook");
  if (!webhook) return;
  read_verify(*webhook, out.secrets, out.webhook);
  out.webhook.delivery_id_header = webhook->optional_text("delivery_id_header");
  out.webhook.answer_status = static_cast<std::int32_t>(webhook->optional_int("answer", 200, 299, 204));
  webhook->finish();
}

}  // namespace

std::shared_ptr<const Descriptor> load_program(std::string_view json, const std::string& file,
                                               Diagnostics& diagnostics) {
  const auto at = std::make_shared<const std::string>(file);
  const Result<expression::Document> document = expression::Document::parse(json);
  if (!document) {
    diagnostics.add({file, 0, 0, Diagnostic::Severity::error, "descriptor.json", "",
                     "the description is no JSON: " + document.error().what});
    return nullptr;
  }
  const Node tree = node_of(document->root(), at, "", diagnostics);
  MapReader reader(tree, "", diagnostics);
  if (!reader.is_map()) return nullptr;
  auto out = std::make_shared<Descriptor>();
  out->library = adapter_library();
  out->description.sha256 = crypto::sha256(json);
  read_header(reader, out->description);
  read_fields(reader, diagnostics, out->description);
  const Compile compile{out->library, expression::Names(connection_names(out->description)), diagnostics};
  read_hosts(reader, compile, *out);
  read_auth(reader, compile, *out);
  read_limits(reader, diagnostics, out->description.limits);
  if (auto facts = reader.optional_map("facts")) {
    out->description.facts_every_ms = read_facts_every(*facts);
    facts->finish();
  }
  read_program_operations(reader, diagnostics, out->description);
  read_program_streams(reader, diagnostics, out->description);
  read_program_webhook(reader, out->description);
  reader.finish();
  if (diagnostics.has_errors()) return nullptr;
  return out;
}

}  // namespace isthmus::adapter::detail
