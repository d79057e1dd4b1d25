#pragma once

#include <string>

#include "adapter/contract.h"

namespace isthmus::adapter::detail {

/// One request as a JSON line for a check against a vendor's description: system, method, url, headers, body (JSON),
/// form, object. What authenticates it stands there with a placeholder for the secret.
[[nodiscard]] std::string request_line(const Description& description, const HttpRequest& request,
                                       const std::string& object);

}  // namespace isthmus::adapter::detail
