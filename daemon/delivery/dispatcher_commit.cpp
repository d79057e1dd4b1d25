// Writing: the one transaction that says what became of a lane's commands.
#include "delivery/dispatcher.h"
#include "events/events.h"
#include "journal/lanes.h"

namespace isthmus::delivery {
namespace {

constexpr std::chrono::seconds kShut{30};

}  // namespace

// The epoch under which the lane's commands were read. A lane that was lost and came back has another one, and what was
// known before is void.
std::int64_t Dispatcher::epoch_of(int lane) const {
  for (const auto& [id, line] : lines_) {
    if (line.lane == lane) return line.epoch;
  }
  return 0;
}

void Dispatcher::write(int lane, Writes writes) {
  auto done = commit(lane, writes);
  if (done) return;
  if (done.error().code == "lane.lost" || done.error().code == "store.data" || done.error().code == "store.refused") {
    events::delivery_lane_dropped(parts_.log, {.lane = lane, .reason = done.error().what});
    drop_lane(lane);  // read again from the journal if it is still ours
    // What it refused it may refuse again, and what may be repeated for ever would be sent at every turn.
    if (done.error().code != "lane.lost") shut_until_[lane] = parts_.clock.now() + kShut;
  } else {
    writes.again = true;
    unwritten_.emplace(lane, std::move(writes));
  }
}

// A commit whose reply was lost may have been done: all else that it writes is stable by key, a record would be there
// twice.
Result<void> Dispatcher::without_known(std::vector<archive::Prepared>& records) {
  std::vector<Uuid> ids;
  for (const archive::Prepared& record : records) ids.push_back(record.record.id);
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto rows = (*db)->exec("SELECT id FROM record WHERE id = ANY($1::uuid[])", {store::Param::uuids(ids)});
  if (!rows) return fail(std::move(rows).error());
  std::set<Uuid> known;
  for (int i = 0; i < rows->size(); ++i) known.insert(rows->uuid(i, 0));
  std::erase_if(records, [&](const archive::Prepared& record) { return known.contains(record.record.id); });
  return {};
}

Result<void> Dispatcher::commit(int lane, Writes& writes) {
  std::vector<std::pair<Line*, std::int64_t>> moves;
  for (auto& [id, line] : lines_) {
    if (line.lane != lane) continue;
    if (const std::int64_t reached = line.reached(); reached > line.position) moves.emplace_back(&line, reached);
  }
  const bool nothing =
      writes.ends.empty() && writes.park.empty() && writes.repark.empty() && writes.unpark.empty() && moves.empty();
  if (nothing) return {};
  auto records = parts_.recorder.prepare(writes.entries);
  if (!records) return fail(std::move(records).error());
  if (writes.again) {
    if (auto done = without_known(*records); !done) return done;
  }
  const Instant now = parts_.clock.now();
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  if (auto done = journal::enter(*tx, {lane, epoch_of(lane)}); !done) return done;
  if (!writes.ends.empty()) {
    if (auto done = journal::write_ends(*tx, lane, writes.ends, now); !done) return done;
  }
  for (const journal::Parked& parked : writes.unpark) {
    if (auto done = journal::unpark(*tx, parked); !done) return done;
  }
  for (const journal::Parked& parked : writes.park) {
    if (auto done = journal::park(*tx, parts_.keys, parked); !done) return done;
  }
  for (const journal::Parked& parked : writes.repark) {
    if (auto done = journal::repark(*tx, parked); !done) return done;
  }
  if (!writes.ended.empty()) {
    if (auto done = parts_.sink.ended(*tx, lane, writes.ended); !done) return done;
  }
  if (!records->empty()) {
    auto first = journal::take_numbers(*tx, journal::Stage::records, lane, static_cast<std::int64_t>(records->size()));
    if (!first) return fail(std::move(first).error());
    if (auto done = archive::Recorder::append(*tx, lane, *records, *first); !done) return done;
  }
  for (const auto& [line, reached] : moves) {
    if (auto done = journal::move_position(*tx, journal::Stage::outbox, lane, line->connection, reached); !done)
      return done;
  }
  if (auto done = tx->commit(); !done) return done;
  for (const auto& [line, reached] : moves) line->position = reached;
  for (auto& [id, line] : lines_) {
    if (line.lane == lane)
      std::erase_if(line.items, [](const auto& entry) { return entry.second.state == Item::State::done; });
  }
  writes = {};
  return {};
}

}  // namespace isthmus::delivery
