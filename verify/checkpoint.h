#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "note.h"

namespace verify {

/// The head of a log (C2SP tlog-checkpoint).
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  std::string root;  ///< 32 bytes
};
/// Empty unless this key signed it for the log of its own name. Signatures of others, as of witnesses, are ignored.
[[nodiscard]] std::optional<Checkpoint> read_checkpoint(std::string_view note, const VerifierKey& key);

/// What binds a bag to the key: the text of bag-signature.txt.
struct BagSignature {
  std::string origin;
  std::uint64_t size = 0;
  std::uint64_t records = 0;
  std::string tag_manifest_sha256;  ///< 32 bytes
};
[[nodiscard]] std::optional<BagSignature> read_bag_text(std::string_view text);

}  // namespace verify
