#include "journal/lanes.h"

#include <fmt/format.h>

namespace isthmus::journal {
namespace {

std::vector<Fence> read_fences(const store::Rows& rows) {
  std::vector<Fence> fences;
  for (int i = 0; i < rows.size(); ++i) fences.push_back({static_cast<int>(rows.number(i, 0)), rows.number(i, 1)});
  return fences;
}

std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> columns(const std::vector<Fence>& fences) {
  std::pair<std::vector<std::int64_t>, std::vector<std::int64_t>> out;
  for (const Fence& fence : fences) {
    out.first.push_back(fence.lane);
    out.second.push_back(fence.epoch);
  }
  return out;
}

}  // namespace

Result<void> enter(store::Transaction& tx, const Fence& fence) {
  auto rows = tx.exec("SELECT 1 FROM lane WHERE lane = $1 AND epoch = $2 FOR SHARE",
                      {store::Param::small(fence.lane), fence.epoch});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return fail("lane.lost", fmt::format("lane {} is owned by another node now", fence.lane));
  return {};
}

Result<void> keep_still(store::Transaction& tx, int lane) {
  auto rows = tx.exec("SELECT 1 FROM lane WHERE lane = $1 FOR SHARE", {store::Param::small(lane)});
  if (!rows) return fail(std::move(rows).error());
  return {};
}

Result<std::int64_t> take_numbers(store::Transaction& tx, Stage stage, int lane, std::int64_t count) {
  auto rows = tx.exec("UPDATE lane_head SET next = next + $3 WHERE stage = $1 AND lane = $2 RETURNING next - $3",
                      {store::Param::small(static_cast<int>(stage)), store::Param::small(lane), count});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty())
    return fail("store.refused",
                fmt::format("lane_head has no row for stage {} lane {}", static_cast<int>(stage), lane));
  return rows->number(0, 0);
}

Result<std::vector<Fence>> take_lanes(store::Connection& db, const std::string& node, std::chrono::seconds lease) {
  auto rows = db.exec(
      "UPDATE lane SET owner = $1, epoch = epoch + 1, leased_until = now() + $2 * interval '1 second' WHERE lane IN "
      "(SELECT lane FROM lane WHERE owner IS NULL OR owner = $1 OR leased_until < now() ORDER BY lane FOR UPDATE SKIP "
      "LOCKED) "
      "RETURNING lane, epoch",
      {node, static_cast<std::int64_t>(lease.count())});
  if (!rows) return fail(std::move(rows).error());
  return read_fences(*rows);
}

Result<std::vector<Fence>> renew_lanes(store::Connection& db, const std::string& node, const std::vector<Fence>& fences,
                                       std::chrono::seconds lease) {
  const auto [lanes, epochs] = columns(fences);
  auto rows = db.exec(
      "UPDATE lane l SET leased_until = now() + $4 * interval '1 second' FROM unnest($2::bigint[], $3::bigint[]) AS "
      "u(lane, epoch) "
      "WHERE l.lane = u.lane AND l.epoch = u.epoch AND l.owner = $1 RETURNING l.lane, l.epoch",
      {node, store::Param::bigints(lanes), store::Param::bigints(epochs), static_cast<std::int64_t>(lease.count())});
  if (!rows) return fail(std::move(rows).error());
  return read_fences(*rows);
}

Result<void> give_lanes(store::Connection& db, const std::string& node, const std::vector<Fence>& fences) {
  const auto [lanes, epochs] = columns(fences);
  auto rows = db.exec(
      "UPDATE lane l SET owner = NULL, leased_until = '-infinity' FROM unnest($2::bigint[], $3::bigint[]) AS u(lane, "
      "epoch) "
      "WHERE l.lane = u.lane AND l.epoch = u.epoch AND l.owner = $1",
      {node, store::Param::bigints(lanes), store::Param::bigints(epochs)});
  if (!rows) return fail(std::move(rows).error());
  return {};
}

Result<std::int64_t> position(store::Connection& db, Stage stage, int lane, std::int64_t connection) {
  auto rows = db.exec(
      "SELECT coalesce(max(position), 0) FROM progress WHERE lane = $1 AND stage = $2 AND connection = $3",
      {store::Param::small(lane), store::Param::small(static_cast<int>(stage)), store::Param::integer(connection)});
  if (!rows) return fail(std::move(rows).error());
  return rows->number(0, 0);
}

Result<void> move_position(store::Transaction& tx, Stage stage, int lane, std::int64_t connection,
                           std::int64_t position) {
  auto rows = tx.exec("INSERT INTO progress (lane, stage, connection, position) VALUES ($1, $2, $3, $4)",
                      {store::Param::small(lane), store::Param::small(static_cast<int>(stage)),
                       store::Param::integer(connection), position});
  if (!rows) return fail(std::move(rows).error());
  return {};
}

Result<void> make_partitions(store::Connection& db) {
  auto rows = db.exec("SELECT make_partitions((now() AT TIME ZONE 'UTC')::date + i) FROM generate_series(0, 3) i");
  if (!rows) return fail(std::move(rows).error());
  return {};
}

}  // namespace isthmus::journal
