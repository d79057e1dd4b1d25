#pragma once

#include <optional>
#include <string>

#include "journal/decisions.h"
#include "journal/outbox.h"
#include "publishing/publisher.h"

namespace isthmus::publishing {

/// One connection that a post or a metric goes to, with what was decided for it.
struct Publisher::Target {
  const identity::Connection* connection = nullptr;
  const adapter::Adapter* adapter = nullptr;
  const adapter::OperationSpec* operation = nullptr;
  Uuid command;
  std::optional<Instant> not_after;
  journal::DecisionRow decision;
};

/// A decision as it is stored and archived. The text of a refused post has no other record: refused_body carries it
/// into this one.
[[nodiscard]] journal::DecisionRow to_row(const policy::Decision& decision, const Uuid& id, const Uuid& command,
                                          std::int64_t connection, std::int64_t principal);
[[nodiscard]] std::string decision_json(const journal::DecisionRow& row, const std::string& target,
                                        const std::string& principal, const std::string& comment,
                                        const std::string& refused_body = {});
[[nodiscard]] std::string command_json(const journal::NewCommand& command, const std::string& target,
                                       const std::string& author, const std::string& body);
/// What policy calls the act of a command that a person made.
[[nodiscard]] std::string action_of(const journal::NewCommand& command);
/// What policy says today of a parked command, asked by this principal; `released` are "pack/rule" of holds that do not
/// hold it again. Error json.* when its body is no JSON.
[[nodiscard]] Result<journal::DecisionRow> ask(const policy::PackSet& packs, Random& random,
                                               const identity::World& world, const identity::Principal& principal,
                                               const std::string& action, const identity::Connection& connection,
                                               const journal::Parked& parked, const std::vector<std::string>& released);
/// What the network would refuse, as people read it: "the text has 400 characters, 300 are allowed (text.too-long)".
[[nodiscard]] std::string sentence_of(const adapter::Problem& problem);
/// The body with created_at, which is set when it is absent.
[[nodiscard]] std::string with_created_at(const expression::Value& post, Instant now);

}  // namespace isthmus::publishing
