#pragma once

#include <string>

#include "expression/value.h"

namespace isthmus::mapping {

/// Where two values differ, a line each: "person.email: expected "a", found "b"". Empty when they are equal.
[[nodiscard]] std::string difference(const expression::Value& expected, const expression::Value& found);

}  // namespace isthmus::mapping
