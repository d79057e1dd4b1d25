#pragma once

#include <string_view>

#include "base/result.h"
#include "expression/value.h"

namespace isthmus::adapter::detail {

/// An RSS 2.0, RDF (RSS 1.0) or Atom feed as one shape, so that a descriptor reads all of them alike:
///   {"title", "link", "items": [{"id", "link", "title", "summary", "content", "author", "published" (RFC 3339),
///   "updated"}]}
/// Absent parts are absent; HTML in them is kept as text. Bounded: 4 MiB, 64 levels, 5,000 items; document types are
/// refused, so that no entity can grow. Errors: feed.bad. Pure.
[[nodiscard]] Result<expression::Value> read_feed(std::string_view xml);

}  // namespace isthmus::adapter::detail
