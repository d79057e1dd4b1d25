#include "journal/books.h"

#include "base/json.h"

namespace isthmus::journal {
namespace {

// A call is routed when its lane's position has passed it. Those that stand in parked as well are counted there:
// quarantined (7), waiting to be read (4), dropped by a person (6).
constexpr const char* kCalls =
    "WITH pos AS (SELECT lane, max(position) AS p FROM progress WHERE stage = 1 GROUP BY lane) "
    "SELECT count(*), count(*) FILTER (WHERE i.seq <= coalesce(pos.p, 0) AND q.seq IS NULL), count(*) FILTER (WHERE "
    "q.state = 7), "
    "count(*) FILTER (WHERE i.seq > coalesce(pos.p, 0) AND q.seq IS NULL OR q.state = 4), "
    "count(*) FILTER (WHERE q.state = 6) FROM inbox i LEFT JOIN pos USING (lane) "
    "LEFT JOIN parked q ON q.lane = i.lane AND q.stage = 1 AND q.seq = i.seq";

// In flight: beyond the position of its connection, with no closing attempt and not parked.
constexpr const char* kCommands =
    "WITH closed AS (SELECT lane, command, verdict FROM (SELECT DISTINCT ON (lane, command) lane, command, verdict, "
    "closing FROM attempt WHERE closing OR phase = 2 ORDER BY lane, command, n DESC, phase, at DESC) last WHERE "
    "closing), "
    "pos AS (SELECT lane, connection, max(position) AS p FROM progress WHERE stage = 2 GROUP BY lane, connection) "
    "SELECT (SELECT count(*) FROM ledger), (SELECT count(*) FROM closed WHERE verdict = 1), (SELECT count(*) FROM "
    "closed WHERE verdict = 2), "
    "(SELECT count(*) FROM parked WHERE state = 6 AND stage <> 1), (SELECT count(*) FROM parked WHERE state IN (4, 5) "
    "AND stage <> 1), (SELECT count(*) FROM parked WHERE state IN (1, 2, 3)), "
    "(SELECT count(*) FROM outbox o LEFT JOIN pos USING (lane, connection) WHERE o.seq > coalesce(pos.p, 0) "
    " AND NOT EXISTS (SELECT 1 FROM closed c WHERE c.lane = o.lane AND c.command = o.command) "
    " AND NOT EXISTS (SELECT 1 FROM parked k WHERE k.command = o.command)), "
    "(SELECT count(*) FROM decision d WHERE effect = 4 AND NOT EXISTS (SELECT 1 FROM ledger l WHERE l.lane = d.lane "
    "AND l.command = d.command)), "
    "(SELECT coalesce(extract(epoch FROM now() - least((SELECT min(at) FROM parked WHERE state IN (1, 2, 3)), "
    "  (SELECT min(made) FROM outbox o LEFT JOIN pos USING (lane, connection) "
    "   WHERE o.seq > coalesce(pos.p, 0) AND NOT EXISTS (SELECT 1 FROM closed c WHERE c.lane = o.lane AND c.command = "
    "o.command) "
    "   AND NOT EXISTS (SELECT 1 FROM parked k WHERE k.command = o.command)))), 0)::bigint), "
    "(SELECT count(*) FROM closed WHERE verdict = 10)";

// What dropped days and old names left.
constexpr const char* kBook =
    "SELECT coalesce(sum(inbox), 0)::bigint, coalesce(sum(routed), 0)::bigint, coalesce(sum(quarantined), 0)::bigint, "
    "coalesce(sum(made), 0)::bigint, coalesce(sum(delivered), 0)::bigint, coalesce(sum(duplicate), 0)::bigint, "
    "coalesce(sum(dropped), 0)::bigint, coalesce(sum(expired), 0)::bigint FROM book";

}  // namespace

Result<Books> read_books(store::Connection& db) {
  auto tx = store::Transaction::begin(db);
  if (!tx) return fail(std::move(tx).error());
  if (auto set = tx->exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"); !set)
    return fail(std::move(set).error());
  auto calls = tx->exec(kCalls);
  if (!calls) return fail(std::move(calls).error());
  auto commands = tx->exec(kCommands);
  if (!commands) return fail(std::move(commands).error());
  auto left = tx->exec(kBook);
  if (!left) return fail(std::move(left).error());
  Books b;
  b.inbox = calls->number(0, 0) + left->number(0, 0);
  b.routed = calls->number(0, 1) + left->number(0, 1);
  b.quarantined = calls->number(0, 2) + left->number(0, 2);
  b.unread = calls->number(0, 3);
  b.dropped = calls->number(0, 4) + left->number(0, 6);
  b.made = commands->number(0, 0) + left->number(0, 3);
  b.delivered = commands->number(0, 1) + left->number(0, 4);
  b.duplicate = commands->number(0, 2) + left->number(0, 5);
  b.dead = commands->number(0, 3);
  b.held = commands->number(0, 4);
  b.waiting = commands->number(0, 5);
  b.in_flight = commands->number(0, 6);
  b.refused = commands->number(0, 7);
  b.oldest_undelivered_seconds = commands->number(0, 8);
  b.expired = commands->number(0, 9) + left->number(0, 7);
  return b;
}

std::string Books::to_json() const {
  JsonWriter w;
  w.begin_object().key("calls").begin_object();
  w.member("inbox", inbox)
      .member("routed", routed)
      .member("quarantined", quarantined)
      .member("unread", unread)
      .member("dropped", dropped)
      .end_object();
  w.key("commands")
      .begin_object()
      .member("made", made)
      .member("delivered", delivered)
      .member("duplicate", duplicate)
      .member("expired", expired)
      .member("dead", dead);
  w.member("held", held)
      .member("waiting", waiting)
      .member("in_flight", in_flight)
      .member("refused", refused)
      .end_object();
  w.member("oldest_undelivered_seconds", oldest_undelivered_seconds).member("balanced", balanced()).end_object();
  return std::move(w).text();
}

}  // namespace isthmus::journal
