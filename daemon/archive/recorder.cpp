#include "archive/recorder.h"

#include <optional>

namespace isthmus::archive {

using store::Param;

Result<DayKey> Recorder::day_key(std::int32_t day, bool may_make) {
  const auto cached = known_.with([&](const auto& keys) -> std::optional<DayKey> {
    const auto found = keys.find(day);
    return found == keys.end() ? std::nullopt : std::optional(found->second);
  });
  if (cached) return *cached;
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  if (may_make) {
    const WrappedDayKey made = wrap(master_, make_day_key(day, random_));
    auto stored =
        (*db)->exec("INSERT INTO day_key (id, master_key_id, wrapped) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    {Param::integer(day), made.master_key_id, Param::bytes(made.wrapped)});
    if (!stored) return fail(std::move(stored).error());
  }
  auto rows = (*db)->exec("SELECT master_key_id, wrapped FROM day_key WHERE id = $1", {Param::integer(day)});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return fail("key.gone", "the archive has no key of that day");
  auto key = unwrap(master_, {day, std::string(rows->text(0, 0)), Bytes(rows->bytes(0, 1))});
  if (!key) return fail(std::move(key).error());
  known_.with([&](auto& keys) { keys.emplace(day, *key); });
  return std::move(*key);
}

Result<std::vector<Prepared>> Recorder::prepare(std::span<const Entry> entries) {
  std::vector<Prepared> out;
  for (const Entry& entry : entries) {
    const auto day =
        static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(entry.draft.at).time_since_epoch().count());
    auto key = day_key(day, true);
    if (!key) return fail(std::move(key).error());
    auto record = make_record(entry.draft, *key, random_);
    if (!record) return fail(std::move(record).error());
    out.push_back({std::move(*record), entry.draft.kind, entry.draft.at, entry.draft.retention_class, entry.connection,
                   entry.unit});
  }
  return out;
}

Result<void> Recorder::append(store::Transaction& tx, int lane, std::span<const Prepared> records, std::int64_t first) {
  if (records.empty()) return {};
  std::vector<Instant> at;
  std::vector<std::int64_t> seqs, kinds, connections, units, classes, keys;
  std::vector<Uuid> ids;
  std::vector<Bytes> headers, hashes, wrapped, bodies;
  for (const Prepared& p : records) {
    at.push_back(p.at);
    seqs.push_back(first++);
    ids.push_back(p.record.id);
    kinds.push_back(static_cast<int>(p.kind));
    connections.push_back(p.connection);
    units.push_back(p.unit);
    classes.push_back(p.retention_class);
    headers.push_back(p.record.header);
    hashes.emplace_back(p.record.leaf_hash.view());
    keys.push_back(p.record.day_key);
    wrapped.push_back(p.record.wrapped_key);
    bodies.push_back(p.record.sealed_body);
  }
  auto done = tx.exec(
      "INSERT INTO record (at, lane, seq, id, kind, connection, unit_at_time, retention_class, header, leaf_hash, "
      "day_key, wrapped_key, body) "
      "SELECT a, $1, s, i, k, nullif(c, 0), nullif(u, 0), rc, h, l, dk, w, b FROM unnest($2::timestamptz[], "
      "$3::bigint[], $4::uuid[], $5::smallint[], "
      "$6::int[], $7::int[], $8::smallint[], $9::bytea[], $10::bytea[], $11::int[], $12::bytea[], $13::bytea[]) AS "
      "x(a, s, i, k, c, u, rc, h, l, dk, w, b)",
      {Param::small(lane), Param::instants(at), Param::bigints(seqs), Param::uuids(ids), Param::smalls(kinds),
       Param::integers(connections), Param::integers(units), Param::smalls(classes), Param::byteas(headers),
       Param::byteas(hashes), Param::integers(keys), Param::byteas(wrapped), Param::byteas(bodies)});
  if (!done) return fail(std::move(done).error());
  return {};
}

}  // namespace isthmus::archive
