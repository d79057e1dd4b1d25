#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "adapter/registry.h"
#include "api/control.h"
#include "api/house.h"
#include "archive/exporter.h"
#include "base/guarded.h"
#include "delivery/dispatcher.h"
#include "engagement/conversations.h"
#include "http/worker_pool.h"
#include "intake/collector.h"
#include "intake/door.h"
#include "lane_keeper.h"
#include "node.h"
#include "ops/health.h"
#include "ops/json_log.h"
#include "ops/metrics.h"
#include "ops/systemd.h"
#include "publishing/parked_desk.h"
#include "routing/router.h"
#include "rules.h"

namespace isthmus::detail {

/// The objects of a node, in the order in which they are built; they go in the reverse order.
struct NodeParts {
  Node::Options options;
  config::Settings settings;
  SystemClock clock;
  SystemRandom random;
  std::unique_ptr<ops::JsonLog> log;
  ops::MetricsRegistry metrics;
  std::unique_ptr<ops::Health> health;
  std::unique_ptr<adapter::Registry> registry;
  Guarded<std::shared_ptr<const Rules>> rules;
  std::vector<std::shared_ptr<const Rules>> old_rules;  // a worker may still use one: they are few, and kept
  std::unique_ptr<archive::MasterKey> master;
  std::unique_ptr<archive::NoteSigner> signer;
  std::unique_ptr<identity::Vault> vault;
  store::Options database;
  std::unique_ptr<store::Pool> pool;
  Secret command_key;
  std::unique_ptr<identity::Directory> directory;
  std::unique_ptr<journal::Keys> keys;
  std::unique_ptr<archive::Recorder> recorder;
  std::unique_ptr<LaneKeeper> lanes;
  std::unique_ptr<engagement::Conversations> conversations;
  std::unique_ptr<http::Client> client;
  std::unique_ptr<host::Timers> timers;
  std::unique_ptr<host::ProgramThreads> program_threads;
  std::unique_ptr<host::Driver> driver;
  std::unique_ptr<delivery::Dispatcher> dispatcher;
  std::unique_ptr<routing::Router> router;
  std::unique_ptr<intake::Committer> committer;
  std::unique_ptr<intake::Collector> collector;
  std::unique_ptr<intake::Door> door;
  std::unique_ptr<publishing::Publisher> publisher;
  std::unique_ptr<publishing::ParkedDesk> parked_desk;
  std::unique_ptr<archive::Exporter> exporter;
  std::unique_ptr<api::House> house;
  std::unique_ptr<api::Control> control;
  std::unique_ptr<http::WorkerPool> house_pool;
  std::unique_ptr<http::WorkerPool> admin_pool;
  std::unique_ptr<http::Server> public_server;
  std::unique_ptr<http::Server> house_server;
  std::unique_ptr<http::Server> admin_server;
  std::unique_ptr<ops::Watchdog> watchdog;
  std::unique_ptr<Heartbeat> housekeeping_beat;
  std::jthread housekeeping;
  std::jthread sequencing;
  std::jthread bookkeeping;
  Guarded<std::map<std::string, std::string>> programs_away;  ///< adapter -> why its program cannot be asked
  std::jthread meeting;

  std::int64_t epoch(int lane) const { return lanes->epoch(lane); }
  std::shared_ptr<const Rules> current_rules() const {
    return rules.with([](const auto& r) { return r; });
  }
  const mapping::Mapping* find_mapping(std::string_view name) const {
    const auto now = current_rules();
    const auto found = now->mappings.find(name);
    return found == now->mappings.end() ? nullptr : &found->second;  // kept alive by old_rules
  }

  // store.cpp
  /// Waits for the database (a minute at most), brings or judges the schema, makes partitions, reads command_key.
  Result<void> open_store();
  Result<void> wait_for_store();

  // pipeline.cpp
  /// Needs an open store, directory, keys, recorder, lanes and client.
  void build_pipeline();

  // doors.cpp
  void build_api(std::function<Result<std::string>()> reload);
  /// @param inherited sockets that systemd holds, by FileDescriptorName; a door without one binds its address.
  Result<void> open_doors(std::map<std::string, std::vector<int>> inherited);

  // bookkeeping.cpp: a thread of its own, since counting whole tables takes its time; a statement of it a minute at
  // most.
  void keep_books(const std::stop_token& stop);
  Result<void> expire(store::Connection& db);

  // housekeeping.cpp and sequencing.cpp: a thread each, until stop is requested.
  void keep_house(const std::stop_token& stop);
  void sequence(const std::stop_token& stop);

  // programs.cpp: a thread too
  void meet_programs(const std::stop_token& stop);

  // views.cpp
  http::Response probe(const std::string& path) const;
  std::string status() const;
};

}  // namespace isthmus::detail
