#include "archive/detail/header_json.h"

#include <simdjson.h>

#include "base/json.h"

namespace isthmus::archive {
namespace {

namespace dom = simdjson::dom;

tl::unexpected<Error> bad(std::string_view why) {
  return fail("record.bad-header", "a record header is not of format 1: " + std::string(why));
}

Result<std::string_view> text(const dom::object& object, const char* name) {
  std::string_view value;
  if (object[name].get_string().get(value) != simdjson::SUCCESS)
    return bad(std::string(name) + " is missing or no string");
  return value;
}

Result<std::int64_t> number(const dom::object& object, const char* name, std::int64_t max) {
  std::int64_t value = 0;
  if (object[name].get_int64().get(value) != simdjson::SUCCESS || value < 0 || value > max) {
    return bad(std::string(name) + " is missing or out of range");
  }
  return value;
}

Result<Uuid> uuid(const dom::object& object, const char* name) {
  const auto value = text(object, name);
  if (!value) return fail(value.error());
  return Uuid::parse(*value);
}

Result<Header> read(const dom::object& object) {
  const auto format = number(object, "format", 1);
  if (!format || *format != 1) return bad("format is not 1");
  const auto id = uuid(object, "id");
  if (!id) return fail(id.error());
  const auto at = number(object, "at", (std::int64_t{1} << 53) - 1);
  if (!at) return fail(at.error());
  const auto kind = text(object, "kind");
  if (!kind) return fail(kind.error());
  const auto known = kind_of(*kind);
  if (!known) return bad("kind is not known");
  const auto retention = number(object, "retention", 32767);
  if (!retention) return fail(retention.error());
  const auto commitment_hex = text(object, "commitment");
  if (!commitment_hex) return fail(commitment_hex.error());
  const auto commitment = from_hex(*commitment_hex);
  if (!commitment || commitment->size() != 32) return bad("commitment is not 64 hexadecimal digits");

  Header header;
  header.id = *id;
  header.at = from_us(*at);
  header.kind = *known;
  header.retention_class = static_cast<std::int16_t>(*retention);
  header.commitment = *Hash::from_bytes(*commitment);
  if (object["connection"].error() == simdjson::SUCCESS) {
    const auto connection = uuid(object, "connection");
    if (!connection) return fail(connection.error());
    header.connection = *connection;
  }
  return header;
}

}  // namespace

Bytes detail::write_header(const Header& header) {
  JsonWriter json;
  json.begin_object();
  json.member("at", to_us(header.at));
  json.member("commitment", to_hex(header.commitment.view()));
  if (header.connection) json.member("connection", header.connection->to_string());
  json.member("format", 1);
  json.member("id", header.id.to_string());
  json.member("kind", name_of(header.kind));
  json.member("retention", static_cast<std::int64_t>(header.retention_class));
  json.end_object();
  return std::move(json).text();
}

Result<Header> parse_header(std::string_view header) {
  dom::parser parser;
  dom::object object;
  if (parser.parse(header.data(), header.size()).get_object().get(object) != simdjson::SUCCESS)
    return bad("no JSON object");
  auto parsed = read(object);
  // Writing it again is the strictest check there is: no other member, no other spelling.
  if (parsed && detail::write_header(*parsed) != header) return bad("it is not in canonical form");
  return parsed;
}

}  // namespace isthmus::archive
