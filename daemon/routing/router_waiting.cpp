// Calls beside the log: those of a suspended connection wait there, those that cannot be read are quarantined, and both
// are read again in their order.
#include "routing/router.h"

#include "events/events.h"
#include "journal/lanes.h"

namespace isthmus::routing {

Result<void> Router::drain_waiting(int lane, const identity::World& world, Planner& planner) {
  auto& nothing_waits = nothing_waits_[static_cast<std::size_t>(lane)];
  const std::int64_t epoch = parts_.epoch(lane);
  std::vector<std::int64_t> active;
  for (const auto& [id, adapter] : world.adapters) {
    const identity::Connection* connection = world.snapshot->connection(id);
    if (connection != nullptr && connection->lane == lane) active.push_back(id);
  }
  while (true) {
    journal::Waiting waiting;
    {
      auto db = parts_.pool.take();
      if (!db) return fail(std::move(db).error());
      auto read = journal::read_waiting(**db, parts_.keys, lane, active, kBatchMax);
      if (!read) return fail(std::move(read).error());
      waiting = std::move(*read);
    }
    if (waiting.calls.empty()) {
      nothing_waits = waiting.others ? 0 : epoch;
      return {};
    }
    for (const journal::AsideCall& call : waiting.calls) {
      if (auto done = route_waiting(lane, call, world, planner); !done) return done;
    }
  }
}

Result<void> Router::route_waiting(int lane, const journal::AsideCall& aside, const identity::World& world,
                                   Planner& planner) {
  auto plans = plan_call(aside.connection, aside.context, aside.call, world, planner);
  Result<void> done;
  if (!plans) {
    done = fail(plans.error());
  } else {
    auto unknown = only_unknown(std::move(*plans), lane);
    if (!unknown) return fail(std::move(unknown).error());
    done = commit(lane, {std::nullopt, aside.seq}, *unknown);
  }
  if (done || !is_fault_of_data(done.error())) return done;
  const Error why = done.error();
  events::routing_call_quarantined(
      parts_.log, {.connection = aside.connection, .lane = lane, .seq = aside.seq, .reason = why.what});
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  if (auto entered = journal::enter(*tx, {lane, parts_.epoch(lane)}); !entered) return entered;
  if (auto put = journal::quarantine_again(*tx, lane, aside.seq, why.code + ": " + why.what); !put) return put;
  return tx->commit();
}

// A call that cannot be read is quarantined; one whose connection is suspended waits for it.
Result<void> Router::set_aside(const journal::InboxRow& row, const Error& why) {
  const journal::Exchange& exchange = row.exchange;
  const bool waits = why.code == kSuspended;
  if (waits) {
    events::routing_call_waits(
        parts_.log, {.connection = exchange.connection, .lane = exchange.lane, .seq = row.seq, .reason = why.what});
  } else {
    events::routing_call_quarantined(
        parts_.log, {.connection = exchange.connection, .lane = exchange.lane, .seq = row.seq, .reason = why.what});
  }
  auto plain = parts_.keys.open(exchange.call.key, exchange.call.bytes,
                                journal::call_binding(exchange.connection, exchange.received));
  const auto state = waits ? journal::ParkedState::scheduled : journal::ParkedState::quarantined_call;
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  if (auto done = journal::enter(*tx, {exchange.lane, parts_.epoch(exchange.lane)}); !done) return done;
  if (auto done = journal::set_aside(*tx, parts_.keys, row, plain ? *plain : Bytes(), Uuid::random(parts_.random),
                                     state, why.code + ": " + why.what);
      !done)
    return done;
  if (auto done = journal::move_position(*tx, journal::Stage::inbox, exchange.lane, 0, row.seq); !done) return done;
  if (waits)
    nothing_waits_[static_cast<std::size_t>(exchange.lane)] = 0;  // before the commit: it may be done, and say not
  return tx->commit();
}

}  // namespace isthmus::routing
