#include "routing/router.h"

#include <algorithm>
#include <map>
#include <set>

#include "journal/codec.h"
#include "journal/event_keys.h"
#include "journal/lanes.h"
#include "events/events.h"

namespace isthmus::routing {
namespace {

constexpr std::chrono::milliseconds kLookEvery{500};

}  // namespace

bool Router::is_fault_of_data(const Error& error) {
  return error.code == "store.data" || error.code.starts_with("adapter.") || error.code.starts_with("json.") ||
         error.code.starts_with("record.") || error.code.starts_with("seal.") || error.code.starts_with("journal.") ||
         error.code.starts_with("routing.");
}

Router::Router(Parts parts, unsigned threads)
    : parts_(std::move(parts)), lanes_(journal::kLanes), nothing_waits_(journal::kLanes) {
  for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this](const std::stop_token& stop) { work(stop); });
  if (threads > 0) threads_.emplace_back([this](const std::stop_token& stop) { look_for_forgotten(stop); });
}

bool Router::turn(int lane) {
  Planner planner(parts_.installation_key, parts_.find_mapping, parts_.packs, parts_.random);
  return drain(lane, planner);
}

Router::~Router() { stop(); }

void Router::stop() {
  for (auto& thread : threads_) thread.request_stop();
  queue_.close();
  threads_.clear();
}

void Router::wake(int lane) {
  auto& state = lanes_[static_cast<std::size_t>(lane)];
  LaneState seen = state.load();
  while (true) {
    if (seen == LaneState::queued || seen == LaneState::running_again) return;
    const LaneState next = seen == LaneState::running ? LaneState::running_again : LaneState::queued;
    if (state.compare_exchange_weak(seen, next)) {
      if (next == LaneState::queued) (void)queue_.push(lane);  // 64 lanes fit; closed means stopping
      return;
    }
  }
}

void Router::work(const std::stop_token& stop) {
  Planner planner(parts_.installation_key, parts_.find_mapping, parts_.packs, parts_.random);
  while (!stop.stop_requested()) {
    const auto lane = queue_.pop(std::chrono::milliseconds(1000));
    if (!lane) {
      if (queue_.closed()) return;
      continue;
    }
    auto& state = lanes_[static_cast<std::size_t>(*lane)];
    state = LaneState::running;
    const bool done = drain(*lane, planner);
    if (state.exchange(LaneState::idle) == LaneState::running_again && done) wake(*lane);
  }
}

// AT06: an event must not wait for the next one because a wake-up was lost, nor for a node that took the lane over.
void Router::look_for_forgotten(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    never.wait_for(lock, stop, kLookEvery, [] { return false; });
    auto db = parts_.pool.take();
    if (!db) continue;
    auto rows = (*db)->exec(
        "SELECT h.lane FROM lane_head h WHERE h.stage = 1 AND h.next - 1 > "
        "coalesce((SELECT max(position) FROM progress p WHERE p.lane = h.lane AND p.stage = 1 AND p.connection = 0), "
        "0)");
    if (!rows) continue;
    for (int i = 0; i < rows->size(); ++i) {
      const int lane = static_cast<int>(rows->number(i, 0));
      if (parts_.epoch(lane) != 0) wake(lane);
    }
    const auto waiting = journal::lanes_waiting(**db);
    const auto world = parts_.directory.current();
    for (std::size_t i = 0; waiting && i < waiting->size(); ++i) {
      const auto& [lane, connection] = (*waiting)[i];
      if (parts_.epoch(lane) == 0 || world->adapter_of(connection) == nullptr) continue;
      nothing_waits_[static_cast<std::size_t>(lane)] = 0;  // a person asked for it, or its connection is active again
      wake(lane);
    }
  }
}

bool Router::drain(int lane, Planner& planner) {
  bool empty = false;
  while (!empty) {
    const std::int64_t epoch = parts_.epoch(lane);
    if (epoch == 0) return true;
    // One world for both: a connection that becomes active between them must not have its later calls read first.
    const auto world = parts_.directory.current();
    if (nothing_waits_[static_cast<std::size_t>(lane)] != epoch) {
      if (auto done = drain_waiting(lane, *world, planner); !done) {
        events::routing_batch_failed(parts_.log, {.lane = lane, .reason = done.error().what});
        return false;
      }
    }
    if (!drain_log(lane, *world, planner, empty)) return false;
  }
  return true;
}

