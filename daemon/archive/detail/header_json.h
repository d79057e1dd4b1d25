#pragma once

#include "archive/record.h"

namespace isthmus::archive::detail {

/// The header in RFC 8785 form: members in the order of their names, no white space.
[[nodiscard]] Bytes write_header(const Header& header);

}  // namespace isthmus::archive::detail
