#pragma once

#include <map>
#include <string>

#include "base/secret.h"
#include "identity/snapshot.h"
#include "store/connection.h"

namespace isthmus::identity {

/// Secrets of connections (tokens, passwords, webhook keys), sealed with AES-256-GCM under a key derived from the
/// master key and bound to their connection and field. Thread safe.
class Vault {
 public:
  explicit Vault(const Secret& master);

  /// Stores a secret in the caller's transaction. An empty secret never replaces one (error vault.empty): that is how
  /// tools lose grants.
  [[nodiscard]] Result<void> put(store::Transaction& tx, const Connection& connection, const std::string& field,
                                 const Secret& secret) const;
  /// All secrets of a connection by field. Error seal.refused when one was sealed under another master key or moved.
  [[nodiscard]] Result<std::map<std::string, Secret>> get(store::Connection& db, const Connection& connection) const;
  /// The installation's own key of this name, made on first use; the same on every node.
  [[nodiscard]] Result<Secret> installation_key(store::Connection& db, const std::string& name) const;

 private:
  Secret key_;
};

}  // namespace isthmus::identity
