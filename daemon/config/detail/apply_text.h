#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "config/apply_file.h"

namespace isthmus::config::detail {

/// An item's keys in canonical order with their values as YAML text on one line; keys with nothing to say are left out.
/// The writer and the comparison share it, so that they cannot disagree on what an item is.
using Attributes = std::vector<std::pair<std::string, std::string>>;

[[nodiscard]] Attributes attributes(const ApplyFile::Unit& unit);
[[nodiscard]] Attributes attributes(const ApplyFile::Principal& principal);
[[nodiscard]] Attributes attributes(const ApplyFile::Connection& connection);
[[nodiscard]] Attributes attributes(const ApplyFile::Route& route);

[[nodiscard]] inline std::string key(const ApplyFile::Unit& unit) { return unit.name; }
[[nodiscard]] inline std::string key(const ApplyFile::Principal& p) {
  return p.issuer == "local" ? p.subject : p.issuer + " " + p.subject;
}
[[nodiscard]] inline std::string key(const ApplyFile::Connection& connection) { return connection.name; }
[[nodiscard]] inline std::string key(const ApplyFile::Route& route) { return route.name; }

}  // namespace isthmus::config::detail
