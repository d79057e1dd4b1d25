#pragma once

#include "adapter/contract.h"
#include "adapter/detail/descriptor.h"

namespace isthmus::adapter::detail {

[[nodiscard]] Result<Step> advance_deliver(const Descriptor& descriptor, const Context& context, const Deliver& task,
                                           const Bytes& state, const Input& input);
[[nodiscard]] Result<Step> advance_reconcile(const Descriptor& descriptor, const Context& context,
                                             const Reconcile& task, const Bytes& state, const Input& input);
[[nodiscard]] Result<Step> advance_collect(const Descriptor& descriptor, const Context& context, const Collect& task,
                                           const Input& input);
/// task.what: kCheckFacts, or anything else for whose account it is.
[[nodiscard]] Result<Step> advance_check(const Descriptor& descriptor, const Context& context, const Check& task,
                                         const Input& input);

/// The end of a task that could not get its answer: later, or MISCONFIGURED for a person.
[[nodiscard]] Step stopped(Verdict verdict, std::string reason, std::int64_t not_before = 0);

[[nodiscard]] Result<std::vector<Event>> parse_call(const Descriptor& descriptor, const Context& context,
                                                    const Call& call);
[[nodiscard]] Result<Answer> answer_challenge(const Descriptor& descriptor, const Context& context, const Call& call);
[[nodiscard]] Result<std::vector<Problem>> problems_of(const Descriptor& descriptor, const Context& context,
                                                       const Command& command);
[[nodiscard]] std::vector<std::string> hosts_of(const Descriptor& descriptor, const Context& context);

}  // namespace isthmus::adapter::detail
