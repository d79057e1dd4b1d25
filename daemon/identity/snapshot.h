#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "base/uuid.h"
#include "store/connection.h"

namespace isthmus::identity {

/// A profile on a network, or a business system, as administered.
struct Connection {
  std::int64_t id = 0;
  Uuid uuid;
  std::string name;
  std::int64_t unit = 0;
  std::string adapter;
  Bytes descriptor_sha256;         ///< what the hosts were approved for
  std::vector<std::string> hosts;  ///< scheme://host[:port]
  bool internal = false;           ///< may reach private addresses, at its approved hosts only
  std::map<std::string, std::string> fields;
  std::map<std::string, std::chrono::milliseconds> collect;  ///< stream -> period
  int lane = 0;                                              ///< 0 to 63
};

struct Route {
  std::string name;
  std::int64_t source = 0;
  std::set<std::string> kinds;
  std::int64_t target = 0;
  std::string operation;
  std::string mapping;
};

/// A person or a machine, named by who vouches for it and the name it has there.
struct Principal {
  std::int64_t id = 0;
  std::string kind;  ///< "person" or "machine"
  std::int64_t unit = 0;
  std::string issuer;
  std::string subject;
  std::set<std::string> rights;
};

/// All that people administer, as one immutable value; shared between threads by shared_ptr<const Snapshot>.
class Snapshot {
 public:
  /// Reads it in one transaction, so that it is the state of one moment.
  static Result<std::shared_ptr<const Snapshot>> load(store::Connection& connection);
  /// The same inside the caller's transaction.
  static Result<std::shared_ptr<const Snapshot>> read(store::Connection& db);

  [[nodiscard]] std::int64_t version() const { return version_; }
  [[nodiscard]] const Connection* connection(std::int64_t id) const;
  [[nodiscard]] const Connection* connection(std::string_view name) const;
  [[nodiscard]] const std::map<std::int64_t, Connection>& connections() const { return connections_; }
  [[nodiscard]] std::span<const Route> routes_from(std::int64_t source) const;
  [[nodiscard]] const std::vector<Route>& routes() const { return routes_; }
  [[nodiscard]] const Principal* principal(std::int64_t id) const;
  [[nodiscard]] const std::map<std::int64_t, Principal>& principals() const { return principals_; }
  /// Who holds this bearer key; nobody when it is unknown or its holder is disabled. The key itself is never stored.
  [[nodiscard]] const Principal* holder_of(std::string_view key) const;
  [[nodiscard]] std::string unit_name(std::int64_t id) const;

 private:
  std::int64_t version_ = 0;
  std::map<std::int64_t, Connection> connections_;
  std::map<std::string, std::int64_t, std::less<>> by_name_;
  std::vector<Route> routes_;  // ordered by source
  std::map<std::int64_t, Principal> principals_;
  std::map<Bytes, std::int64_t, std::less<>> by_key_hash_;
  std::map<std::int64_t, std::string> units_;
};

/// The version that load() would see; cheap, for polling.
[[nodiscard]] Result<std::int64_t> current_version(store::Connection& connection);

/// The lane of a connection, from its uuid alone: for ever.
[[nodiscard]] int lane_of(const Uuid& uuid);

}  // namespace isthmus::identity
