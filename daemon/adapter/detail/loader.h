#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "adapter/detail/descriptor.h"
#include "config/reader.h"

/// Reads a descriptor file into its plan, a function a part of the file; all mistakes are collected, a part with a
/// mistake is empty.
namespace isthmus::adapter::detail {

using config::MapReader;
using config::Node;
using NamedTemplates = std::vector<std::pair<std::string, expression::Template>>;
using NamedValues = std::vector<std::pair<std::string, ValuePlan>>;

/// The whole; nullptr when anything is wrong.
[[nodiscard]] std::shared_ptr<const Descriptor> load_descriptor(std::string_view yaml, const std::string& file,
                                                                Diagnostics& diagnostics);

// Pieces that several parts share.
[[nodiscard]] std::optional<expression::Template> read_template(MapReader& reader, std::string_view key,
                                                                const Compile& compile);
[[nodiscard]] std::optional<expression::Expression> read_condition(MapReader& reader, std::string_view key,
                                                                   const Compile& compile);
[[nodiscard]] NamedTemplates read_templates(MapReader& reader, std::string_view key, const Compile& compile);
[[nodiscard]] NamedValues read_values(MapReader& reader, std::string_view key, const Compile& compile);
[[nodiscard]] ValuePlan read_value(MapReader& reader, std::string_view key, const Compile& compile);
[[nodiscard]] std::vector<std::string> read_words(MapReader& reader, std::string_view key,
                                                  Diagnostics& diagnostics);  ///< one or a list

/// request, query, headers, json | form | text | blob | multipart, content_type, replay_safe, timeout.
[[nodiscard]] RequestPlan read_request(MapReader& reader, const Compile& compile, bool replay_safe);
[[nodiscard]] std::vector<Rule> read_rules(MapReader& reader, std::string_view key, const Compile& compile);
/// A list of conditions alone, as refresh_on has it.
[[nodiscard]] std::vector<Rule> read_whens(MapReader& reader, std::string_view key, const Compile& compile);
/// `steps`, or the one step that the map itself is.
[[nodiscard]] std::vector<StepPlan> read_steps(MapReader& reader, const Compile& compile, bool replay_safe);
void check_go_targets(const MapReader& at, const std::vector<StepPlan>& steps, Diagnostics& diagnostics);

// What a program's description and a descriptor file both have.
void read_header(MapReader& reader, Description& out);  ///< adapter, contract, version, kind, title
void read_fields(MapReader& reader, Diagnostics& diagnostics, Description& out);
[[nodiscard]] std::vector<std::string> connection_names(const Description& description);  ///< what texts may read
void read_limits(MapReader& reader, Diagnostics& diagnostics, LimitSpec& out);
[[nodiscard]] std::int64_t read_facts_every(MapReader& facts);  ///< milliseconds
void read_hosts(MapReader& reader, const Compile& compile, Descriptor& out);
void read_spec(MapReader& op, const std::string& name, OperationSpec& spec);  ///< all but batch and reconcile
void read_verify(MapReader& webhook, const std::vector<std::string>& secrets, WebhookRecipe& out);

void read_operations(MapReader& reader, const Compile& compile, Descriptor& out);
void read_streams(MapReader& reader, const Compile& compile, Descriptor& out);
void read_webhook(MapReader& reader, const Compile& compile, Descriptor& out);
void read_auth(MapReader& reader, const Compile& compile, Descriptor& out);

/// Names of a reply: $ (its JSON), reply.status, reply.headers, reply.text, failure.
[[nodiscard]] Compile with_reply(const Compile& compile);

}  // namespace isthmus::adapter::detail
