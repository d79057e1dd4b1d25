#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"

namespace isthmus::http {

/// One part of multipart/form-data (RFC 7578), from memory.
struct Part {
  std::string name;
  std::optional<std::string> filename{};
  std::optional<std::string> content_type{};
  Bytes data{};
};

struct MultipartBody {
  std::string content_type;  ///< multipart/form-data; boundary=...
  Bytes body;
};

/// The same parts always give the same bytes: the boundary is derived from them, and occurs in none.
/// Quotes, CR and LF in names are escaped as browsers do (%22, %0D, %0A).
[[nodiscard]] MultipartBody encode_multipart(const std::vector<Part>& parts);

}  // namespace isthmus::http
