#pragma once

#include <string>

#include "journal/keys.h"
#include "store/connection.h"

namespace isthmus::journal {

/// A medium, named by the SHA-256 of its bytes; stored sealed under a key of its own.
struct Blob {
  std::string hash;  ///< 64 hexadecimal digits
  std::string mime;
  Bytes bytes;
};

/// Stores a medium once; its hash is its name.
[[nodiscard]] Result<void> put_blob(store::Connection& db, const Keys& keys, const Blob& blob);
/// Errors: blob.unknown, seal.refused.
[[nodiscard]] Result<Blob> get_blob(store::Connection& db, const Keys& keys, const std::string& hash);

}  // namespace isthmus::journal
