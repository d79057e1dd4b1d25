#pragma once

#include <string>
#include <vector>

#include "adapter/contract.h"
#include "adapter_types.h"

/// The contract's values as Thrift has them, and back. What comes back is a stranger's: from_wire refuses
/// (adapter.fault) what the contract does not allow, so that no other room meets it.
namespace isthmus::adapter::detail {

[[nodiscard]] wire::Context to_wire(const Context& context);
[[nodiscard]] wire::Command to_wire(const Command& command);
[[nodiscard]] wire::Task to_wire(const Task& task);
[[nodiscard]] wire::Input to_wire(const Input& input);
[[nodiscard]] wire::Call to_wire(const Call& call);

[[nodiscard]] Result<Step> from_wire(wire::Step step);
[[nodiscard]] Result<std::vector<Event>> from_wire(std::vector<wire::Event> events);
[[nodiscard]] Result<Answer> from_wire(wire::Answer answer);
[[nodiscard]] Result<std::vector<Problem>> from_wire(std::vector<wire::Problem> problems);

}  // namespace isthmus::adapter::detail
