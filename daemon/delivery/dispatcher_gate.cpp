// Before a send: whether what was decided when the command was made still holds now that its turn has come.
#include <algorithm>

#include "delivery/dispatcher.h"
#include "delivery/ended_body.h"
#include "events/events.h"

namespace isthmus::delivery {

// What may start now. What must be parked behind its key, or may not be sent any more, goes to `writes`.
std::vector<std::int64_t> Dispatcher::ready(Line& line, const identity::World& world, Writes& writes) {
  std::vector<std::int64_t> behind, out;
  const auto room = [&](const std::string& kind) { return parts_.driver.room(line.connection, kind); };
  for (const std::int64_t seq : line.startable(parts_.clock.now(), behind, room)) {
    if (abroad_.contains(line.items.at(seq).command.id)) continue;
    if (still_allowed(line, seq, world, writes)) out.push_back(seq);
  }
  for (const std::int64_t seq : behind) {
    writes.park.push_back(parked_of(line, seq, journal::ParkedState::behind, "an earlier command of its key waits"));
    line.items.at(seq).parked = line.items.at(seq).behind = true;
  }
  return out;
}

// A look is always allowed: it sends nothing, and the command's fate must be known.
bool Dispatcher::still_allowed(Line& line, std::int64_t seq, const identity::World& world, Writes& writes) {
  const Item& item = line.items.at(seq);
  if (item.next == Item::Next::look || !item.unreadable.empty()) return true;
  if (item.command.not_after && *item.command.not_after <= parts_.clock.now()) {
    expire(line, seq, writes);
    return false;
  }
  // What a person or a machine of ours wrote is theirs to use; what came with purposes is bound by them, also when the
  // adapter that is installed now asks for another one than the adapter for which it was made.
  const adapter::OperationSpec* operation = operation_of(world, item);
  if (item.command.author != 0 || operation == nullptr || operation->purpose.empty()) return true;
  const auto& purposes = item.command.purposes;
  if (std::find(purposes.begin(), purposes.end(), operation->purpose) != purposes.end()) return true;
  std::string given;
  for (const std::string& purpose : purposes) given += (given.empty() ? "" : ", ") + purpose;
  adapter::Outcome outcome;
  outcome.command_id = item.command.id.to_string();
  outcome.verdict = adapter::Verdict::rejected;
  outcome.reason = "purposes." + operation->purpose + ": " + operation->name + " needs the purpose " +
                   operation->purpose + "; this datum may be used for: " + (given.empty() ? "nothing" : given);
  bury(line, seq, outcome, 0, writes);
  return false;
}

void Dispatcher::expire(Line& line, std::int64_t seq, Writes& writes) {
  Item& item = line.items.at(seq);
  const auto world = parts_.directory.current();
  const identity::Connection* connection = world->snapshot->connection(line.connection);
  const std::string name = connection == nullptr ? std::string() : connection->name;
  adapter::Outcome outcome;
  outcome.command_id = item.command.id.to_string();
  outcome.reason = "not sent: its time ended at " + to_rfc3339(*item.command.not_after);
  writes.ends.push_back({item.command.id,
                         line.connection,
                         std::max(item.attempts, 1),
                         adapter::Verdict::gone,
                         true,
                         0,
                         outcome.reason,
                         {},
                         {},
                         true});
  archive::RecordDraft draft{archive::Kind::command_ended,
                             connection == nullptr ? std::nullopt : std::optional(connection->uuid),
                             0,
                             parts_.clock.now(),
                             ended_body(item, name, "EXPIRED", outcome, 0),
                             Uuid::random(parts_.random)};
  writes.entries.push_back(
      {item.command.id, {std::move(draft), line.connection, connection == nullptr ? 0 : connection->unit}});
  if (item.parked) writes.unpark.push_back(parked_of(line, seq, journal::ParkedState::retry, {}));
  item.state = Item::State::done;
  events::delivery_command_expired(parts_.log,
                                   {.connection = name, .command = outcome.command_id, .reason = outcome.reason});
}

}  // namespace isthmus::delivery
