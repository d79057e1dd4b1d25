#include "adapter/detail/render.h"

#include <string_view>

#include "adapter/hosts.h"
#include "expression/encode.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Outcome;
using expression::Scope;
using expression::Template;
using expression::Value;

/// Collects the first thing that cannot be had.
struct Filler {
  const Scope& scope;
  std::string reason;

  std::string text(const Template& t, expression::Encoder encode, std::string_view place) {
    Outcome outcome = t.render(scope, encode);
    if (outcome.ok()) return outcome.value().to_text();
    note(place, outcome.reason());
    return {};
  }
  std::optional<Value> value(const ValueTemplate& plan, std::string_view place) {
    Built built = plan.build(scope);
    if (built.status == Built::Status::failed) note(place, built.reason);
    if (built.status != Built::Status::value) return std::nullopt;
    return std::move(built.value);
  }
  void note(std::string_view place, std::string_view why) {
    if (reason.empty()) reason = std::string(place) + ": " + std::string(why);
  }
};

void append_pair(std::string& out, std::string_view name, const Value& value, expression::Encoder encode) {
  if (!out.empty()) out += '&';
  encode(name, out);
  out += '=';
  encode(value.to_text(), out);
}

std::string pairs(Filler& fill, const std::vector<std::pair<std::string, ValuePlan>>& plans, expression::Encoder encode,
                  std::string_view place) {
  std::string out;
  for (const auto& [name, plan] : plans) {
    const std::optional<Value> value = fill.value(*plan, std::string(place) + "." + name);
    if (!value) continue;
    if (!value->is_list()) {
      append_pair(out, name, *value, encode);
      continue;
    }
    for (const Value& item : value->items()) append_pair(out, name, item, encode);
  }
  return out;
}

std::string address(Filler& fill, const RequestPlan& plan, const std::optional<Template>& base_url) {
  std::string target = fill.text(*plan.target, expression::encode_path_segment, "address");
  if (target.starts_with('/') && base_url) {
    std::string base = fill.text(*base_url, expression::encode_plain, "base_url");
    while (base.ends_with('/')) base.pop_back();
    target = base + target;
  } else if (!origin_of(target)) {
    // "${connection.url}" alone: an address that an administrator gave, taken as it is.
    target = fill.text(*plan.target, expression::encode_plain, "address");
  }
  const std::string query = pairs(fill, plan.query, expression::encode_query_value, "query");
  if (!query.empty()) target += (target.find('?') == std::string::npos ? "?" : "&") + query;
  if (fill.reason.empty() && !origin_of(target)) fill.note("address", "is no http or https address");
  return target;
}

void set_header(HttpRequest& request, std::string name, std::string value) {
  request.headers.push_back({std::move(name), std::move(value)});
}

std::vector<Part> parts(Filler& fill, const RequestPlan& plan) {
  std::vector<Part> out;
  for (const MultipartPart& part : plan.multipart) {
    Part p;
    p.name = part.name;
    if (part.content_type) p.content_type = fill.text(*part.content_type, expression::encode_header_value, "multipart");
    if (part.filename) p.filename = fill.text(*part.filename, expression::encode_header_value, "multipart");
    if (part.blob) p.range = BlobRange{fill.text(*part.blob, expression::encode_plain, "multipart"), 0, -1};
    if (part.text) {
      const Outcome outcome = part.text->evaluate(fill.scope);
      if (!outcome.ok()) fill.note("multipart." + part.name, outcome.reason());
      if (outcome.ok() && outcome.value().is_null()) continue;  // an optional part
      p.data = outcome.value().to_text();
    }
    out.push_back(std::move(p));
  }
  return out;
}

void fill_body(Filler& fill, const RequestPlan& plan, HttpRequest& out) {
  using Kind = RequestPlan::BodyKind;
  std::string type;
  switch (plan.body) {
    case Kind::none:
      return;
    case Kind::json: {
      const std::optional<Value> value = fill.value(*plan.json, "json");
      out.body = value ? value->to_json() : std::string("{}");
      type = "application/json";
      break;
    }
    case Kind::form:
      out.body = pairs(fill, plan.form, expression::encode_form_value, "form");
      type = "application/x-www-form-urlencoded";
      break;
    case Kind::text:
      out.body = fill.text(*plan.text, expression::encode_plain, "text");
      type = "text/plain; charset=utf-8";
      break;
    case Kind::blob:
      out.body = BlobRange{fill.text(*plan.text, expression::encode_plain, "blob"), 0, -1};
      type = "application/octet-stream";
      break;
    case Kind::multipart:
      out.body = parts(fill, plan);
      return;  // the host adds the type with its boundary
  }
  if (plan.content_type) type = fill.text(*plan.content_type, expression::encode_header_value, "content_type");
  set_header(out, "Content-Type", type);
}

}  // namespace

Rendered render(const RequestPlan& plan, const std::optional<Template>& base_url,
                const std::vector<std::pair<std::string, Template>>& common_headers, std::int32_t timeout_ms,
                const Scope& scope) {
  Filler fill{scope, {}};
  HttpRequest out;
  out.method = plan.method;
  out.url = address(fill, plan, base_url);
  out.replay_safe = plan.replay_safe;
  out.timeout_ms = plan.timeout_ms > 0 ? plan.timeout_ms : timeout_ms;
  fill_body(fill, plan, out);
  for (const auto* headers : {&common_headers, &plan.headers}) {
    for (const auto& [name, value] : *headers) {
      // An optional value that is absent leaves the header out (If-None-Match before the first answer).
      const Outcome outcome = value.evaluate(scope);
      if (outcome.ok() && outcome.value().is_null()) continue;
      set_header(out, name, fill.text(value, expression::encode_header_value, "header " + name));
    }
  }
  if (!fill.reason.empty()) return {std::nullopt, fill.reason};
  return {std::move(out), {}};
}

Rendered render(const RequestPlan& plan, const Descriptor& descriptor, const Scope& scope) {
  return render(plan, descriptor.base_url, descriptor.headers, descriptor.timeout_ms, scope);
}

}  // namespace isthmus::adapter::detail
