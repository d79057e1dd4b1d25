#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace verify {

/// What an auditor trusts: the key of a log, as C2SP signed-note writes it, name+key id+base64(0x01 || public key).
struct VerifierKey {
  std::string name;
  std::string key_id;      ///< 4 bytes
  std::string public_key;  ///< 32 bytes
};
/// Empty when it is none, is of another type than Ed25519 (0x01), or its key id is not that of name and key.
[[nodiscard]] std::optional<VerifierKey> read_key(std::string_view text);

enum class OtherSignatures { ignored, refused };

/// The text of a note that this key signed; empty when the note is malformed or the signature is missing or does not
/// hold. With `refused`, the note has this one signature and no byte besides: every byte of it counts.
[[nodiscard]] std::optional<std::string> open_note(std::string_view note, const VerifierKey& key,
                                                   OtherSignatures others);

}  // namespace verify
