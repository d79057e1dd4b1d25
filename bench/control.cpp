#include "control.h"

#include <cstdio>
#include <cstdlib>

#include "archive/recorder.h"
#include "archive/sequencer.h"
#include "base/json.h"
#include "expression/scope.h"
#include "journal/attempts.h"
#include "journal/codec.h"
#include "journal/decisions.h"
#include "journal/event_keys.h"
#include "journal/inbox.h"
#include "journal/outbox.h"
#include "mapping/mapping.h"
#include "store/migrations.h"
#include "usage.h"

namespace isthmus::bench {
namespace {

constexpr int kLane = 7;
constexpr std::int64_t kConnection = 1;
constexpr std::size_t kAcceptBatch = 500;  // the committer's
constexpr std::size_t kStageBatch = 100;   // the router's

template <class T>
T must(Result<T> result) {
  if (!result) {
    std::fprintf(stderr, "the control failed: %s\n", to_string(result.error()).c_str());
    std::exit(1);
  }
  if constexpr (!std::is_void_v<T>) return std::move(*result);
}

template <class T>
std::span<const T> part(const std::vector<T>& all, std::size_t from, std::size_t count) {
  return std::span(all).subspan(from, std::min(count, all.size() - from));
}

/// All that one event writes, sealed.
struct Prepared {
  std::vector<journal::Exchange> exchanges;
  std::vector<journal::EventKey> keys;
  std::vector<journal::NewCommand> commands;
  std::vector<journal::DecisionRow> decisions;
  std::vector<archive::Prepared> made;   // event, decision and command of each
  std::vector<archive::Prepared> ended;  // one of each
  std::vector<journal::Intent> intents;
  std::vector<journal::End> ends;
};

}  // namespace

struct Control::Parts {
  Parts(const store::Options& options, std::filesystem::path state_folder)
      : pool(options, 2), state(std::move(state_folder)) {}

  store::Pool pool;
  std::filesystem::path state;
  SystemClock clock;
  SystemRandom random;
  archive::MasterKey master = must(archive::MasterKey::from_secret(Secret(std::string(32, 'c'))));
  journal::Keys keys{pool, master, clock, random};
  archive::Recorder recorder{pool, master, random};
  archive::NoteSigner signer = must(archive::NoteSigner::create(
      "bench.example/control", must(crypto::SigningKey::from_seed(Secret(std::string(32, 's'))))));
  std::unique_ptr<archive::Sequencer> sequencer;
  std::optional<mapping::Mapping> map;
  std::vector<journal::Fence> fences;
  std::uint64_t number = 0;

  [[nodiscard]] std::int64_t epoch(int lane) const { return fences.at(static_cast<std::size_t>(lane)).epoch; }

  journal::Exchange exchange(const std::string& body) {
    adapter::Call call;
    call.kind = "webhook";
    call.method = "POST";
    call.path = "/in/forms-1";
    call.headers = {{"Host", "127.0.0.1"},
                    {"Content-Type", "application/json"},
                    {"Content-Length", std::to_string(body.size())},
                    {"webhook-id", "msg_000000000000"},
                    {"webhook-timestamp", "1764000000"},
                    {"webhook-signature", "v1," + std::string(44, 'x')}};
    call.body = body;
    journal::Exchange e;
    e.lane = kLane;
    e.connection = kConnection;
    e.descriptor_sha256 = Bytes(32, 'd');
    e.context = journal::encode(adapter::Context{});
    e.received = clock.now();
    e.call = must(keys.seal(journal::encode(call), journal::call_binding(kConnection, e.received)));
    e.delivery_key = crypto::sha256("control" + std::to_string(number++));
    return e;
  }

  archive::Entry entry(archive::Kind kind, std::string body) const {
    return {{kind, std::nullopt, 0, clock.now(), std::move(body), std::nullopt}, kConnection, 1};
  }

