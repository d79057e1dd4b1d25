#include "journal/retention.h"

namespace isthmus::journal {
namespace {

using store::Param;

constexpr std::int64_t kRowsAtOnce = 10'000;
constexpr int kTurnsMax = 1'000;  // what is left after so many waits for the next call

/// Days (as text) that a table has partitions of and that ended by then, oldest first.
Result<std::vector<std::string>> old_days(store::Connection& db, const std::string& table, Instant ended_by) {
  auto rows = db.exec(
      "SELECT to_date(right(c.relname, 8), 'YYYYMMDD')::text FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
      "WHERE i.inhparent = ('isthmus.' || $1)::regclass AND to_date(right(c.relname, 8), 'YYYYMMDD') < ($2 AT TIME "
      "ZONE "
      "'UTC')::date ORDER BY 1",
      {table, ended_by});
  if (!rows) return fail(std::move(rows).error());
  std::vector<std::string> days;
  for (int i = 0; i < rows->size(); ++i) days.emplace_back(rows->text(i, 0));
  return days;
}

Result<void> expire_seen(store::Connection& db, Instant now) {
  auto days = old_days(db, "seen", now - kSeenKept);
  if (!days) return fail(std::move(days).error());
  for (const std::string& day : *days) {
    std::string suffix = day;
    std::erase(suffix, '-');
    auto tx = store::Transaction::begin(db);
    if (!tx) return fail(std::move(tx).error());
    if (auto set = tx->exec("SET LOCAL lock_timeout = '500ms'"); !set) return fail(std::move(set).error());
    if (auto done = tx->exec("DROP TABLE IF EXISTS isthmus.seen_" + suffix); !done)
      return fail(std::move(done).error());
    if (auto done = tx->commit(); !done) return done;
  }
  return {};
}

/// Repeats a statement that works on kRowsAtOnce rows at most and returns how many they were.
Result<std::int64_t> in_portions(store::Connection& db, std::string_view sql, Instant before) {
  std::int64_t all = 0;
  for (int turn = 0; turn < kTurnsMax; ++turn) {
    auto rows = db.exec(sql, {before, kRowsAtOnce});
    if (!rows) return fail(std::move(rows).error());
    all += rows->number(0, 0);
    if (rows->number(0, 0) < kRowsAtOnce) break;
  }
  return all;
}

}  // namespace

Result<Expired> expire_journal(store::Connection& db, Instant now, std::chrono::days kept) {
  if (auto done = expire_seen(db, now); !done) return fail(std::move(done).error());
  auto days = old_days(db, "inbox", now - kept);
  if (!days) return fail(std::move(days).error());
  Expired expired;
  for (const std::string& day : *days) {
    auto rows = db.exec("SELECT coalesce(reason, ''), waiting FROM drop_journal_day($1::text::date)", {day});
    if (!rows) return fail(std::move(rows).error());
    if (!rows->text(0, 0).empty()) {
      expired.kept_day = day;
      expired.kept_for = rows->text(0, 0);
      expired.waiting = rows->number(0, 1);
      break;
    }
    ++expired.days;
  }
  return expired;
}

Result<std::int64_t> expire_names(store::Connection& db, Instant now) {
  auto events = in_portions(
      db,
      "WITH gone AS (DELETE FROM event_key WHERE ctid = ANY(ARRAY(SELECT ctid FROM event_key WHERE at < $1 LIMIT $2)) "
      "RETURNING 1) SELECT count(*) FROM gone",
      now - kNamesKept);
  if (!events) return events;
  // Only days whose attempts have left are looked at: until then the ledger's row is counted against them.
  auto commands = in_portions(
      db,
      "WITH gone AS (DELETE FROM ledger WHERE ctid = ANY(ARRAY(SELECT l.ctid FROM ledger l WHERE l.at < $1 AND l.at < "
      "(SELECT (max(day) + 1)::timestamp AT TIME ZONE 'UTC' FROM book WHERE journal_gone) AND NOT EXISTS (SELECT 1 "
      "FROM "
      "parked p WHERE p.command = l.command) AND NOT EXISTS (SELECT 1 FROM post_target t WHERE t.command = l.command) "
      "LIMIT $2)) RETURNING at), "
      "kept AS (INSERT INTO book (day, made) SELECT (at AT TIME ZONE 'UTC')::date, count(*) FROM gone GROUP BY 1 ON "
      "CONFLICT (day) DO UPDATE SET made = book.made + EXCLUDED.made) SELECT count(*) FROM gone",
      now - kNamesKept);
  if (!commands) return commands;
  return *events + *commands;
}

}  // namespace isthmus::journal
