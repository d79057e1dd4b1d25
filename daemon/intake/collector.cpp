#include "intake/collector.h"

#include <algorithm>

#include "adapter/hosts.h"
#include "base/crypto.h"
#include "journal/codec.h"
#include "journal/text.h"
#include "events/events.h"

namespace isthmus::intake {
namespace {

constexpr std::chrono::milliseconds kTick{100};
constexpr int kPageLimit = 100;
constexpr int kPagesMax = 2000;  // of one run; a stream that never ends is given a rest, its cursor kept

adapter::Call to_call(const std::string& stream, const adapter::HttpRequest& request, const adapter::HttpReply& reply,
                      Instant now) {
  adapter::Call call;
  call.kind = "poll";
  call.method = request.method;
  const auto origin = request.url.find("://");
  const auto path = request.url.find('/', origin == std::string::npos ? 0 : origin + 3);
  const std::string target = path == std::string::npos ? "/" : request.url.substr(path);
  call.path = target.substr(0, target.find('?'));
  if (const auto query = target.find('?'); query != std::string::npos) call.query = target.substr(query + 1);
  call.headers = reply.headers;
  std::erase_if(call.headers, [](const adapter::Header& h) { return http::equal_ignoring_case(h.name, "Set-Cookie"); });
  call.body = reply.body;
  call.received_ms = to_ms(now);
  call.stream = stream;
  call.status = reply.status;
  return call;
}

}  // namespace

Collector::Collector(store::Pool& pool, journal::Keys& keys, const identity::Directory& directory, host::Driver& driver,
                     const Clock& clock, Log& log, std::function<std::int64_t(int)> epoch,
                     std::function<void(int)> wake)
    : pool_(pool),
      keys_(keys),
      directory_(directory),
      driver_(driver),
      clock_(clock),
      log_(log),
      epoch_(std::move(epoch)),
      wake_(std::move(wake)),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

Collector::~Collector() { stop(); }

void Collector::stop() {
  thread_.request_stop();
  finished_.close();
  if (thread_.joinable()) thread_.join();
}

void Collector::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    start_due();
    for (Finished& finished : finished_.pop_all(1000, kTick)) settle(std::move(finished));
  }
}

void Collector::start_due() {
  const auto world = directory_.current();
  if (!world) return;
  const Instant now = clock_.now();
  for (const auto& [id, connection] : world->snapshot->connections()) {
    const std::int64_t epoch = epoch_(connection.lane);
    if (world->adapter_of(id) == nullptr || epoch == 0) continue;
    start_facts(connection, epoch, world);
    for (const auto& collect : connection.collect) {
      const Stream stream{id, collect.first};
      auto known = streams_.find(stream);
      // While another node had the lane, the cursor moved without us.
      if (known == streams_.end() || (known->second.epoch != epoch && !known->second.busy)) {
        auto loaded = load(stream, connection.lane);
        if (!loaded) return;  // the database is away: the next tick tries again
        loaded->epoch = epoch;
        known = streams_.insert_or_assign(stream, std::move(*loaded)).first;
      }
      if (!known->second.busy && known->second.due <= now) start(stream, known->second, world);
    }
  }
}

Result<Collector::State> Collector::load(const Stream& stream, int lane) {
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto rows =
      (*db)->exec("SELECT cursor, due, fails FROM stream_cursor WHERE lane = $1 AND connection = $2 AND stream = $3",
                  {store::Param::small(lane), store::Param::integer(stream.connection), stream.name});
  if (!rows) return fail(std::move(rows).error());
  State state;
  if (rows->empty()) return state;
  state.cursor = rows->bytes(0, 0);
  state.due = rows->instant(0, 1);
  state.fails = static_cast<int>(rows->number(0, 2));
  return state;
}

void Collector::start(const Stream& stream, State& state, const std::shared_ptr<const identity::World>& world) {
  state.busy = true;
  host::TaskSpec spec;
  spec.world = world;
  spec.connection = stream.connection;
  spec.task = adapter::Collect{stream.name, state.cursor, kPageLimit};
  spec.kind = "stream/" + stream.name;
  spec.context = world->context_of(*world->snapshot->connection(stream.connection), clock_.now());
  auto finished = std::make_shared<Finished>();
  finished->stream = stream;
  finished->world = world;
  finished->epoch = state.epoch;
  host::TaskHooks hooks;
  hooks.on_reply = [finished](const adapter::HttpRequest& request, const adapter::HttpReply& reply) {
    finished->replies.emplace_back(request, reply);
  };
  driver_.run(std::move(spec), std::move(hooks), [this, finished](host::TaskEnd end) {
    finished->end = std::move(end);
    (void)finished_.push(std::move(*finished));  // refused only when stopping: the page is collected again
  });
}

