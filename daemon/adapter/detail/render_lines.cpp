#include "adapter/detail/render_lines.h"

#include "adapter/auth.h"
#include "adapter/detail/golden_run.h"
#include "adapter/detail/reply_time.h"
#include "base/json.h"
#include "expression/value.h"

namespace isthmus::adapter::detail {
namespace {

void write_headers(JsonWriter& writer, const Description& description, const HttpRequest& request) {
  writer.key("headers").begin_object();
  for (const Header& header : request.headers) writer.member(header.name, header.value);
  const AuthApply& auth = description.auth;
  const bool in_header = auth.mode == AuthApply::Mode::header || auth.mode == AuthApply::Mode::session;
  const std::string name = in_header && !auth.name.empty() ? auth.name : "Authorization";
  if (auth.mode != AuthApply::Mode::none && !header_of(request.headers, name)) writer.member(name, "placeholder");
  writer.end_object();
}

void write_pairs(JsonWriter& writer, const std::vector<std::pair<std::string, std::string>>& pairs) {
  writer.key("form").begin_object();
  for (const auto& [name, value] : pairs) writer.member(name, value);
  writer.end_object();
}

}  // namespace

std::string request_line(const Description& description, const HttpRequest& request, const std::string& object) {
  JsonWriter writer;
  writer.begin_object();
  writer.member("system", description.name).member("method", request.method).member("url", request.url);
  write_headers(writer, description, request);
  const std::string_view type = header_of(request.headers, "Content-Type").value_or("");
  if (const auto* parts = std::get_if<std::vector<Part>>(&request.body)) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const Part& part : *parts) pairs.emplace_back(part.name, part.range ? "bytes" : part.data);
    writer.key("body").null();
    write_pairs(writer, pairs);
  } else if (const auto* body = std::get_if<Bytes>(&request.body); body != nullptr && !body->empty()) {
    if (type.starts_with("application/x-www-form-urlencoded")) {
      writer.key("body").null();
      write_pairs(writer, form_pairs(*body));
    } else {
      const Result<expression::Document> json = expression::Document::parse(*body);
      if (json) {
        json->root().to_json(writer.key("body"));
      } else {
        writer.member("body", *body);
      }
      writer.key("form").null();
    }
  } else {
    writer.key("body").null().key("form").null();
  }
  if (!object.empty()) writer.member("object", object);
  writer.end_object();
  return std::move(writer).text();
}

}  // namespace isthmus::adapter::detail
