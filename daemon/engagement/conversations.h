#pragma once

#include <string>
#include <vector>

#include "base/secret.h"
#include "delivery/sink.h"
#include "routing/sink.h"

namespace isthmus::engagement {

/// Keeps one conversation for each (connection, first message): what came in and what we sent, in order. Writes inside
/// the transactions of routing and delivery, so that a conversation never shows what did not happen.
///
/// Threads: any. A conversation's id is derived from its connection and root, so two stages that meet it first make the
/// same one.
class Conversations final : public routing::EventSink, public delivery::EndSink {
 public:
  explicit Conversations(Secret installation_key) : key_(std::move(installation_key)) {}

  [[nodiscard]] Result<void> received(store::Transaction& tx, int lane,
                                      const std::vector<routing::NewEvent>& events) override;
  [[nodiscard]] Result<void> ended(store::Transaction& tx, int lane,
                                   const std::vector<delivery::Ended>& commands) override;

 private:
  struct Message {
    const identity::Connection* connection = nullptr;
    std::string root, id, kind, author, text, url, reply_to;
    int direction = 1;  ///< 1: received, 2: sent
    Uuid record;
    Instant at;
  };
  [[nodiscard]] Result<std::string> find_root(store::Transaction& tx, int lane, const Message& message) const;
  Result<void> add(store::Transaction& tx, int lane, Message message);

  Secret key_;
};

/// Conversations of a connection (all when empty), newest first, as the JSON of GET /api/v1/conversations.
[[nodiscard]] Result<std::string> list_conversations(store::Connection& db, const std::string& connection,
                                                     int rows_max);

}  // namespace isthmus::engagement
