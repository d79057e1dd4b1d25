#include "journal/decisions.h"

namespace isthmus::journal {

using store::Param;

Result<void> write_decisions(store::Transaction& tx, int lane, std::span<const DecisionRow> decisions, Instant now) {
  for (const DecisionRow& d : decisions) {
    const std::optional<std::string> span =
        d.span ? std::optional("[" + std::to_string(d.span->first) + "," + std::to_string(d.span->second) + ")")
               : std::nullopt;
    auto done = tx.exec(
        "INSERT INTO decision (at, lane, id, command, connection, effect, rule, pack, pack_version, span, reason, "
        "held_for, principal) "
        "VALUES ($1, $2, $3, $4::uuid, $5, $6, $7, $8, $9, $10::text::int4range, $11, $12, nullif($13::int, 0))",
        {now, Param::small(lane), d.id, Param(d.command), Param::integer(d.connection), Param::small(d.effect), d.rule,
         d.pack, d.pack_version, Param(span), d.reason, d.held_for, Param::integer(d.principal)});
    if (!done) return fail(std::move(done).error());
  }
  return {};
}

}  // namespace isthmus::journal
