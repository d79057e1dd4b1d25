#pragma once

#include <gtest/gtest.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/recorder.h"
#include "base/check.h"
#include "base/json.h"
#include "base/crypto.h"
#include "identity/directory.h"
#include "journal/attempts.h"
#include "journal/books.h"
#include "journal/inbox.h"
#include "journal/codec.h"
#include "journal/lanes.h"
#include "journal/outbox.h"
#include "support/eventually.h"
#include "support/fake_adapter.h"
#include "support/postgres.h"

namespace isthmus::test {

/// The system's clock, moved forward by a test. Thread safe.
class MovableClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return system_.now() + ahead(); }
  [[nodiscard]] std::chrono::microseconds since_boot() const override { return system_.since_boot() + ahead(); }
  void advance(std::chrono::microseconds by) { ahead_us_ += by.count(); }

 private:
  [[nodiscard]] std::chrono::microseconds ahead() const { return std::chrono::microseconds(ahead_us_.load()); }
  SystemClock system_;
  std::atomic<std::int64_t> ahead_us_{0};
};

/// Says warnings and errors on stderr when ISTHMUS_TEST_LOG is set, to see why a test waits in vain.
class EchoLog final : public Log {
 public:
  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) override {
    if (level < LogLevel::warning || std::getenv("ISTHMUS_TEST_LOG") == nullptr) return;
    std::string line(event);
    for (const LogField& field : fields) {
      line += " " + std::string(field.name) + "=";
      if (const auto* text = std::get_if<std::string_view>(&field.value)) line += *text;
      if (const auto* number = std::get_if<std::int64_t>(&field.value)) line += std::to_string(*number);
    }
    std::fprintf(stderr, "%s\n", line.c_str());
  }
};

/// Fails the Nth statement, once. Thread safe.
class StatementFault {
 public:
  void fail_at(std::int64_t n) {
    count_ = 0;
    fail_at_ = n;
  }
  [[nodiscard]] bool met() const { return fail_at_ != 0 && count_ >= fail_at_; }
  bool allow() {
    const std::int64_t at = fail_at_.load();
    return at == 0 || ++count_ != at;
  }

 private:
  std::atomic<std::int64_t> count_{0};
  std::atomic<std::int64_t> fail_at_{0};
};

/// A company of one unit in a database of its own, with what the pipeline borrows: pool, keys, recorder, directory. All
/// its connections use FakeAdapter. `db` is the test's own connection, which no fault meets.
struct SmallCompany {
  SmallCompany() : SmallCompany(Postgres::instance().fresh_database()) {}
  explicit SmallCompany(const store::Options& plain)
      : options(plain),
        db(open(plain)),
        pool(with_fault(plain, fault), 8),
        vault(Secret(std::string(32, 'm'))),
        master(*archive::MasterKey::from_secret(Secret(std::string(32, 'm')))),
        keys(pool, master, clock, random),
        recorder(pool, master, random),
        directory(
            pool, vault, [this](std::string_view name) { return find(name); }, log) {
    exec("INSERT INTO unit (name) VALUES ('acme')");
    take_lanes();
  }

  store::Rows exec(const std::string& sql, const std::vector<store::Param>& params = {}) {
    const std::lock_guard lock(db_mutex);
    auto rows = db->exec(sql, params);
    EXPECT_TRUE(rows.has_value()) << (rows ? "" : to_string(rows.error())) << "\n" << sql;
    return rows ? *rows : store::Rows();
  }
  std::int64_t count(const std::string& what_from) { return exec("SELECT count(*) FROM " + what_from).number(0, 0); }
  std::string text(const std::string& sql) {
    const store::Rows rows = exec(sql);
    return rows.empty() ? "(no row)" : std::string(rows.text(0, 0));
  }

  std::int64_t add_connection(const std::string& name, int lane, const std::string& base = "http://127.0.0.1:1") {
    const store::Rows rows = exec(
        "INSERT INTO connection (uuid, name, unit, adapter, descriptor_sha256, hosts, internal, fields, lane) VALUES "
        "(gen_random_uuid(), $1, 1, 'fake', $2, ARRAY[$3], true, jsonb_build_object('base', $3::text), $4) RETURNING "
        "id",
        {name, store::Param::bytes(adapter.describe().sha256), base, store::Param::small(lane)});
    return rows.number(0, 0);
  }
  std::int64_t add_person(const std::string& name, const std::string& rights) {
    return exec(
               "INSERT INTO principal (kind, unit, issuer, subject, rights) VALUES ('person', 1, 'local', $1, "
               "$2::text::text[]) RETURNING id",
               {name, rights})
        .number(0, 0);
  }
  void add_route(const std::string& name, std::int64_t source, const std::string& kind, std::int64_t target,
                 const std::string& operation, const std::string& mapping) {
    exec("INSERT INTO route (name, source, kinds, target, operation, mapping) VALUES ($1, $2, ARRAY[$3], $4, $5, $6)",
         {name, store::Param::integer(source), kind, store::Param::integer(target), operation, mapping});
  }
  [[nodiscard]] const adapter::Adapter* find(std::string_view name) const {
    if (name == "fake") return &adapter;
    const auto other = others.find(name);
    return other == others.end() ? nullptr : other->second;
  }
  /// A connection of another adapter, which the test owns, to a server at this address.
  std::int64_t add_connection_of(const adapter::Adapter& of, const std::string& name, int lane,
                                 const std::string& origin, const std::map<std::string, std::string>& fields) {
    others[of.describe().name] = &of;
    JsonWriter json;
    json.begin_object();
    for (const auto& [field, value] : fields) json.member(field, value);
    json.end_object();
    return exec(
               "INSERT INTO connection (uuid, name, unit, adapter, descriptor_sha256, hosts, internal, fields, lane) "
               "VALUES (gen_random_uuid(), $1, 1, $2, $3, ARRAY[$4], true, $5::text::jsonb, $6) RETURNING id",
               {name, of.describe().name, store::Param::bytes(of.describe().sha256), origin, std::move(json).text(),
                store::Param::small(lane)})
        .number(0, 0);
  }
  /// After the administration changed; what runs sees the new world.
  void refresh() {
    exec("UPDATE administration SET version = version + 1");
    const auto done = directory.refresh();
    EXPECT_TRUE(done.has_value()) << (done ? "" : to_string(done.error()));
  }

