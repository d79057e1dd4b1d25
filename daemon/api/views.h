#pragma once

#include <string>

#include "base/uuid.h"
#include "store/connection.h"

/// What people read of the journal, as JSON that PostgreSQL puts together from one consistent statement each.
namespace isthmus::api {

/// A post with the state of each target; empty when there is none with this id.
[[nodiscard]] Result<std::string> view_post(store::Connection& db, const Uuid& id);
/// Commands, newest first, at most 200; connection and state narrow it unless empty.
[[nodiscard]] Result<std::string> view_commands(store::Connection& db, const std::string& connection,
                                                const std::string& state);
/// Decisions, newest first, at most 200; effect "permit", "warn", "hold", "forbid" or empty.
[[nodiscard]] Result<std::string> view_decisions(store::Connection& db, const std::string& effect);
/// Parked commands, newest first, at most 200, and how many there are in all.
[[nodiscard]] Result<std::string> view_parked(store::Connection& db);
/// Calls that stand beside the log, newest first, at most 200, and how many there are in all.
[[nodiscard]] Result<std::string> view_quarantine(store::Connection& db);
[[nodiscard]] Result<std::string> view_connections(store::Connection& db);

}  // namespace isthmus::api
