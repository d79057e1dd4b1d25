#pragma once

#include <optional>
#include <string>

#include "adapter/contract.h"
#include "adapter/detail/descriptor.h"

namespace isthmus::adapter::detail {

/// A request, or why it cannot be built from what is there (a missing field, a value that its place cannot hold).
struct Rendered {
  std::optional<HttpRequest> request;
  std::string reason;  ///< no content
};

/// Fills a request's plan. Every interpolation is encoded by its place: path segment, query value, header, form value,
/// JSON text.
[[nodiscard]] Rendered render(const RequestPlan& plan, const std::optional<expression::Template>& base_url,
                              const std::vector<std::pair<std::string, expression::Template>>& common_headers,
                              std::int32_t timeout_ms, const expression::Scope& scope);

/// The same with the descriptor's base_url, headers and timeout.
[[nodiscard]] Rendered render(const RequestPlan& plan, const Descriptor& descriptor, const expression::Scope& scope);

}  // namespace isthmus::adapter::detail
