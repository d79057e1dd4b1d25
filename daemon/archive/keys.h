#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"
#include "base/result.h"
#include "base/secret.h"

namespace isthmus::archive {

/// 32 bytes of a key from a credential file: the bytes themselves, or 64 hexadecimal digits and at most one newline.
/// Error key.bad, which does not quote the text.
[[nodiscard]] Result<Secret> key_from_text(std::string_view text);

/// The key that wraps day keys; held in memory only. Its id is public: a keyed hash, 16 hexadecimal digits.
class MasterKey {
 public:
  /// Error key.bad unless there are 32 bytes.
  static Result<MasterKey> from_secret(Secret key);
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const Secret& secret() const { return key_; }

 private:
  MasterKey(Secret key, std::string id) : key_(std::move(key)), id_(std::move(id)) {}
  Secret key_;
  std::string id_;
};

/// The key that wraps the record keys of one UTC day. Its id is that day, counted from 1970-01-01.
struct DayKey {
  std::int32_t id = 0;
  Secret key;
};

/// A day key as it is stored.
struct WrappedDayKey {
  std::int32_t id = 0;
  std::string master_key_id;
  Bytes wrapped;  ///< AES-256-GCM, bound to both ids
};

[[nodiscard]] DayKey make_day_key(std::int32_t id, Random& random);
[[nodiscard]] WrappedDayKey wrap(const MasterKey& master, const DayKey& key);
/// Errors: key.unknown-master (wrapped by another master key), seal.refused (changed bytes or id).
[[nodiscard]] Result<DayKey> unwrap(const MasterKey& master, const WrappedDayKey& wrapped);
/// Rotation of the master key: records and their wrapped keys stay as they are.
[[nodiscard]] Result<WrappedDayKey> rewrap(const MasterKey& from, const MasterKey& to, const WrappedDayKey& wrapped);

}  // namespace isthmus::archive
