#include "store/connection.h"

#include <fmt/format.h>
#include <libpq-fe.h>
#include <poll.h>

#include <cstring>

namespace isthmus::store {
namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

std::string first_line(const char* message) {
  std::string text(message == nullptr ? "" : message);
  const auto end = text.find('\n');
  return end == std::string::npos ? text : text.substr(0, end);
}

std::string code_for(std::string_view sqlstate) {
  const std::string_view kind = sqlstate.substr(0, 2);
  if (kind == "22" || kind == "23") return "store.data";
  if (kind == "40" || sqlstate == "55P03") return "store.conflict";
  if (kind == "08" || kind == "53" || kind == "57" || kind == "58" || kind == "55" || kind == "25")
    return "store.unavailable";
  return "store.refused";
}

// Waits on the socket; false when the deadline has passed.
bool wait_socket(PGconn* connection, short events, SteadyTime deadline) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return false;
    pollfd fd{PQsocket(connection), events, 0};
    const int ready = poll(&fd, 1, static_cast<int>(left.count()));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool wait_connected(PGconn* connection, SteadyTime deadline) {
  PostgresPollingStatusType status = PGRES_POLLING_WRITING;
  while (status != PGRES_POLLING_OK) {
    if (status == PGRES_POLLING_FAILED) return false;
    if (!wait_socket(connection, status == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline)) return false;
    status = PQconnectPoll(connection);
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<Connection>> Connection::open(const Options& options) {
  const std::string password(options.password.reveal());
  // tcp_user_timeout bounds a write to a machine that vanished; on a Unix socket it is ignored.
  const char* keys[] = {"host",
                        "port",
                        "dbname",
                        "user",
                        "password",
                        "application_name",
                        "tcp_user_timeout",
                        "target_session_attrs",
                        "client_encoding",
                        "options",
                        nullptr};
  const char* settings =
      "-c search_path=isthmus -c timezone=UTC -c client_min_messages=warning -c lock_timeout=5s -c "
      "idle_in_transaction_session_timeout=5s";
  const char* values[] = {options.host.c_str(),
                          options.port.c_str(),
                          options.database.c_str(),
                          options.user.c_str(),
                          password.empty() ? nullptr : password.c_str(),
                          "isthmusd",
                          "10000",
                          "read-write",
                          "UTF8",
                          settings,
                          nullptr};
  PGconn* raw = PQconnectStartParams(keys, values, 0);
  std::unique_ptr<Connection> connection(new Connection(options, raw));
  const bool started = raw != nullptr && PQstatus(raw) != CONNECTION_BAD;
  if (!started || !wait_connected(raw, std::chrono::steady_clock::now() + options.connect_timeout)) {
    return fail("store.unavailable",
                fmt::format("connecting to PostgreSQL at {}:{}, database {}, failed: {}", options.host, options.port,
                            options.database, first_line(PQerrorMessage(raw))),
                "check that the server runs and that database.host, port, name and user are right");
  }
  PQsetnonblocking(raw, 1);
  return connection;
}

Connection::~Connection() { close(); }

void Connection::close() {
  if (raw_ != nullptr) PQfinish(raw_);
  raw_ = nullptr;
}

bool Connection::usable() const { return raw_ != nullptr && PQstatus(raw_) == CONNECTION_OK; }

Result<Rows> Connection::wait(std::string_view what) {
  const auto deadline = std::chrono::steady_clock::now() + options_.statement_timeout;
  const auto lost = [&](const char* why) {
    const std::string message = fmt::format("{} while running: {}", why, what.substr(0, 80));
    close();
    return fail("store.unavailable", message, "the database is unreachable or overloaded; it is tried again");
  };
  int flushed = 1;
  while ((flushed = PQflush(raw_)) == 1) {
    if (!wait_socket(raw_, POLLIN | POLLOUT, deadline)) return lost("the statement timed out");
    if (PQconsumeInput(raw_) == 0) return lost("the connection was lost");
  }
  if (flushed < 0) return lost("the connection was lost");
  Rows rows;
  Result<Rows> outcome = Rows();
  while (true) {
    while (PQisBusy(raw_) == 1) {
      if (!wait_socket(raw_, POLLIN, deadline)) return lost("the statement timed out");
      if (PQconsumeInput(raw_) == 0) return lost("the connection was lost");
    }
    PGresult* result = PQgetResult(raw_);
    if (result == nullptr) break;
    Rows holder(result);
    const ExecStatusType status = PQresultStatus(result);
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) {
      if (outcome) outcome = holder;
      continue;
    }
    const char* state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);  // the detail may quote data
    Error error{
        state == nullptr ? "store.unavailable" : code_for(state),
        fmt::format("{} while running: {}", primary == nullptr ? "connection lost" : primary, what.substr(0, 80)),
        {},
        state == nullptr ? "" : state};
    outcome = fail(std::move(error));
  }
  if (PQstatus(raw_) == CONNECTION_BAD) close();
  return outcome;
}

Result<std::string> Connection::prepared(std::string_view sql, const std::vector<Param>& params) {
  std::string key(sql);
  for (const Param& param : params) key += fmt::format("|{}", param.type());
  if (const auto known = statements_.find(key); known != statements_.end()) return known->second;
  const std::string name = fmt::format("s{}", statements_.size());
  std::vector<Oid> types;
  for (const Param& param : params) types.push_back(param.type());
  if (PQsendPrepare(raw_, name.c_str(), std::string(sql).c_str(), static_cast<int>(types.size()), types.data()) == 0) {
    close();
    return fail("store.unavailable", "the connection was lost");
  }
  if (auto done = wait(sql); !done) return fail(std::move(done).error());
  statements_.emplace(std::move(key), name);
  return name;
}

Result<Rows> Connection::exec(std::string_view sql, const std::vector<Param>& params) {
  if (options_.allow_statement && !options_.allow_statement(sql)) {
    close();
    return fail("store.unavailable", "the connection was lost (by a fault test)");
  }
  if (!usable()) return fail("store.unavailable", "the connection to PostgreSQL is closed");
  const auto name = prepared(sql, params);
  if (!name) return fail(name.error());
  std::vector<const char*> values;
  std::vector<int> lengths;
  const std::vector<int> formats(params.size(), 1);
  for (const Param& param : params) {
    values.push_back(param.data());
    lengths.push_back(param.size());
  }
  if (PQsendQueryPrepared(raw_, name->c_str(), static_cast<int>(params.size()), values.data(), lengths.data(),
                          formats.data(), 1) == 0) {
    close();
    return fail("store.unavailable", "the connection was lost");
  }
  return wait(sql);
}

Result<void> Connection::script(std::string_view sql) {
  if (!usable()) return fail("store.unavailable", "the connection to PostgreSQL is closed");
  if (PQsendQuery(raw_, std::string(sql).c_str()) == 0) return fail("store.unavailable", "the connection was lost");
  if (auto done = wait(sql); !done) return fail(std::move(done).error());
  return {};
}

Result<Transaction> Transaction::begin(Connection& connection) {
  if (auto begun = connection.exec("BEGIN"); !begun) return fail(std::move(begun).error());
  return Transaction(connection);
}

Transaction::~Transaction() {
  if (connection_ == nullptr || !connection_->usable()) return;
  if (auto rolled = connection_->exec("ROLLBACK"); !rolled) connection_->close();  // the server rolls back when it goes
}

Result<void> Transaction::commit() {
  Connection* connection = std::exchange(connection_, nullptr);
  auto done = connection->exec("COMMIT");
  if (!done) {
    connection->close();
    return fail(std::move(done).error());
  }
  return {};
}

}  // namespace isthmus::store
