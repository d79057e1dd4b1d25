#pragma once

#include <map>
#include <string>

#include "base/clock.h"
#include "identity/snapshot.h"
#include "store/connection.h"

namespace isthmus::identity {

/// What the server of a connection said of itself, as its adapter keeps it: Context::facts_json.
struct Facts {
  std::string json;
  Instant at;  ///< when it was asked
};

/// Names the descriptor and the fields that facts are asked for.
[[nodiscard]] Bytes facts_key(const Connection& connection);
/// Those of connections whose descriptor and fields are still the ones that they were asked for.
[[nodiscard]] Result<std::map<std::int64_t, Facts>> read_facts(store::Connection& db, const Snapshot& snapshot);

/// Keeps them in the caller's transaction, and moves the administration's version when they are others than before, so
/// that every node reads them.
[[nodiscard]] Result<void> put_facts(store::Transaction& tx, const Connection& connection, const Facts& facts);

}  // namespace isthmus::identity
