#include "journal/decisions.h"

namespace isthmus::journal {

using store::Param;

Result<void> write_decisions(store::Transaction& tx, int lane, std::span<const DecisionRow> decisions, Instant now) {
  if (decisions.empty()) return {};
  std::vector<Uuid> ids, commands;
  std::vector<bool> has_command;
  std::vector<std::int64_t> connections, effects, principals;
  std::vector<std::string> rules, packs, versions, reasons, held_for;
  std::vector<std::optional<std::string>> spans;
  for (const DecisionRow& d : decisions) {
    ids.push_back(d.id);
    commands.push_back(d.command.value_or(Uuid()));
    has_command.push_back(d.command.has_value());
    connections.push_back(d.connection);
    effects.push_back(d.effect);
    rules.push_back(d.rule);
    packs.push_back(d.pack);
    versions.push_back(d.pack_version);
    spans.push_back(
        d.span ? std::optional("[" + std::to_string(d.span->first) + "," + std::to_string(d.span->second) + ")")
               : std::nullopt);
    reasons.push_back(d.reason);
    held_for.push_back(d.held_for);
    principals.push_back(d.principal);
  }
  auto done = tx.exec(
      "INSERT INTO decision (at, lane, id, command, connection, effect, rule, pack, pack_version, span, reason, "
      "held_for, principal) SELECT $1, $2, i, CASE WHEN h THEN c END, n, e, r, p, v, s::int4range, t, f, nullif(a, 0) "
      "FROM unnest($3::uuid[], $4::uuid[], $5::boolean[], $6::int[], $7::smallint[], $8::text[], $9::text[], "
      "$10::text[], $11::text[], $12::text[], $13::text[], $14::int[]) AS u(i, c, h, n, e, r, p, v, s, t, f, a)",
      {now, Param::small(lane), Param::uuids(ids), Param::uuids(commands), Param::booleans(has_command),
       Param::integers(connections), Param::smalls(effects), Param::texts(rules), Param::texts(packs),
       Param::texts(versions), Param::texts(spans), Param::texts(reasons), Param::texts(held_for),
       Param::integers(principals)});
  if (!done) return fail(std::move(done).error());
  return {};
}

}  // namespace isthmus::journal
