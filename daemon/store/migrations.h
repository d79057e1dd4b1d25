#pragma once

#include <string>
#include <vector>

#include "store/connection.h"

namespace isthmus::store {

/// One step of the schema. Its text begins with `-- runs_from: VERSION`, the oldest release that may use the schema
/// after it.
struct Migration {
  std::string name;  ///< "0001_foundation"
  std::string sql;
};

/// The migrations built into this program, in order.
[[nodiscard]] std::vector<Migration> built_in_migrations();

/// Applies what is missing, each in a transaction of its own, under an advisory lock; names of what was applied.
/// Errors: store.migration (a changed text of an applied migration, or a failing statement), store.newer-schema (the
/// database was migrated by a newer release that this one may not use: exit 78).
[[nodiscard]] Result<std::vector<std::string>> migrate(Connection& connection,
                                                       const std::vector<Migration>& migrations);

/// True when every migration is applied and none is unknown.
[[nodiscard]] Result<bool> is_current(Connection& connection, const std::vector<Migration>& migrations);

}  // namespace isthmus::store
