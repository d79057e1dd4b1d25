// What a server says of itself: asked when nothing is known of it, and again when that is old.
#include <algorithm>

#include "expression/value.h"
#include "intake/collector.h"
#include "events/events.h"

namespace isthmus::intake {
namespace {

/// JSON of the object that the adapter keeps, or why it is none.
Result<std::string> facts_of(const host::TaskEnd& end) {
  if (!end.done) return fail(end.done.error());
  if (const auto* outcomes = std::get_if<std::vector<adapter::Outcome>>(&*end.done)) {
    if (outcomes->empty()) return fail("adapter.fault", "the adapter gave no facts");
    return fail("facts.refused",
                std::string(adapter::to_string(outcomes->front().verdict)) + " " + outcomes->front().reason);
  }
  const auto* report = std::get_if<adapter::Report>(&*end.done);
  if (report == nullptr || report->text.size() > adapter::kFactsBytesMax)
    return fail("adapter.fault", "the adapter gave no facts, or more than 4 KiB");
  auto document = expression::Document::parse(report->text);
  if (!document || !document->root().is_object()) return fail("adapter.fault", "the facts are no JSON object");
  return report->text;
}

}  // namespace

void Collector::start_facts(const identity::Connection& connection, std::int64_t epoch,
                            const std::shared_ptr<const identity::World>& world) {
  const adapter::Description& description = world->adapter_of(connection.id)->describe();
  if (description.facts_every_ms <= 0) return;
  const Stream stream{connection.id, std::string(kFacts)};
  State& state = streams_[stream];
  if (state.busy) return;
  // Another server, or another descriptor: what was asked of the former counts no more.
  if (Bytes of = identity::facts_key(connection); state.cursor != of) {
    state = State();
    state.cursor = std::move(of);
  }
  const auto known = world->facts.find(connection.id);
  const bool old = known == world->facts.end() ||
                   known->second.at + std::chrono::milliseconds(description.facts_every_ms) <= clock_.now();
  if (!old || state.due > clock_.now()) return;
  state.busy = true;
  state.epoch = epoch;
  host::TaskSpec spec;
  spec.world = world;
  spec.connection = connection.id;
  spec.kind = adapter::kCheckFacts;
  spec.task = adapter::Check{std::string(adapter::kCheckFacts)};
  spec.context = world->context_of(connection, clock_.now());
  auto finished = std::make_shared<Finished>();
  finished->stream = stream;
  finished->world = world;
  finished->epoch = epoch;
  driver_.run(std::move(spec), {}, [this, finished](host::TaskEnd end) {
    finished->end = std::move(end);
    (void)finished_.push(std::move(*finished));
  });
}

void Collector::settle_facts(const Finished& finished, State& state) {
  if (finished.end.held_back && finished.end.done) return wait_for_limit(finished, state);
  const identity::Connection& connection = *finished.world->snapshot->connection(finished.stream.connection);
  if (auto kept = keep_facts(finished, connection); !kept) {
    ++state.fails;
    const auto back_off = std::chrono::seconds(std::min(3600, 10 << std::min(state.fails - 1, 9)));
    state.due = clock_.now() + std::chrono::microseconds(back_off);
    events::collect_stream_failed(log_, {.connection = connection.name,
                                         .stream = adapter::kCheckFacts,
                                         .fails = state.fails,
                                         .reason = kept.error().what});
    return;
  }
  state.fails = 0;
  const adapter::Adapter* adapter = finished.world->adapter_of(connection.id);
  state.due = clock_.now() + std::chrono::milliseconds(adapter->describe().facts_every_ms);
}

Result<void> Collector::keep_facts(const Finished& finished, const identity::Connection& connection) {
  auto json = facts_of(finished.end);
  if (!json) return fail(std::move(json).error());
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  if (auto done = journal::enter(*tx, {connection.lane, finished.epoch}); !done) return done;
  if (auto done = identity::put_facts(*tx, connection, {std::move(*json), clock_.now()}); !done) return done;
  return tx->commit();
}

}  // namespace isthmus::intake
