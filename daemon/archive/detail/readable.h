#pragma once

#include <string>

#include "archive/bag.h"

namespace isthmus::archive::detail {

// The views of a bag for people: a table for a spreadsheet and a page. They add nothing to records.ndjson.

/// What a person wants to read of a body: who and what. Looks where our formats keep it; else the JSON itself.
struct Summary {
  std::string author;
  std::string text;
};
[[nodiscard]] Summary summary_of(const std::string& body);

[[nodiscard]] std::string csv_head();
/// RFC 4180, lines end in CRLF. A cell that a spreadsheet would take for a formula gets an apostrophe before it.
[[nodiscard]] std::string csv_row(const BagRecord& record, const Header& header);

[[nodiscard]] std::string html_head(const BagInfo& info);
[[nodiscard]] std::string html_row(const BagRecord& record, const Header& header);
[[nodiscard]] std::string html_tail();

}  // namespace isthmus::archive::detail
