#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "adapter/contract.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "journal/keys.h"
#include "journal/lanes.h"
#include "store/connection.h"

namespace isthmus::journal {

/// A command as it is made: mapped, decided, ready to be logged.
struct NewCommand {
  Uuid id;
  int lane = 0;
  std::int64_t connection = 0;
  adapter::Verb verb = adapter::Verb::publish;
  std::string operation;
  Bytes order_key;  ///< commands of one (connection, key) leave in order
  std::string remote_id;
  std::optional<Instant> not_after;
  Uuid decision;
  std::vector<std::string> purposes;
  std::string body_format;  ///< "post/1", ...
  std::string route;        ///< that made it; empty: a principal did
  std::int64_t author = 0;  ///< principal that made it; 0: a route did
  Sealed body;              ///< sealed with body_binding(id)
};

struct OutboxRow {
  std::int64_t seq = 0;
  NewCommand command;
  bool parked = false;  ///< stands in parked under its number, in whatever state: not to be sent from here
};

[[nodiscard]] std::string body_binding(const Uuid& command);

/// The id of a command is derived, so that what is made twice is one command.
[[nodiscard]] Uuid command_id(const Secret& installation_key, std::initializer_list<std::string_view> parts);

/// Which of these were not in the ledger yet, and now are. Rows in key order.
[[nodiscard]] Result<std::set<Uuid>> enter_ledger(store::Transaction& tx, std::span<const NewCommand> commands,
                                                  Instant now);
/// Appends to the log of each lane. Takes numbers: lanes in rising order, after every other lock.
[[nodiscard]] Result<void> append_outbox(store::Transaction& tx, std::span<const NewCommand> commands, Instant now);
/// The next rows of a connection beyond a position, in order.
[[nodiscard]] Result<std::vector<OutboxRow>> read_outbox(store::Connection& db, int lane, std::int64_t connection,
                                                         std::int64_t after, int rows_max);
/// The next number of each lane (index) in a stage: one small statement that tells which lanes moved.
[[nodiscard]] Result<std::vector<std::int64_t>> heads(store::Connection& db, Stage stage);

}  // namespace isthmus::journal