bool Router::drain_log(int lane, const identity::World& world, Planner& planner, bool& empty) {
  std::vector<journal::InboxRow> rows;
  {
    auto db = parts_.pool.take();
    if (!db) return false;
    const auto position = journal::position(**db, journal::Stage::inbox, lane, 0);
    if (!position) return false;
    auto read = journal::read_inbox(**db, lane, *position, kBatchMax);
    if (!read) return false;
    rows = std::move(*read);
  }
  empty = rows.empty();
  if (empty) return true;
  auto done = route_batch(lane, rows, world, planner);
  if (done) return true;
  if (!is_fault_of_data(done.error())) {
    events::routing_batch_failed(parts_.log, {.lane = lane, .reason = done.error().what});
    return false;
  }
  // Bisection to single calls: the batch is small, and this is rare.
  for (const journal::InboxRow& row : rows) {
    auto alone = route_batch(lane, {row}, world, planner);
    if (!alone && is_fault_of_data(alone.error())) alone = set_aside(row, alone.error());
    if (!alone) return false;
  }
  return true;
}

Result<void> Router::route_batch(int lane, const std::vector<journal::InboxRow>& rows, const identity::World& world,
                                 Planner& planner) {
  std::vector<EventPlan> plans;
  for (const journal::InboxRow& row : rows) {
    auto made = plan_row(row, world, planner);
    if (!made) return fail(std::move(made).error());
    for (EventPlan& plan : *made) plans.push_back(std::move(plan));
  }
  auto unknown = only_unknown(std::move(plans), lane);
  if (!unknown) return fail(std::move(unknown).error());
  return commit(lane, {rows.back().seq, std::nullopt}, *unknown);
}

Result<std::vector<EventPlan>> Router::plan_row(const journal::InboxRow& row, const identity::World& world,
                                                Planner& planner) {
  const journal::Exchange& exchange = row.exchange;
  if (world.suspended.contains(exchange.connection))
    return fail(std::string(kSuspended), "the connection is suspended: " + world.suspended.at(exchange.connection));
  auto plain = parts_.keys.open(exchange.call.key, exchange.call.bytes,
                                journal::call_binding(exchange.connection, exchange.received));
  if (!plain) return fail(std::move(plain).error());
  return plan_call(exchange.connection, exchange.context, *plain, world, planner);
}

Result<std::vector<EventPlan>> Router::plan_call(std::int64_t id, const Bytes& encoded, const Bytes& plain,
                                                 const identity::World& world, Planner& planner) {
  const identity::Connection* connection = world.snapshot->connection(id);
  const adapter::Adapter* adapter = world.adapter_of(id);
  if (connection == nullptr || adapter == nullptr)
    return fail("routing.removed", "the connection of this call was removed");
  auto call = journal::decode_call(plain);
  if (!call) return fail(std::move(call).error());
  auto context = journal::decode_context(encoded);
  if (!context) return fail(std::move(context).error());
  auto events = adapter->parse(*context, *call);
  if (!events) return fail(std::move(events).error());
  std::vector<EventPlan> plans;
  for (adapter::Event& event : *events)
    plans.push_back(planner.plan(world, *connection, std::move(event), parts_.clock.now()));
  return plans;
}

// Polls repeat what webhooks brought: what is known already is not sealed again. The insert in the transaction still
// decides.
Result<std::vector<EventPlan>> Router::only_unknown(std::vector<EventPlan> plans, int lane) {
  if (plans.empty()) return plans;
  std::vector<journal::EventKey> keys;
  for (const EventPlan& plan : plans) keys.push_back({plan.connection->id, plan.key, plan.record});
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto known = journal::known_events(**db, lane, keys);
  if (!known) return fail(std::move(known).error());
  journal::EventKeySet seen = std::move(*known);
  std::erase_if(plans, [&](const EventPlan& plan) { return !seen.insert(plan.key).second; });
  return plans;
}

