// What happens: setting up, and the steps that are drawn.
#include "sim/simulation.h"

#include <fmt/format.h>

#include <cstdio>

#include "base/crypto.h"
#include "journal/codec.h"
#include "journal/inbox.h"
#include "journal/outbox.h"

namespace isthmus::sim {
namespace {

// Partitions are made for today and three days, so the virtual clock starts today.
Instant noon_of_today() {
  const auto now = SystemClock().now();
  return std::chrono::floor<std::chrono::days>(now) + std::chrono::hours(12);
}

std::string lead(int key, int number) {
  return fmt::format(
      "lead-{1}\tlead.form\tk{0}\t1800000000000\tlead/1\tcrm\t"
      R"({{"source":"forms","external_id":"k{0}n{1}","submitted_at":"2026-11-24T18:00:00Z",)"
      R"("person":{{"email":"z@example.com"}},"consent":{{"given":true,"wording":"ok","at":"2026-11-24T18:00:00Z",)"
      R"("channel":"web","purposes":["crm"]}}}})"
      "\n",
      key, number);
}

}  // namespace

Simulation::Simulation(Options options)
    : options_(std::move(options)),
      database_(test::Postgres::instance().fresh_database()),
      company_(options_.seed, noon_of_today(), options_.source_folder) {
  auto opened = store::Connection::open(database_);
  ISTHMUS_CHECK(opened.has_value(), "the run's own connection opens");
  db_ = std::move(*opened);
  pool_ = std::make_unique<store::Pool>(database_, 2);
  keys_ = std::make_unique<journal::Keys>(*pool_, company_.master, company_.clock, company_.random);
  if (options_.trace) company_.network.trace([this](const std::string& what) { say("  " + what); });
  set_up();
}

store::Rows Simulation::ask(const std::string& sql, const std::vector<store::Param>& params) {
  auto rows = db_->exec(sql, params);
  if (!rows) std::fprintf(stderr, "%s\n%s\n", to_string(rows.error()).c_str(), sql.c_str());
  ISTHMUS_CHECK(rows.has_value(), "the run's own statements are right");
  return std::move(*rows);
}

void Simulation::set_up() {
  ask("INSERT INTO unit (name) VALUES ('acme')");
  lanes_ = {3, 7, 7, 11};  // two connections share a lane
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    const auto rows = ask(
        "INSERT INTO connection (uuid, name, unit, adapter, descriptor_sha256, hosts, internal, fields, lane) VALUES "
        "($1, $2, 1, 'fake', $3, ARRAY['http://network'], true, '{\"base\": \"http://network\"}', $4) RETURNING id",
        {Uuid::random(company_.random), fmt::format("connection-{}", i),
         store::Param::bytes(company_.adapter.describe().sha256), store::Param::small(lanes_[i])});
    connections_.push_back(rows.number(0, 0));
  }
  source_ = connections_.front();
  source_lane_ = lanes_.front();
  ask("INSERT INTO route (name, source, kinds, target, operation, mapping) VALUES ('leads', $1, ARRAY['lead.form'], "
      "$2, 'upsert', 'as-it-is')",
      {store::Param::integer(source_), store::Param::integer(connections_.back())});
  ask("UPDATE administration SET version = version + 1");
  nodes_.resize(kNodes);
  for (std::size_t i = 0; i < nodes_.size(); ++i) restart(i);
  for (std::size_t i = 0; i < lanes_.size(); ++i) own(i % nodes_.size(), lanes_[i]);
}

void Simulation::say(const std::string& what) const {
  if (options_.trace)
    std::printf("  %5d  %s  %s\n", step_, to_rfc3339(company_.clock.now()).substr(11, 12).c_str(), what.c_str());
}

std::size_t Simulation::any_node() { return company_.random.below(nodes_.size()); }

void Simulation::step() {
  ++step_;
  const std::uint64_t drawn = company_.random.below(100);
  if (drawn < 12) return order();
  if (drawn < 20) return receive();
  if (drawn < 30) {
    const std::size_t node = any_node();
    (void)nodes_[node]->router().turn(source_lane_);
    return say(fmt::format("{} routes", nodes_[node]->name()));
  }
  if (drawn < 66) {
    const std::size_t node = any_node();
    nodes_[node]->dispatcher().turn(std::chrono::milliseconds(0));
    return say(fmt::format("{} delivers", nodes_[node]->name()));
  }
  if (drawn < 90) return advance();
  if (drawn < 93) return crash();
  if (drawn < 96) return take_over();
  const std::size_t node = any_node();
  const auto nth = static_cast<std::int64_t>(1 + company_.random.below(12));
  nodes_[node]->fails_statement(nth);
  ++summary_.faults;
  say(fmt::format("{} loses its database at its statement {}", nodes_[node]->name(), nth));
}