void Collector::settle(Finished finished) {
  State& state = streams_[finished.stream];
  state.busy = false;
  if (finished.stream.name == kFacts) return settle_facts(finished, state);
  const identity::Connection* connection = finished.world->snapshot->connection(finished.stream.connection);
  if (!finished.end.done) return failed(finished, state, to_string(finished.end.done.error()), 0);
  const auto* page = std::get_if<adapter::Page>(&*finished.end.done);
  if (finished.end.held_back) return wait_for_limit(finished, state);
  if (page == nullptr) {
    const auto* outcomes = std::get_if<std::vector<adapter::Outcome>>(&*finished.end.done);
    const bool told = outcomes != nullptr && !outcomes->empty();
    const std::string reason =
        told ? std::string(adapter::to_string(outcomes->front().verdict)) + " " + outcomes->front().reason
             : "the adapter gave no page";
    return failed(finished, state, reason, told ? outcomes->front().not_before_ms : 0);
  }
  // AT10: a cursor that this run read from already, with more to come, would read the same pages for ever.
  state.read.insert(crypto::sha256(state.cursor));
  if (page->more && state.read.contains(crypto::sha256(page->next_cursor))) {
    return failed(finished, state, "the network gave the same page again; the cursor stays", 0);
  }
  const bool go_on = page->more && ++state.pages < kPagesMax;
  const Instant due = clock_.now() + (go_on ? std::chrono::microseconds(0)
                                            : std::chrono::microseconds(connection->collect.at(finished.stream.name)));
  if (auto done = journal_page(finished, *connection, *page, due); !done)
    return failed(finished, state, done.error().what, 0);
  if (!go_on) {
    state.pages = 0;
    state.read.clear();
  }
  state.cursor = page->next_cursor;
  state.due = due;
  state.fails = 0;
  if (!finished.replies.empty()) wake_(connection->lane);
}

Result<void> Collector::journal_page(const Finished& finished, const identity::Connection& connection,
                                     const adapter::Page& page, Instant due) {
  const adapter::Adapter* adapter = finished.world->adapter_of(connection.id);
  std::vector<journal::Exchange> exchanges;
  Instant received = clock_.now();
  for (const auto& [request, reply] : finished.replies) {
    journal::Exchange exchange;
    exchange.lane = connection.lane;
    exchange.connection = connection.id;
    exchange.kind = journal::ExchangeKind::poll;
    exchange.stream = finished.stream.name;
    exchange.status = reply.status;
    exchange.descriptor_sha256 = adapter->describe().sha256;
    adapter::Context context = finished.world->context_of(connection, received);
    context.auth = finished.end.auth;
    exchange.context = journal::encode(context);
    exchange.received = received;
    auto sealed = keys_.seal(journal::encode(to_call(finished.stream.name, request, reply, received)),
                             journal::call_binding(connection.id, received));
    if (!sealed) return fail(std::move(sealed).error());
    exchange.call = std::move(*sealed);
    exchanges.push_back(std::move(exchange));
    received += std::chrono::microseconds(1);
  }
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  if (auto done = journal::enter(*tx, {connection.lane, finished.epoch}); !done) return fail(std::move(done).error());
  auto moved = tx->exec(
      "INSERT INTO stream_cursor (lane, connection, stream, cursor, due) VALUES ($1, $2, $3, $4, $5) "
      "ON CONFLICT (lane, connection, stream) DO UPDATE SET cursor = EXCLUDED.cursor, due = EXCLUDED.due, fails = 0, "
      "reason = NULL",
      {store::Param::small(connection.lane), store::Param::integer(connection.id), finished.stream.name,
       store::Param::bytes(page.next_cursor), due});
  if (!moved) return fail(std::move(moved).error());
  auto appended = journal::append_exchanges(*tx, exchanges);
  if (!appended) return fail(std::move(appended).error());
  return tx->commit();
}

// Nothing was asked and nothing failed: the network's limit is used up, and the page waits for its time.
void Collector::wait_for_limit(const Finished& finished, State& state) const {
  const auto* outcomes = std::get_if<std::vector<adapter::Outcome>>(&*finished.end.done);
  const std::int64_t until = outcomes == nullptr || outcomes->empty() ? 0 : outcomes->front().not_before_ms;
  state.due = std::max(clock_.now() + kTick, from_ms(until));
}

void Collector::failed(const Finished& finished, State& state, const std::string& reason, std::int64_t not_before_ms) {
  ++state.fails;
  state.pages = 0;
  state.read.clear();
  // Doubling from 1 s to 5 min, never before what the network asked for.
  const auto back_off = std::chrono::seconds(std::min(300, 1 << std::min(state.fails - 1, 9)));
  state.due = std::max(clock_.now() + std::chrono::microseconds(back_off), from_ms(not_before_ms));
  const identity::Connection* connection = finished.world->snapshot->connection(finished.stream.connection);
  events::collect_stream_failed(log_, {.connection = connection == nullptr ? std::string_view() : connection->name,
                                       .stream = finished.stream.name,
                                       .fails = state.fails,
                                       .reason = reason});
  // Best effort: without it a restart asks sooner than the network wished, and says so again.
  (void)keep_failure(finished, state, reason);
}

Result<void> Collector::keep_failure(const Finished& finished, const State& state, const std::string& reason) {
  const int lane = finished.world->snapshot->connection(finished.stream.connection)->lane;
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  if (auto done = journal::enter(*tx, {lane, finished.epoch}); !done) return done;
  auto kept = tx->exec(
      "INSERT INTO stream_cursor (lane, connection, stream, cursor, due, fails, reason) VALUES ($1, $2, $3, $4, $5, "
      "$6, $7) "
      "ON CONFLICT (lane, connection, stream) DO UPDATE SET due = EXCLUDED.due, fails = EXCLUDED.fails, reason = "
      "EXCLUDED.reason",
      {store::Param::small(lane), store::Param::integer(finished.stream.connection), finished.stream.name,
       store::Param::bytes(state.cursor), state.due, store::Param::integer(state.fails), journal::storable(reason)});
  if (!kept) return fail(std::move(kept).error());
  return tx->commit();
}

}  // namespace isthmus::intake
