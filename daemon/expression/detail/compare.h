#pragma once

#include "expression/detail/program.h"

namespace isthmus::expression {

/// The comparisons of the language. Equality never fails; order holds between two numbers or two texts (by bytes), else
/// it fails; in and contains look into a list, a text (for a text) or an object (for a key), and find nothing in null.
[[nodiscard]] Outcome compare_values(Operator operation, const Value& left, const Value& right);

/// About the bytes of a value as JSON; counting stops above enough.
[[nodiscard]] std::size_t json_bytes(const Value& value, std::size_t enough);

}  // namespace isthmus::expression
