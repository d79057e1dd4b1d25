#pragma once

#include <string>
#include <string_view>

#include "adapter/contract.h"
#include "delivery/item.h"

namespace isthmus::delivery {

/// The body of the record of a command's end, command.ended.
[[nodiscard]] std::string ended_body(const Item& item, const std::string& connection, std::string_view verdict,
                                     const adapter::Outcome& outcome, int status);

}  // namespace isthmus::delivery
