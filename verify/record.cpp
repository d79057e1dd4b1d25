#include "record.h"

#include <algorithm>

#include "encoding.h"

namespace verify {
namespace {

constexpr std::size_t kHeaderBytesMax = 4096;
constexpr std::size_t kBodyBytesMax = 65535;
constexpr int kBodyDepthMax = 32;
constexpr std::size_t kReasonBytesMax = 200;
constexpr std::size_t kPathMax = 64;

bool is_number(const Json* json, std::int64_t max) {
  return json != nullptr && json->is(Json::Type::number) && json->number >= 0 && json->number <= max;
}

bool is_uuid_string(const Json* json) { return json != nullptr && json->is(Json::Type::string) && is_uuid(json->text); }

/// 64 lower-case hexadecimal digits.
std::optional<std::string> hash(const Json* json) {
  if (json == nullptr || !json->is(Json::Type::string) || json->text.size() != 64) return std::nullopt;
  return from_hex(json->text);
}

bool is_kind(const Json* json) {
  return json != nullptr && json->is(Json::Type::string) && !json->text.empty() && json->text.size() <= 64 &&
         std::all_of(json->text.begin(), json->text.end(), [](char c) { return (c >= 'a' && c <= 'z') || c == '.'; });
}

int depth_of(const Json& json) {
  int inner = 0;
  for (const Json& item : json.items) inner = std::max(inner, depth_of(item));
  for (const JsonMember& member : json.members) inner = std::max(inner, depth_of(member.value));
  return json.is(Json::Type::array) || json.is(Json::Type::object) ? inner + 1 : 0;
}

/// Reads the "erased" member into the line; false when it is malformed.
bool read_erased(const Json& erased, RecordLine& line) {
  const Json* reason = erased.find("reason");
  if (reason == nullptr || !reason->is(Json::Type::string) || reason->text.empty() ||
      reason->text.size() > kReasonBytesMax) {
    return false;
  }
  const Json* tombstone = erased.find("tombstone");
  if (tombstone == nullptr) return erased.members.size() == 1;
  if (!is_number(tombstone, INT64_MAX) || erased.members.size() != 2) return false;
  line.tombstone = static_cast<std::uint64_t>(tombstone->number);
  return true;
}

}  // namespace

std::optional<RecordHeader> read_header(const Json& json) {
  const Json* connection = json.find("connection");
  const std::size_t expected = connection == nullptr ? 6 : 7;
  auto commitment = hash(json.find("commitment"));
  const Json* id = json.find("id");
  const Json* kind = json.find("kind");
  const Json* format = json.find("format");
  if (!json.is(Json::Type::object) || json.raw.size() > kHeaderBytesMax || json.members.size() != expected ||
      !commitment || (connection != nullptr && !is_uuid_string(connection)) || !is_uuid_string(id) || !is_kind(kind) ||
      !is_number(json.find("at"), INT64_MAX) || !is_number(json.find("retention"), 32767) || !is_number(format, 1) ||
      format->number != 1) {
    return std::nullopt;
  }
  return RecordHeader{json.raw, id->text, kind->text, *std::move(commitment)};
}

std::optional<RecordLine> read_record_line(const Json& json) {
  RecordLine line;
  const Json* index = json.find("index");
  line.header = json.find("header");
  if (!is_number(index, INT64_MAX) || line.header == nullptr) return std::nullopt;
  line.index = static_cast<std::uint64_t>(index->number);
  if (const Json* erased = json.find("erased"); erased != nullptr) {
    if (json.members.size() != 3 || !read_erased(*erased, line)) return std::nullopt;
    return line;
  }
  line.body = json.find("body");
  auto salt = hash(json.find("salt"));
  if (json.members.size() != 4 || line.body == nullptr || !salt) return std::nullopt;
  line.salt = *std::move(salt);
  return line;
}

bool is_body(const Json& body) {
  return body.is(Json::Type::object) && body.raw.size() <= kBodyBytesMax && depth_of(body) <= kBodyDepthMax;
}

std::optional<ProofLine> read_proof_line(std::string_view text) {
  const auto json = read_json(text);
  if (!json || json->members.size() != 2) return std::nullopt;
  const Json* index = json->find("index");
  const Json* path = json->find("path");
  if (!is_number(index, INT64_MAX) || path == nullptr || !path->is(Json::Type::array) ||
      path->items.size() > kPathMax) {
    return std::nullopt;
  }
  ProofLine line;
  line.index = static_cast<std::uint64_t>(index->number);
  for (const Json& item : path->items) {
    auto bytes = hash(&item);
    if (!bytes) return std::nullopt;
    line.path.push_back(*std::move(bytes));
  }
  return line;
}

}  // namespace verify
