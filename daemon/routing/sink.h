#pragma once

#include <string>
#include <vector>

#include "adapter/contract.h"
#include "base/uuid.h"
#include "identity/snapshot.h"
#include "store/connection.h"

namespace isthmus::routing {

/// An event that is new to us, in the transaction that makes it so.
struct NewEvent {
  const identity::Connection* connection = nullptr;
  const adapter::Event* event = nullptr;
  Uuid record;
};

/// What a later room does with new events (a conversation to update), inside the same transaction.
class EventSink {
 public:
  virtual ~EventSink() = default;
  /// Events of one lane, in order. An error fails the whole batch.
  [[nodiscard]] virtual Result<void> received(store::Transaction& tx, int lane,
                                              const std::vector<NewEvent>& events) = 0;
};

}  // namespace isthmus::routing
