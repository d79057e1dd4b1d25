#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"

struct evp_md_ctx_st;

namespace isthmus::crypto {

/// SHA-256 over bytes that arrive in pieces. One thread.
class Sha256 {
 public:
  Sha256();
  Sha256& update(std::string_view piece);
  /// The hash (32 bytes) of all pieces so far; then starts again with none.
  [[nodiscard]] Bytes finish();

 private:
  struct Free {
    void operator()(evp_md_ctx_st* context) const;
  };
  std::unique_ptr<evp_md_ctx_st, Free> context_;
};

}  // namespace isthmus::crypto
