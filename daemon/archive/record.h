#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "archive/keys.h"
#include "archive/merkle.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/uuid.h"

namespace isthmus::archive {

/// What a record tells. The number is stored (record.kind), the name stands in the header for ever; both only grow.
enum class Kind : std::int16_t {
  message_received = 1,   ///< an activity/1 that came from a network
  message_sent = 2,       ///< a post or reply that was accepted by a network
  lead_received = 3,      ///< a lead/1
  metric_received = 4,    ///< a metric/1
  exchange_received = 5,  ///< another event of a connection
  command_made = 6,       ///< what we decided to send to a network or a system
  command_ended = 7,      ///< its end: delivered, refused, dead, with evidence
  decision_made = 8,      ///< policy, purposes, approval: permit, hold, forbid, with rule and version
  act_done = 9,           ///< an administrative act
  media_stored = 10,      ///< a medium, by its salted hash
  record_erased = 11,     ///< a tombstone: which record, on what legal basis
  origin_opened = 12,     ///< the first record of a log that continues another
};
[[nodiscard]] std::string_view name_of(Kind kind);  ///< "message.received"
[[nodiscard]] std::optional<Kind> kind_of(std::string_view name);

inline constexpr std::size_t kBodyBytesMax = 65535;  ///< canonical form
inline constexpr int kBodyDepthMax = 32;             ///< nested objects and arrays, the body itself counted
inline constexpr std::size_t kSaltBytes = 32;

/// What a stage hands to the archive.
struct RecordDraft {
  Kind kind = Kind::act_done;
  std::optional<Uuid> connection;    ///< by uuid, the only form that leaves the database
  std::int16_t retention_class = 0;  ///< 0 to 32767
  Instant at;                        ///< 1970 to 2255
  std::string body;                  ///< a JSON object; everything personal belongs here and nowhere else
  std::optional<Uuid> id;            ///< empty: a random one
};

/// A record in format 1 (docs/formats/record-1.md), as it is stored.
struct Record {
  Uuid id;
  Bytes header;  ///< RFC 8785 JSON, the entry of the log
  Hash leaf_hash;
  std::int32_t day_key = 0;
  Bytes wrapped_key;  ///< destroyed when the record is erased
  Bytes sealed_body;
};

struct Header {
  Uuid id;
  Instant at;
  Kind kind = Kind::act_done;
  std::optional<Uuid> connection;
  std::int16_t retention_class = 0;
  Hash commitment;
};

struct OpenedBody {
  Bytes salt;
  std::string body;  ///< RFC 8785 JSON
};

/// Errors: json.* (the body is not what format 1 allows), record.body-too-large, record.body-too-deep,
/// record.not-an-object, record.bad-field (retention class or instant out of range). Pure: the random parameter gives
/// id, salt and record key.
[[nodiscard]] Result<Record> make_record(const RecordDraft& draft, const DayKey& day_key, Random& random);

/// Errors: record.bad-header.
[[nodiscard]] Result<Header> parse_header(std::string_view header);

/// Errors: seal.refused (another key, or changed bytes), record.bad-header, record.bad-commitment.
[[nodiscard]] Result<OpenedBody> open_record(std::string_view header, std::string_view wrapped_key,
                                             std::string_view sealed_body, const DayKey& day_key);

}  // namespace isthmus::archive