  /// As a node that starts: every lane is ours with a new epoch.
  void take_lanes() {
    const std::lock_guard lock(db_mutex);
    const auto taken = journal::take_lanes(*db, "node", std::chrono::seconds(3600));
    ASSERT_TRUE(taken.has_value());
    for (const journal::Fence& fence : *taken) epochs[static_cast<std::size_t>(fence.lane)] = fence.epoch;
  }
  [[nodiscard]] std::int64_t epoch(int lane) const { return epochs[static_cast<std::size_t>(lane)].load(); }

  /// A command that was decided and logged.
  Uuid order(const identity::Connection& target, const std::string& operation, const std::string& key,
             const std::string& body) {
    journal::NewCommand command;
    command.id = Uuid::random(random);
    command.lane = target.lane;
    command.connection = target.id;
    for (const adapter::OperationSpec& spec : find(target.adapter)->describe().operations) {
      if (spec.name != operation) continue;
      command.verb = spec.verb;
      command.body_format = spec.format;
      if (!spec.purpose.empty()) command.purposes = {spec.purpose};
    }
    command.operation = operation;
    command.order_key = crypto::sha256(key);
    command.decision = Uuid::random(random);
    auto sealed = keys.seal(body, journal::body_binding(command.id));
    EXPECT_TRUE(sealed.has_value());
    if (sealed) command.body = *sealed;
    const std::lock_guard lock(db_mutex);
    auto tx = store::Transaction::begin(*db);
    EXPECT_TRUE(tx.has_value());
    EXPECT_TRUE(journal::enter_ledger(*tx, std::span(&command, 1), clock.now()).has_value());
    EXPECT_TRUE(journal::append_outbox(*tx, std::span(&command, 1), clock.now()).has_value());
    EXPECT_TRUE(tx->commit().has_value());
    return command.id;
  }

  journal::Books books() {
    const std::lock_guard lock(db_mutex);
    auto read = journal::read_books(*db);
    EXPECT_TRUE(read.has_value()) << (read ? "" : to_string(read.error()));
    return read ? *read : journal::Books();
  }

  /// Journals one call that came in for a connection.
  void receive(const identity::Connection& source, const std::string& body) {
    adapter::Call call;
    call.kind = "webhook";
    call.body = body;
    journal::Exchange exchange;
    exchange.lane = source.lane;
    exchange.connection = source.id;
    exchange.descriptor_sha256 = adapter.describe().sha256;
    exchange.context = journal::encode(adapter::Context{});
    exchange.received = from_us(to_us(clock.now()) + received_++);
    auto sealed = keys.seal(journal::encode(call), journal::call_binding(source.id, exchange.received));
    ASSERT_TRUE(sealed.has_value());
    exchange.call = *sealed;
    const std::lock_guard lock(db_mutex);
    auto tx = store::Transaction::begin(*db);
    ASSERT_TRUE(tx.has_value());
    ASSERT_TRUE(journal::append_exchanges(*tx, std::span(&exchange, 1)).has_value());
    ASSERT_TRUE(tx->commit().has_value());
  }

  static std::unique_ptr<store::Connection> open(const store::Options& plain) {
    auto opened = store::Connection::open(plain);
    ISTHMUS_CHECK(opened.has_value(), "the test's own connection opens");
    return std::move(*opened);
  }
  static store::Options with_fault(store::Options plain, StatementFault& fault) {
    plain.allow_statement = [&fault](std::string_view) { return fault.allow(); };
    return plain;
  }

  store::Options options;
  StatementFault fault;
  std::unique_ptr<store::Connection> db;
  std::mutex db_mutex;
  MovableClock clock;
  SystemRandom random;
  EchoLog log;
  FakeAdapter adapter;
  std::map<std::string, const adapter::Adapter*, std::less<>> others;  ///< by name
  store::Pool pool;
  identity::Vault vault;
  archive::MasterKey master;
  journal::Keys keys;
  archive::Recorder recorder;
  identity::Directory directory;
  std::array<std::atomic<std::int64_t>, journal::kLanes + 1> epochs{};
  std::int64_t received_ = 0;
};

}  // namespace isthmus::test
