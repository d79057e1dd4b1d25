#include <algorithm>

#include "adapter/detail/functions.h"
#include "adapter/detail/loader.h"
#include "base/crypto.h"

namespace isthmus::adapter::detail {

void read_header(MapReader& reader, Description& out) {
  out.name = reader.required_text("adapter");
  if (reader.required_int("contract", 1, 1000) != kContract) {
    reader.error("contract", "descriptor.contract", "this program speaks contract " + std::to_string(kContract));
  }
  out.version = reader.required_text("version");
  out.kind = reader.required_choice<std::string>("kind", {{"social", "social"},
                                                          {"crm", "crm"},
                                                          {"analytics", "analytics"},
                                                          {"forms", "forms"},
                                                          {"feed", "feed"},
                                                          {"generic", "generic"}});
  (void)reader.optional_entries("title");
  out.settling_ms = reader
                        .optional_duration("settling", std::chrono::milliseconds(0), std::chrono::minutes(10),
                                           std::chrono::seconds(5))
                        .count();
}

void read_fields(MapReader& reader, Diagnostics& diagnostics, Description& out) {
  for (const config::Entry& entry : reader.optional_entries("connection")) {
    MapReader field(entry.value, "connection." + entry.key, diagnostics);
    if (!field.is_map()) continue;
    FieldSpec spec;
    spec.name = entry.key;
    spec.type = field.required_choice<std::string>(
        "type", {{"string", "string"}, {"host", "host"}, {"url", "url"}, {"integer", "integer"}, {"secret", "secret"}});
    spec.default_value = field.optional_text("default");
    spec.required = !field.optional_bool("optional", !spec.default_value.empty());
    (void)field.optional_entries("title");
    (void)field.optional("example");
    field.finish();
    if (spec.type == "secret") {
      out.secrets.push_back(spec.name);
    }
    out.fields.push_back(std::move(spec));
  }
}

std::vector<std::string> connection_names(const Description& description) {
  std::vector<std::string> out{"auth", "facts", "now", "attempt"};
  for (const FieldSpec& field : description.fields) {
    if (field.type != "secret") out.push_back("connection." + field.name);
  }
  return out;
}

void read_hosts(MapReader& reader, const Compile& compile, Descriptor& out) {
  for (const Node& item : reader.required_list("hosts")) {
    if (auto host = compile_template(item, "hosts", compile)) out.hosts.push_back(*std::move(host));
  }
}

namespace {

void read_http(MapReader& reader, const Compile& compile, Descriptor& out) {
  std::optional<MapReader> http = reader.optional_map("http");
  if (!http) return;
  out.base_url = read_template(*http, "base_url", compile);
  out.headers = read_templates(*http, "headers", compile);
  out.timeout_ms = static_cast<std::int32_t>(
      http->optional_duration("timeout", std::chrono::seconds(1), std::chrono::minutes(2), std::chrono::seconds(20))
          .count());
  http->finish();
}

void read_errors(MapReader& reader, const Compile& compile, Descriptor& out) {
  std::optional<MapReader> errors = reader.optional_map("errors");
  if (!errors) return;
  out.code = read_template(*errors, "code", with_reply(compile));
  out.reason = read_template(*errors, "reason", with_reply(compile));
  out.rules = read_rules(*errors, "rules", compile);
  for (const Rule& rule : out.rules) {
    if (rule.act == Rule::Act::go) errors->error("rules", "descriptor.go", "go belongs to a step's errors");
  }
  errors->finish();
}

void read_text_and_media(MapReader& reader, const Compile& compile, Descriptor& out) {
  if (auto text = reader.optional_map("text")) {
    using Count = TextLimit::Count;
    out.text.count = text->required_choice<Count>("count", {{"graphemes", Count::graphemes},
                                                            {"code_points", Count::code_points},
                                                            {"utf16", Count::utf16},
                                                            {"bytes", Count::bytes},
                                                            {"weighted", Count::weighted}});
    out.text.max = read_template(*text, "max", compile);
    out.text.bytes_max = text->optional_int("bytes_max", 0, 10'000'000, 0);
    out.text.url_weight = read_template(*text, "url_weight", compile);
    text->finish();
  }
  if (auto media = reader.optional_map("media")) {
    out.media.count_max = read_template(*media, "count_max", compile);
    out.media.bytes_max = read_template(*media, "bytes_max", compile);
    out.media.image_bytes_max = read_template(*media, "image_bytes_max", compile);
    out.media.mimes = media->optional_text_list("mime");
    media->finish();
  }
}

void read_facts(MapReader& reader, const Compile& compile, Descriptor& out) {
  std::optional<MapReader> facts = reader.optional_map("facts");
  if (!facts) return;
  FactsPlan& plan = out.facts.emplace();
  plan.request = read_request(*facts, compile, true);
  plan.take = read_values(*facts, "take", with_reply(compile));
  out.description.facts_every_ms = read_facts_every(*facts);
  if (!plan.request.target) facts->error("request", "descriptor.facts", "facts need a request");
  if (plan.take.empty()) facts->error("take", "descriptor.facts", "facts need take: what is kept of the reply");
  facts->finish();
}

void read_check(MapReader& reader, const Compile& compile, Descriptor& out) {
  std::optional<MapReader> check = reader.optional_map("check");
  if (!check) return;
  CheckPlan& plan = out.check.emplace();
  plan.request = read_request(*check, compile, true);
  plan.show = read_template(*check, "show", with_reply(compile));
  if (!plan.request.target) check->error("request", "descriptor.check", "check needs a request");
  check->finish();
}

}  // namespace

std::shared_ptr<const Descriptor> load_descriptor(std::string_view yaml, const std::string& file,
                                                  Diagnostics& diagnostics) {
  const std::optional<Node> tree = config::parse_yaml(yaml, file, diagnostics);
  if (!tree) return nullptr;
  auto out = std::make_shared<Descriptor>();
  out->library = adapter_library();
  out->description.sha256 = crypto::sha256(yaml);
  MapReader reader(*tree, "", diagnostics);
  if (!reader.is_map()) return nullptr;
  read_header(reader, out->description);
  read_fields(reader, diagnostics, out->description);
  const Compile compile{out->library, expression::Names(connection_names(out->description)), diagnostics};
  read_hosts(reader, compile, *out);
  read_http(reader, compile, *out);
  read_errors(reader, compile, *out);
  read_limits(reader, diagnostics, out->description.limits);
  read_text_and_media(reader, compile, *out);
  read_facts(reader, compile, *out);
  read_auth(reader, compile, *out);
  read_operations(reader, compile, *out);
  read_streams(reader, compile, *out);
  read_webhook(reader, compile, *out);
  read_check(reader, compile, *out);
  reader.finish();
  if (diagnostics.has_errors()) return nullptr;
  return out;
}

}  // namespace isthmus::adapter::detail
