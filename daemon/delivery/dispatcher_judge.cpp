// Judging: what a completion means for its command and its connection.
#include <algorithm>

#include "delivery/dispatcher.h"
#include "delivery/ended_body.h"
#include "events/events.h"

namespace isthmus::delivery {
namespace {

constexpr std::chrono::seconds kPauseForPeople{30};
constexpr std::chrono::seconds kPauseForProgram{5};
constexpr std::chrono::seconds kTurn{1};  // at least this long the command that failed as a probe lets others go first

}  // namespace

void Dispatcher::settle(std::vector<std::unique_ptr<Completion>> completions) {
  std::map<int, Writes> by_lane = std::exchange(unwritten_, {});
  for (const auto& completion : completions) {
    const auto line = lines_.find(completion->connection);
    if (line == lines_.end() || line->second.generation != completion->generation ||
        !line->second.items.contains(completion->seq)) {
      abroad_.erase(
          completion->command);  // the lane went to another node, or was read again: its open intent is looked up
      continue;
    }
    --line->second.in_flight;
    judge(line->second, completion->seq, *completion, by_lane[line->second.lane]);
  }
  for (auto& [lane, writes] : by_lane) write(lane, std::move(writes));
}

void Dispatcher::judge(Line& line, std::int64_t seq, const Completion& completion, Writes& writes) {
  Item& item = line.items.at(seq);
  item.state = Item::State::waiting;
  item.over_by = completion.end.over_by;
  adapter::Outcome outcome;
  outcome.command_id = item.command.id.to_string();
  if (!completion.end.done) {
    const Error& error = completion.end.done.error();
    outcome.reason = error.code + ": " + error.what;
    // A program that is away is the connection's trouble: the command has not failed, and waits in its place.
    if (error.code == "adapter.unavailable" && !completion.end.sent && !completion.looked) {
      outcome.verdict = adapter::Verdict::retry;
      writes.ends.push_back(
          {item.command.id, line.connection, item.attempts, outcome.verdict, false, 0, outcome.reason, {}, {}});
      return pause(line, outcome, kPauseForProgram);
    }
    if (error.code == "host.suspended" || error.code == "host.not-approved") {
      outcome.verdict = adapter::Verdict::misconfigured;
    } else if (error.code == "store.unavailable" || (error.code == "adapter.unavailable" && completion.looked)) {
      outcome.verdict = adapter::Verdict::retry;
    } else if (completion.end.sent && !completion.looked) {
      outcome.verdict = adapter::Verdict::ambiguous;
      if (error.code.starts_with("adapter.") && error.code != "adapter.unavailable") ++item.faults;
    } else {
      outcome.verdict = ++item.faults >= kFaultsMax || error.code != "adapter.fault" ? adapter::Verdict::rejected
                                                                                     : adapter::Verdict::retry;
    }
    if (completion.looked) return judge_failed_look(line, seq, outcome, completion.end.last_status, writes);
    return judge_outcome(line, seq, outcome, completion.end.last_status, writes);
  }
  if (const auto* sighting = std::get_if<adapter::Sighting>(&*completion.end.done))
    return judge_sighting(line, seq, *sighting, writes);
  const auto* outcomes = std::get_if<std::vector<adapter::Outcome>>(&*completion.end.done);
  const adapter::Outcome* ours = nullptr;
  for (std::size_t i = 0; outcomes != nullptr && i < outcomes->size(); ++i) {
    if ((*outcomes)[i].command_id == outcome.command_id) ours = &(*outcomes)[i];
  }
  if (ours == nullptr) {
    outcome.verdict = completion.end.sent ? adapter::Verdict::ambiguous : adapter::Verdict::retry;
    outcome.reason = "adapter.fault: the adapter's outcomes do not name the command";
    ours = &outcome;
  }
  if (waits_for_limit(line, seq, completion, *ours, writes)) return;
  if (completion.looked) return judge_failed_look(line, seq, *ours, completion.end.last_status, writes);
  judge_outcome(line, seq, *ours, completion.end.last_status, writes);
}

// One of several limits of the network is used up: the command waits for it in its place, unparked; commands that count
// against others go on, so the connection is not paused.
bool Dispatcher::waits_for_limit(Line& line, std::int64_t seq, const Completion& completion,
                                 const adapter::Outcome& outcome, Writes& writes) {
  const bool one_of_several = completion.end.held_back || !completion.end.bucket.empty();
  if (outcome.verdict != adapter::Verdict::throttled || !one_of_several) return false;
  Item& item = line.items.at(seq);
  if (!completion.looked) {
    writes.ends.push_back({item.command.id,
                           line.connection,
                           item.attempts,
                           outcome.verdict,
                           false,
                           completion.end.last_status,
                           outcome.reason,
                           {},
                           {}});
  }
  item.due = std::max(parts_.clock.now() + kTurn, from_ms(outcome.not_before_ms));
  events::delivery_command_waits(parts_.log, {.connection = line.connection,
                                              .command = outcome.command_id,
                                              .limit = completion.end.bucket,
                                              .reason = outcome.reason});
  return true;
}

// The look itself came to nothing, so the fate of the command is as unknown as before: never an end of its attempt,
// never a dead letter.
void Dispatcher::judge_failed_look(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status,
                                   Writes& writes) {
  Item& item = line.items.at(seq);
  const Instant now = parts_.clock.now();
  switch (outcome.verdict) {
    case adapter::Verdict::delivered:
    case adapter::Verdict::duplicate:
      return judge_outcome(line, seq, outcome, status, writes);
    case adapter::Verdict::throttled:
      line.pace.throttled(now, from_ms(outcome.not_before_ms), parts_.random);
      return say_paused(line, outcome, false);
    case adapter::Verdict::reauth:
    case adapter::Verdict::misconfigured:
      return pause(line, outcome, kPauseForPeople);
    case adapter::Verdict::retry:
      item.due =
          std::max(now + std::max<std::chrono::milliseconds>(kTurn, settling_of(*parts_.directory.current(), item)),
                   from_ms(outcome.not_before_ms));
      return;
    default:
      return park_unknown(line, seq, outcome, status, writes);
  }
}

void Dispatcher::judge_sighting(Line& line, std::int64_t seq, const adapter::Sighting& sighting, Writes& writes) {
  Item& item = line.items.at(seq);
  adapter::Outcome outcome;
  outcome.command_id = item.command.id.to_string();
  if (sighting.presence == adapter::Presence::found) {
    outcome.verdict = adapter::Verdict::delivered;
    outcome.remote_id = sighting.remote_id;
    outcome.remote_url = sighting.remote_url;
    outcome.reason = "found on the network after its reply was lost";
    return close(line, seq, outcome, 0, writes);
  }
  if (sighting.presence == adapter::Presence::absent) {
    item.next = Item::Next::send;
    item.due = Instant();
    if (item.parked)
      writes.repark.push_back(parked_of(line, seq, journal::ParkedState::retry, "not on the network: sent again"));
    return;
  }
  outcome.verdict = adapter::Verdict::ambiguous;
  outcome.reason = "the network cannot tell whether it has the message";
  park_unknown(line, seq, outcome, 0, writes);
}

void Dispatcher::judge_outcome(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status,
                               Writes& writes) {
  Item& item = line.items.at(seq);
  const Instant now = parts_.clock.now();
  const auto end_open = [&] {
    writes.ends.push_back(
        {item.command.id, line.connection, item.attempts, outcome.verdict, false, status, outcome.reason, {}, {}});
  };
  switch (outcome.verdict) {
    case adapter::Verdict::delivered:
    case adapter::Verdict::duplicate:
      line.pace.succeeded();
      line.paused_for.clear();
      line.a_person_may_mend = false;
      return close(line, seq, outcome, status, writes);
    case adapter::Verdict::rejected:
    case adapter::Verdict::gone:
      line.pace.succeeded();  // the connection works; the command does not
      return bury(line, seq, outcome, status, writes);
    case adapter::Verdict::throttled:
      end_open();
      line.pace.throttled(now, from_ms(outcome.not_before_ms), parts_.random);
      return say_paused(line, outcome, false);
    case adapter::Verdict::reauth:
    case adapter::Verdict::misconfigured:
      end_open();
      return pause(line, outcome, kPauseForPeople);
    case adapter::Verdict::ambiguous: {
      end_open();
      const auto world = parts_.directory.current();
      const adapter::OperationSpec* operation = operation_of(*world, item);
      const bool repeatable =
          operation != nullptr &&
          (operation->replay_safe ||
           (operation->idempotency_window_ms > 0 &&
            now - item.first_attempt < std::chrono::milliseconds(operation->idempotency_window_ms)));
      // An adapter that falls over each reply would send for ever.
      const bool adapter_fails = item.faults >= kFaultsMax;
      if (repeatable && !adapter_fails) return park_retry(line, seq, outcome, status, writes);
      if (operation == nullptr || !operation->reconcilable || adapter_fails)
        return park_unknown(line, seq, outcome, status, writes);
      item.next = Item::Next::look;
      // The network may work on what it got until its sender would have given up, and show it a while later.
      item.due = std::max(now, item.over_by) + settling_of(*world, item);
      auto parked = parked_of(line, seq, journal::ParkedState::ambiguous, outcome.reason);
      (item.parked ? writes.repark : writes.park).push_back(std::move(parked));
      item.parked = true;
      item.behind = false;
      return;
    }
    case adapter::Verdict::retry:
      end_open();
      // The breaker is the connection's, so its position stands still and nothing is parked while it is open.
      if (line.pace.failed(now, parts_.random)) {
        // Another command probes next: one that the network can never take must not keep the breaker open for all.
        item.due = line.pace.paused_until() +
                   std::max<std::chrono::microseconds>(kTurn, (line.pace.paused_until() - now) / 10);
        return say_paused(line, outcome, true);
      }
      return park_retry(line, seq, outcome, status, writes);
  }
}

void Dispatcher::close(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes) {
  Item& item = line.items.at(seq);
  const Instant now = parts_.clock.now();
  const auto world = parts_.directory.current();
  const identity::Connection* connection = world->snapshot->connection(line.connection);
  const std::string name = connection == nullptr ? std::string() : connection->name;
  writes.ends.push_back({item.command.id, line.connection, std::max(item.attempts, 1), outcome.verdict, true, status,
                         outcome.reason, outcome.remote_id, outcome.remote_url});
  const Uuid record = Uuid::random(parts_.random);
  const bool ours = item.command.body_format == "post/1";
  archive::RecordDraft draft{ours ? archive::Kind::message_sent : archive::Kind::command_ended,
                             connection == nullptr ? std::nullopt : std::optional(connection->uuid),
                             0,
                             now,
                             ended_body(item, name, adapter::to_string(outcome.verdict), outcome, status),
                             record};
  writes.entries.push_back(
      {item.command.id, {std::move(draft), line.connection, connection == nullptr ? 0 : connection->unit}});
  if (connection != nullptr) {
    writes.ended.push_back({connection, item.command.id, item.command.verb, item.command.body_format, item.body,
                            outcome.verdict, outcome.remote_id, outcome.remote_url, record, now});
  }
  if (item.parked) writes.unpark.push_back(parked_of(line, seq, journal::ParkedState::retry, {}));
  item.state = Item::State::done;
  events::delivery_command_delivered(parts_.log, {.connection = name,
                                                  .command = outcome.command_id,
                                                  .verdict = adapter::to_string(outcome.verdict),
                                                  .attempts = item.attempts});
}

void Dispatcher::bury(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes) {
  Item& item = line.items.at(seq);
  const auto world = parts_.directory.current();
  const identity::Connection* connection = world->snapshot->connection(line.connection);
  const std::string name = connection == nullptr ? std::string() : connection->name;
  // What was given up ended as a retry a moment ago: one attempt has one end in one transaction, the closing one.
  std::erase_if(writes.ends, [&](const journal::End& end) { return end.command == item.command.id; });
  writes.ends.push_back({item.command.id,
                         line.connection,
                         std::max(item.attempts, 1),
                         outcome.verdict,
                         true,
                         status,
                         outcome.reason,
                         {},
                         {}});
  archive::RecordDraft draft{archive::Kind::command_ended,
                             connection == nullptr ? std::nullopt : std::optional(connection->uuid),
                             0,
                             parts_.clock.now(),
                             ended_body(item, name, adapter::to_string(outcome.verdict), outcome, status),
                             Uuid::random(parts_.random)};
  writes.entries.push_back(
      {item.command.id, {std::move(draft), line.connection, connection == nullptr ? 0 : connection->unit}});
  const std::string evidence =
      std::string(adapter::to_string(outcome.verdict)) + " (HTTP " + std::to_string(status) + ") " + outcome.reason;
  auto parked = parked_of(line, seq, journal::ParkedState::dead, evidence);
  (item.parked ? writes.repark : writes.park).push_back(std::move(parked));
  item.state = Item::State::done;
  events::delivery_command_dead(parts_.log, {.connection = name,
                                             .command = outcome.command_id,
                                             .verdict = adapter::to_string(outcome.verdict),
                                             .reason = outcome.reason});
}

void Dispatcher::park_retry(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes) {
  Item& item = line.items.at(seq);
  if (++item.tries >= kTriesMax) {
    adapter::Outcome given_up = outcome;
    given_up.verdict = adapter::Verdict::gone;
    given_up.reason = "given up after " + std::to_string(item.tries) + " tries: " + outcome.reason;
    return bury(line, seq, given_up, status, writes);
  }
  item.due = retry_at(parts_.clock.now(), item.tries, from_ms(outcome.not_before_ms), parts_.random);
  auto parked = parked_of(line, seq, journal::ParkedState::retry, outcome.reason);
  (item.parked ? writes.repark : writes.park).push_back(std::move(parked));
  item.parked = true;
  item.behind = false;
  events::delivery_command_parked(
      parts_.log,
      {.connection = line.connection, .command = outcome.command_id, .tries = item.tries, .reason = outcome.reason});
}

void Dispatcher::park_unknown(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status,
                              Writes& writes) {
  Item& item = line.items.at(seq);
  auto parked = parked_of(line, seq, journal::ParkedState::held,
                          "AMBIGUOUS (HTTP " + std::to_string(status) + ") " + outcome.reason);
  parked.held_for = "operator";
  // A held row replaces the parked one: its held_for is set at insertion.
  if (item.parked) writes.unpark.push_back(parked);
  writes.park.push_back(std::move(parked));
  item.state = Item::State::done;
}

void Dispatcher::pause(Line& line, const adapter::Outcome& outcome, std::chrono::seconds wait) {
  line.pace.pause_for(parts_.clock.now(), wait, parts_.random);
  say_paused(line, outcome, true);
}

void Dispatcher::say_paused(Line& line, const adapter::Outcome& outcome, bool a_person_may_mend) {
  line.paused_for = std::string(adapter::to_string(outcome.verdict)) + " " + outcome.reason;
  line.a_person_may_mend = a_person_may_mend;
  line.world_version = parts_.directory.current()->snapshot->version();
  events::delivery_connection_paused(parts_.log, {.connection = line.connection, .reason = line.paused_for});
}

journal::Parked Dispatcher::parked_of(const Line& line, std::int64_t seq, journal::ParkedState state,
                                      const std::string& reason) const {
  const Item& item = line.items.at(seq);
  return {seq,    2,  item.command,        state,    std::max(item.due, parts_.clock.now()), item.tries,
          reason, {}, item.command.author, item.body};
}

}  // namespace isthmus::delivery
