#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "base/secret.h"
#include "store/params.h"
#include "store/rows.h"

struct pg_conn;

namespace isthmus::store {

struct Options {
  std::string host;  ///< a host, several separated by commas, or the folder of a Unix socket
  std::string port = "5432";
  std::string database;
  std::string user;
  Secret password;  ///< empty: none
  std::chrono::milliseconds connect_timeout{5000};
  std::chrono::milliseconds statement_timeout{15000};  ///< a statement over it is cancelled, the connection closed
  /// Asked before each statement; false makes it fail as if the connection was lost. Empty in production: fault tests
  /// use it to fail the Nth statement.
  std::function<bool(std::string_view sql)> allow_statement;
};

/// Error codes: store.unavailable (no connection, lost, timed out, shutting down, out of resources: call again later),
/// store.conflict (serialization, deadlock, lock timeout: repeat the transaction), store.data (SQLSTATE classes 22, 23:
/// the data is at fault, repeating does not help), store.refused (anything else: a bug or a wrong schema). Error::where
/// is the SQLSTATE.
///
/// Threads: one at a time. Every call has a deadline.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const Options& options);
  ~Connection();
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  /// Runs one statement, prepared on first use and reused by its text. All results are binary.
  [[nodiscard]] Result<Rows> exec(std::string_view sql, const std::vector<Param>& params = {});
  /// Runs a script of several statements, without parameters (migrations).
  [[nodiscard]] Result<void> script(std::string_view sql);
  [[nodiscard]] bool usable() const;

 private:
  Connection(Options options, pg_conn* raw) : options_(std::move(options)), raw_(raw) {}
  Result<Rows> wait(std::string_view what);
  Result<std::string> prepared(std::string_view sql, const std::vector<Param>& params);
  void close();
  friend class Transaction;

  Options options_;
  pg_conn* raw_;
  std::unordered_map<std::string, std::string> statements_;
};

/// BEGIN ... COMMIT around a scope; rolls back when not committed. READ COMMITTED.
/// After a failed exec the transaction can only be rolled back (which its destructor does).
class Transaction {
 public:
  static Result<Transaction> begin(Connection& connection);
  Transaction(Transaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();

  [[nodiscard]] Result<Rows> exec(std::string_view sql, const std::vector<Param>& params = {}) {
    return connection_->exec(sql, params);
  }
  /// Error store.unavailable here leaves the outcome unknown: what was written is stable by key, so do it again.
  [[nodiscard]] Result<void> commit();

 private:
  explicit Transaction(Connection& connection) : connection_(&connection) {}
  Connection* connection_;
};

}  // namespace isthmus::store
