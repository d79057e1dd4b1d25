#pragma once

#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "base/json.h"
#include "config/yaml.h"
#include "mapping/detail/plan.h"

namespace isthmus::mapping {

/// Fills a plan from a mapping file's tree; whatever is wrong goes to diagnostics, and the plan is then not to be used.
void load_plan(const config::Node& root, Plan& plan, Diagnostics& diagnostics);

/// Reads the examples of a mapping; part of load_plan, in a file of its own.
void load_examples(std::span<const config::Node> nodes, const std::string& path, Plan& plan, Diagnostics& diagnostics);

/// Writes a YAML value as JSON: unquoted true, false, null and whole numbers are what they look like, the rest is text.
void write_json(const config::Node& node, JsonWriter& writer);

}  // namespace isthmus::mapping
