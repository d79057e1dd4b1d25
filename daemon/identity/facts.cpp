#include "identity/facts.h"

#include "base/crypto.h"

namespace isthmus::identity {
using store::Param;

Bytes facts_key(const Connection& connection) {
  std::string text = connection.descriptor_sha256;
  for (const auto& [name, value] : connection.fields) {
    text += name;
    text += '\0';
    text += value;
    text += '\0';
  }
  return crypto::sha256(text);
}
Result<std::map<std::int64_t, Facts>> read_facts(store::Connection& db, const Snapshot& snapshot) {
  auto rows = db.exec("SELECT connection, made_for, facts, at FROM connection_facts");
  if (!rows) return fail(std::move(rows).error());
  std::map<std::int64_t, Facts> out;
  for (int i = 0; i < rows->size(); ++i) {
    const Connection* connection = snapshot.connection(rows->number(i, 0));
    if (connection == nullptr || rows->bytes(i, 1) != facts_key(*connection)) continue;
    out.emplace(connection->id, Facts{std::string(rows->text(i, 2)), rows->instant(i, 3)});
  }
  return out;
}

Result<void> put_facts(store::Transaction& tx, const Connection& connection, const Facts& facts) {
  auto known = tx.exec("SELECT 1 FROM connection_facts WHERE connection = $1 AND made_for = $2 AND facts = $3",
                       {Param::integer(connection.id), Param::bytes(facts_key(connection)), facts.json});
  if (!known) return fail(std::move(known).error());
  auto put = tx.exec(
      "INSERT INTO connection_facts (connection, made_for, facts, at) VALUES ($1, $2, $3, $4) ON CONFLICT (connection) "
      "DO UPDATE SET made_for = EXCLUDED.made_for, facts = EXCLUDED.facts, at = EXCLUDED.at",
      {Param::integer(connection.id), Param::bytes(facts_key(connection)), facts.json, facts.at});
  if (!put) return fail(std::move(put).error());
  if (!known->empty()) return {};
  auto moved = tx.exec("UPDATE administration SET version = version + 1");
  if (!moved) return fail(std::move(moved).error());
  return {};
}

}  // namespace isthmus::identity
