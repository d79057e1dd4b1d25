#pragma once

#include <string>
#include <vector>

#include "adapter/contract.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "identity/snapshot.h"
#include "store/connection.h"

namespace isthmus::delivery {

/// A command's last word, in the transaction that writes it.
struct Ended {
  const identity::Connection* connection = nullptr;
  Uuid command;
  adapter::Verb verb = adapter::Verb::publish;
  std::string body_format;
  std::string body;
  adapter::Verdict verdict = adapter::Verdict::delivered;
  std::string remote_id;
  std::string remote_url;
  Uuid record;
  Instant at;
};

/// What a later room does with ended commands (our own message in its conversation), inside the same transaction.
class EndSink {
 public:
  virtual ~EndSink() = default;
  [[nodiscard]] virtual Result<void> ended(store::Transaction& tx, int lane, const std::vector<Ended>& commands) = 0;
};

}  // namespace isthmus::delivery
