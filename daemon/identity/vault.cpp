#include "identity/vault.h"

#include "base/crypto.h"

namespace isthmus::identity {
namespace {

std::string binding(const Connection& connection, std::string_view field) {
  return connection.uuid.to_string() + "/" + std::string(field);
}

}  // namespace

Vault::Vault(const Secret& master) : key_(crypto::hmac_sha256(master.reveal(), "isthmus vault 1")) {}

Result<void> Vault::put(store::Transaction& tx, const Connection& connection, const std::string& field,
                        const Secret& secret) const {
  if (secret.empty())
    return fail("vault.empty", "an empty secret was refused for " + connection.name + "." + field,
                "give the secret again");
  auto done = tx.exec(
      "INSERT INTO connection_secret (connection, field, sealed) VALUES ($1, $2, $3) "
      "ON CONFLICT (connection, field) DO UPDATE SET sealed = EXCLUDED.sealed, at = now()",
      {store::Param::integer(connection.id), field,
       store::Param::bytes(crypto::seal(key_, secret.reveal(), binding(connection, field)))});
  if (!done) return fail(std::move(done).error());
  return {};
}

Result<std::map<std::string, Secret>> Vault::get(store::Connection& db, const Connection& connection) const {
  auto rows = db.exec("SELECT field, sealed FROM connection_secret WHERE connection = $1",
                      {store::Param::integer(connection.id)});
  if (!rows) return fail(std::move(rows).error());
  std::map<std::string, Secret> secrets;
  for (int i = 0; i < rows->size(); ++i) {
    auto plain = crypto::unseal(key_, rows->bytes(i, 1), binding(connection, rows->text(i, 0)));
    if (!plain) {
      return fail(
          "seal.refused",
          "the secret " + std::string(rows->text(i, 0)) + " of connection " + connection.name + " does not open",
          "the credential vault-key is not the one it was sealed with: restore it, or set the secret again");
    }
    secrets.emplace(rows->text(i, 0), Secret(std::move(*plain)));
  }
  return secrets;
}

Result<Secret> Vault::installation_key(store::Connection& db, const std::string& name) const {
  const Secret fresh(crypto::random_bytes(crypto::kKeyBytes));
  auto made = db.exec("INSERT INTO installation (name, sealed) VALUES ($1, $2) ON CONFLICT DO NOTHING",
                      {name, store::Param::bytes(crypto::seal(key_, fresh.reveal(), "installation/" + name))});
  if (!made) return fail(std::move(made).error());
  auto rows = db.exec("SELECT sealed FROM installation WHERE name = $1", {name});
  if (!rows) return fail(std::move(rows).error());
  auto plain = crypto::unseal(key_, rows->bytes(0, 0), "installation/" + name);
  if (!plain) {
    return fail("seal.refused", "the installation key " + name + " does not open",
                "the credential vault-key is not the one this database was made with: restore it");
  }
  return Secret(std::move(*plain));
}

}  // namespace isthmus::identity
