#pragma once

#include <functional>
#include <string>
#include <vector>

#include "adapter/detail/golden_case.h"

namespace isthmus::adapter::detail {

/// Plays one case. @param sent called with every request that the adapter makes, in order.
/// @return what differs from what the case says, each a readable text; empty: it is as written.
[[nodiscard]] std::vector<std::string> play(const Adapter& adapter, const GoldenCase& golden,
                                            const std::function<void(const HttpRequest&, const GoldenExchange&)>& sent);

/// What differs between a request and what is expected of it.
[[nodiscard]] std::vector<std::string> differences(const HttpRequest& request, const GoldenExchange& expected);

/// name=value pairs of a form or query, decoded.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> form_pairs(std::string_view form);

}  // namespace isthmus::adapter::detail
