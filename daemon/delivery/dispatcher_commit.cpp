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
  if (!done && done.error().code == "store.data") done = write_each(lane, writes);
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

std::map<Uuid, Dispatcher::Writes> Dispatcher::by_command(Writes& writes) {
  std::map<Uuid, Writes> out;
  for (auto& end : writes.ends) out[end.command].ends.push_back(std::move(end));
  for (auto& row : writes.park) out[row.command.id].park.push_back(std::move(row));
  for (auto& row : writes.repark) out[row.command.id].repark.push_back(std::move(row));
  for (auto& row : writes.unpark) out[row.command.id].unpark.push_back(std::move(row));
  for (auto& ended : writes.ended) out[ended.command].ended.push_back(std::move(ended));
  for (auto& entry : writes.entries) out[entry.first].entries.push_back(std::move(entry));
  for (auto& [command, one] : out) one.again = writes.again;
  return out;
}

// The database refused one row for what it holds; the neighbours of its command must not wait for it. Each command is
// written alone, and the positions move when all of them are.
Result<void> Dispatcher::write_each(int lane, Writes& writes) {
  std::map<Uuid, Writes> parts = by_command(writes);
  writes = {};
  while (!parts.empty()) {
    auto& [command, one] = *parts.begin();
    auto done = commit(lane, one, Positions::stay);
    if (!done && done.error().code == "store.data") done = write_refused(lane, command, one, done.error());
    if (!done) {
      for (auto& [id, rest] : parts) {
        std::move(rest.ends.begin(), rest.ends.end(), std::back_inserter(writes.ends));
        std::move(rest.park.begin(), rest.park.end(), std::back_inserter(writes.park));
        std::move(rest.repark.begin(), rest.repark.end(), std::back_inserter(writes.repark));
        std::move(rest.unpark.begin(), rest.unpark.end(), std::back_inserter(writes.unpark));
        std::move(rest.ended.begin(), rest.ended.end(), std::back_inserter(writes.ended));
        std::move(rest.entries.begin(), rest.entries.end(), std::back_inserter(writes.entries));
      }
      return done;
    }
    parts.erase(parts.begin());
  }
  return commit(lane, writes);
}

// What a later room makes of an end (a message in a conversation) is worth less than the end itself. Where the end's
// own rows are refused, a person decides, with what is known of it.
Result<void> Dispatcher::write_refused(int lane, const Uuid& command, Writes& writes, const Error& why) {
  events::delivery_end_refused(parts_.log, {.lane = lane, .command = command.to_string(), .reason = why.what});
  if (!writes.ended.empty()) {
    writes.ended.clear();
    auto done = commit(lane, writes, Positions::stay);
    if (done || done.error().code != "store.data") return done;
  }
  for (auto& [id, line] : lines_) {
    for (auto& [seq, item] : line.items) {
      if (line.lane != lane || item.command.id != command) continue;
      std::string known = "what became of it could not be written (" + why.what + ")";
      if (!writes.ends.empty()) {
        const journal::End& end = writes.ends.back();
        known = std::string(adapter::to_string(end.verdict)) + " (HTTP " + std::to_string(end.http_status) + ") " +
                end.reason + end.remote_id + "; " + known;
      }
      Writes held;
      held.again = writes.again;
      auto parked = parked_of(line, seq, journal::ParkedState::held, known);
      parked.held_for = "operator";
      if (item.parked) held.unpark.push_back(parked);
      held.park.push_back(std::move(parked));
      item.state = Item::State::done;
      return commit(lane, held, Positions::stay);
    }
  }
  return {};
}

Result<void> Dispatcher::commit(int lane, Writes& writes, Positions positions) {
  std::vector<std::pair<Line*, std::int64_t>> moves;
  for (auto& [id, line] : lines_) {
    if (line.lane != lane || positions == Positions::stay) continue;
    if (const std::int64_t reached = line.reached(); reached > line.position) moves.emplace_back(&line, reached);
  }
  const bool nothing =
      writes.ends.empty() && writes.park.empty() && writes.repark.empty() && writes.unpark.empty() && moves.empty();
  if (nothing) return {};
  std::vector<archive::Entry> entries;
  for (const auto& entry : writes.entries) entries.push_back(entry.second);
  auto records = parts_.recorder.prepare(entries);
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
  writes = {};
  if (positions == Positions::stay) return {};
  for (const auto& [line, reached] : moves) line->position = reached;
  for (auto& [id, line] : lines_) {
    if (line.lane != lane) continue;
    const int before = line.parked();
    std::erase_if(line.items, [](const auto& entry) { return entry.second.state == Item::State::done; });
    if (line.parked() < before) line.parked_look = Instant();  // there is room for others
    line.forget_surplus(now);
  }
  return {};
}

}  // namespace isthmus::delivery
