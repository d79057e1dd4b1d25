#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "json.h"

namespace verify {

/// The header of a record in format 1.
struct RecordHeader {
  std::string_view raw;  ///< what is hashed into the log
  std::string id;
  std::string kind;
  std::string commitment;  ///< 32 bytes
};
[[nodiscard]] std::optional<RecordHeader> read_header(const Json& json);

/// One line of data/records.ndjson, its members checked but not yet what they say.
struct RecordLine {
  std::uint64_t index = 0;
  const Json* header = nullptr;
  const Json* body = nullptr;  ///< null when it is not shown
  std::string salt;            ///< 32 bytes when there is a body
  std::optional<std::uint64_t> tombstone;
};
/// Points into `json`.
[[nodiscard]] std::optional<RecordLine> read_record_line(const Json& json);

/// Object, at most 65535 bytes, at most 32 levels.
[[nodiscard]] bool is_body(const Json& body);

/// One line of data/proofs.ndjson.
struct ProofLine {
  std::uint64_t index = 0;
  std::vector<std::string> path;  ///< 32 bytes each, at most 64
};
[[nodiscard]] std::optional<ProofLine> read_proof_line(std::string_view line);

}  // namespace verify