// A person's command: decided and logged by an API that any node may serve.
void Simulation::order() {
  static constexpr const char* kOperations[] = {"post", "post", "upsert", "blind"};
  const std::size_t to = company_.random.below(connections_.size());
  const int key = static_cast<int>(company_.random.below(kKeys));
  journal::NewCommand command;
  command.id = Uuid::random(company_.random);
  command.lane = lanes_[to];
  command.connection = connections_[to];
  command.operation = kOperations[company_.random.below(4)];
  for (const adapter::OperationSpec& spec : company_.adapter.describe().operations) {
    if (spec.name != command.operation) continue;
    command.verb = spec.verb;
    command.body_format = spec.format;
    if (!spec.purpose.empty()) command.purposes = {spec.purpose};
  }
  command.order_key = crypto::sha256(fmt::format("k{}", key));
  command.decision = Uuid::random(company_.random);
  const std::string body = fmt::format("\"c{}k{}n{}\"", to, key, ++made_);
  auto sealed = keys_->seal(body, journal::body_binding(command.id));
  ISTHMUS_CHECK(sealed.has_value(), "a body can be sealed");
  command.body = *sealed;
  auto tx = store::Transaction::begin(*db_);
  const bool written = tx && journal::enter_ledger(*tx, std::span(&command, 1), company_.clock.now()) &&
                       journal::append_outbox(*tx, std::span(&command, 1), company_.clock.now()) && tx->commit();
  ISTHMUS_CHECK(written, "a command can be logged");
  operations_[command.id.to_string()] = command.operation;
  for (auto& node : nodes_) node->dispatcher().wake(command.lane);
  say(fmt::format("a person orders {} {} ({})", command.operation, body, command.id.to_string().substr(0, 8)));
}

// A call that came in: leads, some of them known already from another channel.
void Simulation::receive() {
  adapter::Call call;
  call.kind = "webhook";
  const std::uint64_t count = 1 + company_.random.below(4);
  for (std::uint64_t i = 0; i < count; ++i) {
    const bool again = events_ > 0 && company_.random.below(3) == 0;
    const int number =
        again ? 1 + static_cast<int>(company_.random.below(static_cast<std::uint64_t>(events_))) : ++events_;
    call.body += lead(number % kKeys, number);
  }
  journal::Exchange exchange;
  exchange.lane = source_lane_;
  exchange.connection = source_;
  exchange.descriptor_sha256 = company_.adapter.describe().sha256;
  exchange.context = journal::encode(adapter::Context{});
  company_.clock.advance(std::chrono::microseconds(1));
  exchange.received = company_.clock.now();
  auto sealed = keys_->seal(journal::encode(call), journal::call_binding(source_, exchange.received));
  ISTHMUS_CHECK(sealed.has_value(), "a call can be sealed");
  exchange.call = *sealed;
  auto tx = store::Transaction::begin(*db_);
  const bool written = tx && journal::append_exchanges(*tx, std::span(&exchange, 1)) && tx->commit();
  ISTHMUS_CHECK(written, "a call can be journaled");
  say(fmt::format("a call of {} events comes in", count));
}

void Simulation::advance() {
  const std::uint64_t drawn = company_.random.below(10);
  const Instant now = company_.clock.now();
  std::chrono::microseconds by = std::chrono::milliseconds(1 + company_.random.below(500));
  if (const auto next = company_.network.next(); next && drawn < 7) by = *next - now;
  if (drawn == 9) by = std::chrono::seconds(1 + company_.random.below(40));
  company_.clock.advance(by);
  company_.network.run_due();
  say(fmt::format("{} ms pass", by.count() / 1000));
}

void Simulation::crash() {
  const std::size_t node = any_node();
  say(fmt::format("{} is killed", nodes_[node]->name()));
  ++summary_.crashes;
  restart(node);
}

// A restarted node takes its own lanes again, with a new epoch.
void Simulation::restart(std::size_t index) {
  const std::string name = fmt::format("node-{}", index + 1);
  std::vector<int> owned;
  for (const int lane : lanes_) {
    if (nodes_[index] && ask("SELECT owner FROM lane WHERE lane = $1", {store::Param::small(lane)}).text(0, 0) == name)
      owned.push_back(lane);
  }
  nodes_[index].reset();
  nodes_[index] = std::make_unique<Node>(company_, database_, name);
  for (const int lane : owned) own(index, lane);
}

// The lease ran out, or so the taker read; who had the lane learns it late, or from the fence.
void Simulation::take_over() {
  const std::size_t to = any_node();
  const int lane = lanes_[company_.random.below(lanes_.size())];
  ++summary_.takeovers;
  say(fmt::format("{} takes lane {}", nodes_[to]->name(), lane));
  const bool told = company_.random.below(2) == 0;
  for (auto& node : nodes_) {
    if (told && node != nodes_[to]) node->believes(lane, 0);
  }
  own(to, lane);
}

void Simulation::own(std::size_t index, int lane) {
  const auto rows = ask("UPDATE lane SET owner = $1, epoch = epoch + 1 WHERE lane = $2 RETURNING epoch",
                        {nodes_[index]->name(), store::Param::small(lane)});
  nodes_[index]->believes(lane, rows.number(0, 0));
}

}  // namespace isthmus::sim
