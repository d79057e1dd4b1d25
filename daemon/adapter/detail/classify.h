#pragma once

#include <string>
#include <vector>

#include "adapter/contract.h"
#include "adapter/detail/descriptor.h"

namespace isthmus::adapter::detail {

/// What a reply, or its loss, means for the step that asked.
struct Fate {
  enum class Kind { success, skip, go, verdict, presence };
  Kind kind = Kind::success;
  Verdict verdict = Verdict::retry;
  Presence presence = Presence::unknown;
  std::string go;
  std::string reason;
  std::int64_t not_before_ms = 0;
  std::string remote_id;
  std::string remote_url;
};

/// Which request was answered.
struct Asked {
  const std::vector<Rule>* rules = nullptr;      ///< of the step, before the descriptor's
  const std::vector<std::string>* ok = nullptr;  ///< statuses of success; nullptr or empty: 2xx
  std::string_view operation;
  bool replay_safe = false;
};

/// The first rule that holds, the step's before the descriptor's; then success; then the table of
/// docs/formats/descriptor-1.md. scope has the reply's names (Reading::set_reply) already.
[[nodiscard]] Fate classify(const Descriptor& descriptor, const Asked& asked, const HttpReply& reply,
                            std::int64_t now_ms, const expression::Scope& scope);
[[nodiscard]] Fate classify(const Descriptor& descriptor, const Asked& asked, Loss loss,
                            const expression::Scope& scope);

/// The verdict of a status that no rule knows.
[[nodiscard]] Verdict verdict_of_status(std::int32_t status, bool replay_safe);

[[nodiscard]] bool matches_status(const std::vector<std::string>& patterns, std::int32_t status);
/// Status, code and condition of a rule that is not about a loss.
[[nodiscard]] bool holds(const Rule& rule, std::int32_t status, std::string_view code, std::string_view operation,
                         const expression::Scope& scope);

/// One item of a batch, by its own code.
[[nodiscard]] Fate classify_item(const std::vector<Rule>& rules, std::int32_t status, std::string_view code,
                                 const expression::Scope& scope);

}  // namespace isthmus::adapter::detail
