#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string_view>

#include "adapter/auth.h"
#include "adapter/contract.h"
#include "base/guarded.h"
#include "base/log.h"
#include "identity/facts.h"
#include "identity/snapshot.h"
#include "identity/vault.h"
#include "store/pool.h"

namespace isthmus::identity {

/// Finds an adapter by its name; nullptr when this node has none. The adapter lives as long as the process.
using FindAdapter = std::function<const adapter::Adapter*(std::string_view name)>;

/// One moment of what is administered, with what a node needs to act on it.
struct World {
  std::shared_ptr<const Snapshot> snapshot;
  std::map<std::int64_t, adapter::Secrets> secrets;          ///< by connection
  std::map<std::int64_t, const adapter::Adapter*> adapters;  ///< by connection; only those that may act
  std::map<std::int64_t, std::string> suspended;             ///< connection -> why it may not act
  std::map<std::int64_t, Facts> facts;                       ///< by connection; only those whose server told some

  [[nodiscard]] const adapter::Adapter* adapter_of(std::int64_t connection) const;
  [[nodiscard]] const adapter::Secrets& secrets_of(std::int64_t connection) const;
  /// What an adapter is told when it acts for this connection now: its fields, and what its server said of itself.
  [[nodiscard]] adapter::Context context_of(const Connection& connection, Instant now) const;
};

/// The current World, replaced as a whole when the administration moved. Thread safe.
class Directory {
 public:
  Directory(store::Pool& pool, const Vault& vault, FindAdapter find, Log& log)
      : pool_(pool), vault_(vault), find_(std::move(find)), log_(log) {}

  /// Reads the world again when its version moved; whether it did. On an error the old world stays.
  [[nodiscard]] Result<bool> refresh();
  [[nodiscard]] std::shared_ptr<const World> current() const;

 private:
  store::Pool& pool_;
  const Vault& vault_;
  FindAdapter find_;
  Log& log_;
  Guarded<std::shared_ptr<const World>> world_;
};

}  // namespace isthmus::identity
