#include "archive/record.h"

#include <array>

#include "archive/detail/associated.h"
#include "archive/detail/header_json.h"
#include "base/check.h"
#include "base/crypto.h"
#include "base/json.h"

namespace isthmus::archive {
namespace {

constexpr std::array<std::pair<Kind, std::string_view>, 12> kKinds{{
    {Kind::message_received, "message.received"},
    {Kind::message_sent, "message.sent"},
    {Kind::lead_received, "lead.received"},
    {Kind::metric_received, "metric.received"},
    {Kind::exchange_received, "exchange.received"},
    {Kind::command_made, "command.made"},
    {Kind::command_ended, "command.ended"},
    {Kind::decision_made, "decision.made"},
    {Kind::act_done, "act.done"},
    {Kind::media_stored, "media.stored"},
    {Kind::record_erased, "record.erased"},
    {Kind::origin_opened, "origin.opened"},
}};

constexpr std::int64_t kInstantMax = (std::int64_t{1} << 53) - 1;

/// Deepest nesting of a canonical JSON text.
int depth_of(std::string_view json) {
  int depth = 0;
  int deepest = 0;
  bool in_string = false;
  for (std::size_t i = 0; i < json.size(); ++i) {
    const char c = json[i];
    if (in_string) {
      if (c == '\\') {
        ++i;
      } else if (c == '"') {
        in_string = false;
      }
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      deepest = std::max(deepest, ++depth);
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return deepest;
}

Result<std::string> accepted_body(const std::string& json) {
  auto body = canonical_json(json);
  if (!body) return body;
  if (body->front() != '{') return fail("record.not-an-object", "the body of a record must be a JSON object");
  if (body->size() > kBodyBytesMax) {
    return fail("record.body-too-large",
                "the body of a record has " + std::to_string(body->size()) + " bytes, at most 65535 are allowed",
                "store the content as a medium and name its hash in the record");
  }
  if (depth_of(*body) > kBodyDepthMax) {
    return fail("record.body-too-deep", "the body of a record nests deeper than 32 levels");
  }
  return body;
}

/// What binds sealed bytes to their record: a label for the use, the record, the key that wraps, the header.
Bytes associated(std::string_view label, const Uuid& id, std::int32_t day_key, const Hash& leaf) {
  Bytes out(label);
  out += '\n';
  out += id.bytes();
  detail::append_u32(out, day_key);
  out += leaf.view();
  return out;
}

constexpr std::string_view kKeyLabel = "isthmus record key 1";
constexpr std::string_view kBodyLabel = "isthmus record body 1";

}  // namespace

std::string_view name_of(Kind kind) {
  for (const auto& entry : kKinds) {
    if (entry.first == kind) return entry.second;
  }
  check_failed("name_of(kind)", "every kind has a name", __FILE__, __LINE__);
}

std::optional<Kind> kind_of(std::string_view name) {
  for (const auto& entry : kKinds) {
    if (entry.second == name) return entry.first;
  }
  return std::nullopt;
}

Result<Record> make_record(const RecordDraft& draft, const DayKey& day_key, Random& random) {
  auto body = accepted_body(draft.body);
  if (!body) return fail(std::move(body).error());
  const std::int64_t at = to_us(draft.at);
  if (draft.retention_class < 0 || at < 0 || at > kInstantMax) {
    return fail("record.bad-field", "retention class and instant of a record must not be negative");
  }
  Bytes plain = random.bytes(kSaltBytes);
  plain += *body;

  Header header;
  header.id = draft.id ? *draft.id : Uuid::random(random);
  header.at = draft.at;
  header.kind = draft.kind;
  header.connection = draft.connection;
  header.retention_class = draft.retention_class;
  header.commitment = *Hash::from_bytes(crypto::sha256(plain));

  Record record;
  record.id = header.id;
  record.header = detail::write_header(header);
  record.leaf_hash = leaf_hash(record.header);
  record.day_key = day_key.id;
  const Secret key(random.bytes(crypto::kKeyBytes));
  record.wrapped_key =
      crypto::seal(day_key.key, key.reveal(), associated(kKeyLabel, record.id, day_key.id, record.leaf_hash));
  record.sealed_body = crypto::seal(key, plain, associated(kBodyLabel, record.id, day_key.id, record.leaf_hash));
  return record;
}

Result<OpenedBody> open_record(std::string_view header, std::string_view wrapped_key, std::string_view sealed_body,
                               const DayKey& day_key) {
  const auto parsed = parse_header(header);
  if (!parsed) return fail(parsed.error());
  const Hash leaf = leaf_hash(header);
  auto key = crypto::unseal(day_key.key, wrapped_key, associated(kKeyLabel, parsed->id, day_key.id, leaf));
  if (!key) return fail(std::move(key).error());
  auto plain =
      crypto::unseal(Secret(*std::move(key)), sealed_body, associated(kBodyLabel, parsed->id, day_key.id, leaf));
  if (!plain) return fail(std::move(plain).error());
  if (plain->size() < kSaltBytes || crypto::sha256(*plain) != parsed->commitment.view()) {
    return fail("record.bad-commitment",
                "the body of record " + parsed->id.to_string() + " is not the one its header commits to");
  }
  return OpenedBody{plain->substr(0, kSaltBytes), plain->substr(kSaltBytes)};
}

}  // namespace isthmus::archive
