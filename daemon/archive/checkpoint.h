#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "archive/merkle.h"
#include "base/crypto.h"

namespace isthmus::archive {

/// Signs notes as C2SP signed-note says (https://c2sp.org/signed-note, read 2026-11-24), with Ed25519 (type 0x01).
/// Thread safe.
class NoteSigner {
 public:
  /// @param name the origin of the log. Error note.bad-name: empty, over 255 bytes, or other than visible ASCII without
  /// "+".
  static Result<NoteSigner> create(std::string name, crypto::SigningKey key);
  /// The whole note. The text ends in a newline and has no control characters but newlines (checked).
  [[nodiscard]] std::string sign(std::string_view text) const;
  /// name+key id+base64(0x01 || public key): what an auditor is given.
  [[nodiscard]] std::string verifier_key() const;
  [[nodiscard]] const std::string& name() const { return name_; }

 private:
  NoteSigner(std::string name, crypto::SigningKey key);
  std::string name_;
  crypto::SigningKey key_;
  Bytes key_id_;
};

/// The head of a log, as C2SP tlog-checkpoint says (https://c2sp.org/tlog-checkpoint, read 2026-11-24).
struct Checkpoint {
  std::string origin;
  std::uint64_t size = 0;
  Hash root;

  bool operator==(const Checkpoint&) const = default;
  [[nodiscard]] std::string text() const;  ///< three lines: origin, size, root in base64
};

/// The head in a note of our own, read back from the database or the state folder. Does not check the signature: the
/// tree itself is rebuilt and compared. Error checkpoint.bad.
[[nodiscard]] Result<Checkpoint> parse_checkpoint(std::string_view note);

}  // namespace isthmus::archive
