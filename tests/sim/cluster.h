#pragma once

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "archive/recorder.h"
#include "base/check.h"
#include "delivery/dispatcher.h"
#include "identity/directory.h"
#include "journal/books.h"
#include "journal/lanes.h"
#include "mapping/mapping.h"
#include "policy/pack_set.h"
#include "routing/router.h"
#include "sim/virtual_network.h"
#include "support/fake_adapter.h"
#include "support/postgres.h"

namespace isthmus::sim {

/// Nothing is logged: the trace of a simulation says what was done, the checks say what came of it.
class NoLog final : public Log {
 public:
  void write(LogLevel, std::string_view, std::initializer_list<LogField>) override {}
};

class NoEvents final : public routing::EventSink {
 public:
  Result<void> received(store::Transaction&, int, const std::vector<routing::NewEvent>&) override { return {}; }
};
class NoEnds final : public delivery::EndSink {
 public:
  Result<void> ended(store::Transaction&, int, const std::vector<delivery::Ended>&) override { return {}; }
};

/// What all nodes share besides the database: time, chance, the network, what is shipped.
struct Company {
  Company(std::uint64_t seed, Instant start, const std::string& source_folder);

  ManualClock clock;
  SeededRandom random;
  NoLog log;
  VirtualNetwork network;
  test::FakeAdapter adapter;
  Secret installation_key{std::string(32, 'k')};
  identity::Vault vault{Secret(std::string(32, 'm'))};
  archive::MasterKey master;
  std::optional<mapping::Mapping> map;
  std::shared_ptr<const policy::PackSet> packs;
};

/// One life of one node: everything it has in memory goes with it.
class Node {
 public:
  Node(Company& company, const store::Options& database, std::string name);

  /// What it believes to own. Others may know better: its writes then find a fence.
  [[nodiscard]] std::int64_t epoch(int lane) const { return epochs_[static_cast<std::size_t>(lane)]; }
  void believes(int lane, std::int64_t epoch) { epochs_[static_cast<std::size_t>(lane)] = epoch; }
  void forgets_all() { epochs_.fill(0); }
  void fails_statement(std::int64_t nth) { fails_at_ = nth; }
  [[nodiscard]] const std::string& name() const { return name_; }
  delivery::Dispatcher& dispatcher() { return dispatcher_; }
  routing::Router& router() { return router_; }
  archive::Recorder& recorder() { return recorder_; }
  store::Pool& pool() { return pool_; }

 private:
  store::Options with_faults(store::Options plain);

  std::string name_;
  std::int64_t fails_at_ = 0;
  std::array<std::int64_t, journal::kLanes + 1> epochs_{};
  NoEvents events_;
  NoEnds ends_;
  store::Pool pool_;
  journal::Keys keys_;
  archive::Recorder recorder_;
  identity::Directory directory_;
  VirtualNetwork::Port port_;
  delivery::Dispatcher dispatcher_;
  routing::Router router_;
};

}  // namespace isthmus::sim