  // Bodies as routing and delivery make them; see record_body() and ended_body() there.
  void prepare_event(const std::string& webhook, const std::string& mapped, Prepared& out) {
    out.exchanges.push_back(exchange(webhook));
    out.keys.push_back({kConnection, crypto::sha256("event" + std::to_string(number)), Uuid::random(random)});
    journal::NewCommand command;
    command.id = Uuid::random(random);
    command.lane = kLane;
    command.connection = kConnection;
    command.verb = adapter::Verb::call;
    command.operation = "send_lead";
    command.order_key = crypto::sha256("order" + std::to_string(number));
    command.decision = Uuid::random(random);
    command.purposes = {"crm", "marketing"};
    command.body_format = "lead/1";
    command.body = must(keys.seal(mapped, journal::body_binding(command.id)));
    out.decisions.push_back(
        {command.decision, command.id, kConnection, 1, "deliver.routed", "base", "1", std::string(90, 'r'), {}, {}, 0});
    const std::string small = R"({"reason":")" + std::string(200, 'r') + "\"}";
    const std::string large = R"({"body":)" + mapped + R"(,"command":")" + std::string(180, 'c') + "\"}";
    const archive::Entry entries[] = {entry(archive::Kind::lead_received, large),
                                      entry(archive::Kind::decision_made, small),
                                      entry(archive::Kind::command_made, large)};
    for (archive::Prepared& record : must(recorder.prepare(entries))) out.made.push_back(std::move(record));
    const archive::Entry last[] = {entry(archive::Kind::command_ended, large)};
    out.ended.push_back(std::move(must(recorder.prepare(last)).front()));
    out.intents.push_back({command.id, kConnection, 1, {}});
    out.ends.push_back(
        {command.id, kConnection, 1, adapter::Verdict::delivered, true, 204, {}, command.id.to_string(), {}});
    out.commands.push_back(std::move(command));
  }

  void journal_calls(store::Connection& db, const std::vector<journal::Exchange>& exchanges) {
    for (std::size_t at = 0; at < exchanges.size(); at += kAcceptBatch) {
      auto tx = must(store::Transaction::begin(db));
      must(journal::append_exchanges(tx, part(exchanges, at, kAcceptBatch)));
      must(tx.commit());
    }
  }

  void route(store::Connection& db, const Prepared& events, std::size_t at) {
    const std::int64_t position = must(journal::position(db, journal::Stage::inbox, kLane, 0));
    const auto rows = must(journal::read_inbox(db, kLane, position, kStageBatch));
    const auto names = part(events.keys, at, kStageBatch);
    (void)must(journal::known_events(db, kLane, names));
    const Instant now = clock.now();
    auto tx = must(store::Transaction::begin(db));
    must(journal::enter(tx, {kLane, epoch(kLane)}));
    (void)must(journal::enter_events(tx, kLane, names, now));
    must(journal::write_decisions(tx, kLane, part(events.decisions, at, kStageBatch), now));
    (void)must(journal::enter_ledger(tx, part(events.commands, at, kStageBatch), now));
    must(journal::append_outbox(tx, part(events.commands, at, kStageBatch), now));
    record(tx, part(events.made, 3 * at, 3 * kStageBatch));
    must(journal::move_position(tx, journal::Stage::inbox, kLane, 0, rows.back().seq));
    must(tx.commit());
  }

  void deliver(store::Connection& db, const Prepared& events, std::size_t at) {
    const std::int64_t position = must(journal::position(db, journal::Stage::outbox, kLane, kConnection));
    const auto rows = must(journal::read_outbox(db, kLane, kConnection, position, kStageBatch));
    std::vector<Uuid> ids;
    for (const journal::OutboxRow& row : rows) ids.push_back(row.command.id);
    (void)must(journal::histories(db, kLane, ids));
    {
      auto tx = must(store::Transaction::begin(db));
      must(journal::enter(tx, {kLane, epoch(kLane)}));
      must(journal::write_intents(tx, kLane, part(events.intents, at, kStageBatch), clock.now()));
      must(tx.commit());
    }
    auto tx = must(store::Transaction::begin(db));
    must(journal::enter(tx, {kLane, epoch(kLane)}));
    must(journal::write_ends(tx, kLane, part(events.ends, at, kStageBatch), clock.now()));
    record(tx, part(events.ended, at, kStageBatch));
    must(journal::move_position(tx, journal::Stage::outbox, kLane, kConnection, rows.back().seq));
    must(tx.commit());
  }

  static void record(store::Transaction& tx, std::span<const archive::Prepared> records) {
    const std::int64_t first =
        must(journal::take_numbers(tx, journal::Stage::records, kLane, static_cast<std::int64_t>(records.size())));
    must(archive::Recorder::append(tx, kLane, records, first));
  }
};

Control::Control(const store::Options& options, const std::filesystem::path& mapping, std::filesystem::path state)
    : parts_(std::make_unique<Parts>(options, std::move(state))) {
  auto db = must(parts_->pool.take());
  must(store::migrate(*db, store::built_in_migrations()));
  must(journal::make_partitions(*db));
  parts_->fences = must(journal::take_lanes(*db, "control", std::chrono::hours(24)));
  std::sort(parts_->fences.begin(), parts_->fences.end(), [](const auto& a, const auto& b) { return a.lane < b.lane; });
  parts_->sequencer = must(archive::Sequencer::open({parts_->pool, parts_->signer, parts_->clock, parts_->state}));
  Diagnostics diagnostics;
  parts_->map = mapping::Mapping::load(mapping, diagnostics);
  if (!parts_->map) std::fprintf(stderr, "%s", diagnostics.to_string().c_str()), std::exit(1);
}

Control::~Control() = default;

ControlReport Control::accept(std::size_t events, const Webhooks& like) {
  std::vector<journal::Exchange> exchanges;
  for (std::size_t i = 0; i < events; ++i) exchanges.push_back(parts_->exchange(like.body(parts_->number)));
  auto db = must(parts_->pool.take());
  const double cpu = cpu_seconds_of_thread();
  const auto start = std::chrono::steady_clock::now();
  parts_->journal_calls(*db, exchanges);
  return {events, seconds_since(start), cpu_seconds_of_thread() - cpu};
}

ControlReport Control::through(std::size_t events, const Webhooks& like) {
  Prepared prepared;
  mapping::Workspace workspace;
  const expression::MapScope more;
  for (std::size_t i = 0; i < events; ++i) {
    const std::string webhook = like.body(parts_->number);
    // What the adapter makes of it: the same lead, with its source.
    const auto data = webhook.find("\"data\":{") + 8;
    const std::string event = R"({"source":"forms",)" + webhook.substr(data, webhook.size() - data - 1);
    auto mapped = parts_->map->apply(workspace, event, {mapping::Purposes::all(), {}}, more);
    auto* body = std::get_if<mapping::Mapped>(&mapped);
    if (body == nullptr) std::fprintf(stderr, "the map of the bench does not map its event\n"), std::exit(1);
    parts_->prepare_event(webhook, body->body, prepared);
  }
  auto db = must(parts_->pool.take());
  const double cpu = cpu_seconds_of_thread();
  const auto start = std::chrono::steady_clock::now();
  parts_->journal_calls(*db, prepared.exchanges);
  for (std::size_t at = 0; at < events; at += kStageBatch) {
    parts_->route(*db, prepared, at);
    parts_->deliver(*db, prepared, at);
  }
  while (must(parts_->sequencer->step(parts_->epoch(journal::kSequencerLane))).leaves != 0) continue;
  return {events, seconds_since(start), cpu_seconds_of_thread() - cpu};
}

}  // namespace isthmus::bench
