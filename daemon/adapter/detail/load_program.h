#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "adapter/detail/descriptor.h"
#include "base/diagnostic.h"

namespace isthmus::adapter::detail {

/// Reads what a program's describe() gives: the descriptor's words as JSON, without what the program does itself
/// (requests, events, classification). The strict rules of descriptor files hold. @param file names the program in
/// diagnostics.
/// @return nullptr when anything is wrong; all mistakes are in diagnostics.
[[nodiscard]] std::shared_ptr<const Descriptor> load_program(std::string_view json, const std::string& file,
                                                             Diagnostics& diagnostics);

}  // namespace isthmus::adapter::detail
