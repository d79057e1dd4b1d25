#include "api/views.h"

namespace isthmus::api {
namespace {

// The state of a command, from its own tables: closing attempt, parked row, last decision, else it is on its
// way; or, when the day it was made on has left the journal, it ended, and the archive says how.
const std::string kCommandState =
    "(SELECT row_to_json(s) FROM (SELECT "
    " CASE WHEN p.state = 5 THEN 'held' WHEN p.state = 4 THEN 'scheduled' WHEN p.state = 6 AND a.command IS NULL AND "
    "p.stage = 4 THEN "
    "'rejected' WHEN p.state = 6 THEN 'dead' "
    "  WHEN a.verdict IN (1, 2) THEN 'delivered' WHEN a.verdict = 10 THEN 'expired' WHEN d.effect = 4 AND l.command IS "
    "NULL THEN 'forbidden' WHEN p.state IN (1, 2, 3) THEN 'waiting' WHEN l.at < (SELECT max(day) + 1 FROM book WHERE "
    "journal_gone) THEN 'ended' ELSE 'queued' END AS state, "
    " CASE a.verdict WHEN 1 THEN 'DELIVERED' WHEN 2 THEN 'DUPLICATE' WHEN 6 THEN 'REJECTED' WHEN 8 THEN 'GONE' WHEN 10 "
    "THEN 'EXPIRED' END AS verdict, "
    " coalesce(a.remote_id, '') AS remote_id, coalesce(a.remote_url, '') AS remote_url, "
    " coalesce(d.rule, '') AS rule, coalesce(d.pack, '') AS pack, coalesce(nullif(p.reason, ''), nullif(a.reason, ''), "
    "d.reason, '') AS reason, "
    " coalesce(p.held_for, '') AS held_for, greatest(a.n, (SELECT count(*) FROM attempt n WHERE n.command = x.command "
    "AND n.phase = 0)) AS attempts "
    " FROM (SELECT 1) one "
    " LEFT JOIN LATERAL (SELECT verdict, remote_id, remote_url, reason, n, command FROM (SELECT * FROM attempt WHERE "
    "command = x.command AND (closing OR phase = 2) ORDER BY n DESC, phase, at DESC LIMIT 1) last WHERE closing "
    "UNION ALL SELECT verdict, remote_id, remote_url, reason, attempts, command FROM ended WHERE command = x.command "
    "AND NOT EXISTS (SELECT 1 FROM attempt WHERE command = x.command) LIMIT 1) a ON true "
    " LEFT JOIN LATERAL (SELECT * FROM parked WHERE command = x.command LIMIT 1) p ON true "
    " LEFT JOIN LATERAL (SELECT * FROM decision WHERE command = x.command ORDER BY at DESC LIMIT 1) d ON true "
    " LEFT JOIN LATERAL (SELECT * FROM ledger WHERE command = x.command LIMIT 1) l ON true) s)";

Result<std::string> one_text(store::Connection& db, const std::string& sql, const std::vector<store::Param>& params) {
  auto rows = db.exec(sql, params);
  if (!rows) return fail(std::move(rows).error());
  return rows->empty() || rows->is_null(0, 0) ? std::string() : std::string(rows->text(0, 0));
}

}  // namespace

Result<std::string> view_post(store::Connection& db, const Uuid& id) {
  return one_text(db,
                  "SELECT json_build_object('id', p.id, 'author', a.subject, 'at', to_char(p.at AT TIME ZONE 'UTC', "
                  "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), 'targets', "
                  "(SELECT json_agg((jsonb_build_object('connection', c.name, 'command', x.command) || " +
                      kCommandState +
                      "::jsonb) ORDER BY c.name) "
                      " FROM post_target x JOIN connection c ON c.id = x.connection WHERE x.post = p.id))::text "
                      "FROM post p JOIN principal a ON a.id = p.author WHERE p.id = $1",
                  {id});
}

Result<std::string> view_commands(store::Connection& db, const std::string& connection, const std::string& state) {
  return one_text(
      db,
      "SELECT json_build_object('items', coalesce(json_agg(v.j), '[]'))::text FROM (SELECT j FROM (SELECT "
      "jsonb_build_object('command', x.command, 'connection', c.name, "
      "'verb', (ARRAY['PUBLISH','REPLY','EDIT','REMOVE','HIDE','REACT','','','','UPSERT','TRACK'])[x.verb], "
      "'operation', x.operation) || " +
          kCommandState +
          "::jsonb AS j, x.at FROM ledger x JOIN connection c ON c.id = x.connection WHERE $1 = '' OR c.name = $1) "
          "all_of WHERE $2 = '' OR j->>'state' = $2 "
          "ORDER BY at DESC LIMIT 200) v",
      {connection, state});
}

Result<std::string> view_decisions(store::Connection& db, const std::string& effect) {
  return one_text(
      db,
      "SELECT json_build_object('items', coalesce(json_agg(v), '[]'))::text FROM (SELECT d.id, "
      "(ARRAY['permit','warn','hold','forbid'])[d.effect] AS effect, d.rule, "
      "d.pack, d.pack_version AS version, d.command, c.name AS connection, to_char(d.at AT TIME ZONE 'UTC', "
      "'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"') AS at, "
      "coalesce(d.reason, '') AS reason, lower(d.span) AS span_begin, upper(d.span) AS span_end, p.subject AS "
      "principal "
      "FROM decision d JOIN connection c ON c.id = d.connection LEFT JOIN principal p ON p.id = d.principal "
      "WHERE $1 = '' OR (ARRAY['permit','warn','hold','forbid'])[d.effect] = $1 ORDER BY d.at DESC LIMIT 200) v",
      {effect});
}

Result<std::string> view_parked(store::Connection& db) {
  return one_text(
      db,
      "SELECT json_build_object('total', (SELECT count(*) FROM parked WHERE stage <> 1), 'items', "
      "coalesce(json_agg(v), '[]'))::text FROM (SELECT p.command, c.name "
      "AS connection, "
      "(ARRAY['retry','ambiguous','behind','scheduled','held','dead','quarantined'])[p.state] AS state, "
      "p.tries, coalesce(p.reason, '') AS reason, "
      "coalesce(p.held_for, '') AS held_for, to_char(p.due AT TIME ZONE 'UTC', "
      "'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS due, coalesce(p.item->>'operation', '') AS operation "
      "FROM parked p JOIN connection c ON c.id = p.connection WHERE p.stage <> 1 ORDER BY p.at DESC LIMIT 200) "
      "v",
      {});
}

Result<std::string> view_quarantine(store::Connection& db) {
  return one_text(
      db,
      "SELECT json_build_object('total', (SELECT count(*) FROM parked WHERE stage = 1), 'items', "
      "coalesce(json_agg(v), '[]'))::text FROM (SELECT p.command AS call, c.name AS connection, CASE p.state "
      "WHEN 4 THEN 'waits' WHEN 6 THEN 'dropped' ELSE 'quarantined' END AS state, coalesce(p.reason, '') AS "
      "reason, to_char(p.due AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS received FROM parked p "
      "JOIN connection c ON c.id = p.connection WHERE p.stage = 1 ORDER BY p.at DESC LIMIT 200) v",
      {});
}

Result<std::string> view_connections(store::Connection& db) {
  return one_text(db,
                  "SELECT coalesce(json_agg(v), '[]')::text FROM (SELECT c.name, c.adapter, u.name AS unit, c.lane "
                  "FROM connection c JOIN unit u ON u.id = c.unit "
                  "WHERE c.removed_at IS NULL ORDER BY c.name) v",
                  {});
}

}  // namespace isthmus::api