Result<void> Router::commit(int lane, const Routed& routed, std::vector<EventPlan>& plans) {
  const Instant now = parts_.clock.now();
  // Everything that may ask the database for a key comes before the transaction.
  std::map<Bytes, std::vector<archive::Prepared>, std::less<>> records;
  for (EventPlan& plan : plans) {
    auto prepared = parts_.recorder.prepare(plan.entries);
    if (!prepared) return fail(std::move(prepared).error());
    records.emplace(plan.key, std::move(*prepared));
    for (PlannedCommand& planned : plan.commands) {
      auto sealed = parts_.keys.seal(planned.body, journal::body_binding(planned.command.id));
      if (!sealed) return fail(std::move(sealed).error());
      planned.command.body = std::move(*sealed);
    }
  }
  // Rows are locked in key order; commands are logged in the order of their events.
  std::vector<journal::EventKey> keys;
  for (const EventPlan& plan : plans) keys.push_back({plan.connection->id, plan.key, plan.record});
  std::sort(keys.begin(), keys.end(), [](const journal::EventKey& a, const journal::EventKey& b) {
    return std::tie(a.connection, a.key) < std::tie(b.connection, b.key);
  });

  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  if (auto entered = journal::enter(*tx, {lane, parts_.epoch(lane)}); !entered) return entered;
  if (routed.aside) {
    if (auto done = journal::take_back(*tx, lane, *routed.aside); !done) return done;
  }
  auto fresh_keys = journal::enter_events(*tx, lane, keys, now);
  if (!fresh_keys) return fail(std::move(fresh_keys).error());
  const journal::EventKeySet fresh = std::move(*fresh_keys);
  std::vector<NewEvent> events;
  std::vector<journal::NewCommand> made;
  std::vector<journal::DecisionRow> decisions;
  std::vector<archive::Prepared> to_record;
  for (EventPlan& plan : plans) {
    if (!fresh.contains(plan.key)) continue;
    events.push_back({plan.connection, &plan.event, plan.record});
    for (PlannedCommand& planned : plan.commands) made.push_back(planned.command);
    for (archive::Prepared& record : records.find(plan.key)->second) to_record.push_back(std::move(record));
    for (journal::DecisionRow& decision : plan.decisions) decisions.push_back(std::move(decision));
  }
  if (!decisions.empty()) {
    if (auto done = journal::write_decisions(*tx, lane, decisions, now); !done) return done;
  }
  std::stable_sort(events.begin(), events.end(),
                   [](const NewEvent& a, const NewEvent& b) { return a.event->occurred_ms < b.event->occurred_ms; });
  if (auto done = parts_.sink.received(*tx, lane, events); !done) return done;
  std::set<Uuid> new_commands;
  if (!made.empty()) {
    auto entered = journal::enter_ledger(*tx, made, now);
    if (!entered) return fail(std::move(entered).error());
    new_commands = std::move(*entered);
  }
  std::vector<journal::NewCommand> to_send;
  std::set<int> lanes;
  std::int64_t held_number = to_us(now);
  for (EventPlan& plan : plans) {
    if (!fresh.contains(plan.key)) continue;
    for (PlannedCommand& planned : plan.commands) {
      if (!new_commands.contains(planned.command.id)) continue;
      if (planned.held_for) {
        journal::Parked parked{
            held_number++,     4, planned.command, journal::ParkedState::held, now, 0, planned.reason,
            *planned.held_for, 0, planned.body};
        if (auto done = journal::park(*tx, parts_.keys, parked); !done) return done;
      } else {
        lanes.insert(planned.command.lane);
        to_send.push_back(planned.command);
      }
    }
  }
  if (auto done = journal::append_outbox(*tx, to_send, now); !done) return done;
  if (!to_record.empty()) {
    auto first = journal::take_numbers(*tx, journal::Stage::records, lane, static_cast<std::int64_t>(to_record.size()));
    if (!first) return fail(std::move(first).error());
    if (auto done = archive::Recorder::append(*tx, lane, to_record, *first); !done) return done;
  }
  if (routed.position) {
    if (auto done = journal::move_position(*tx, journal::Stage::inbox, lane, 0, *routed.position); !done) return done;
  }
  if (auto done = tx->commit(); !done) return done;
  for (const int target : lanes) parts_.wake_delivery(target);
  return {};
}

}  // namespace isthmus::routing
