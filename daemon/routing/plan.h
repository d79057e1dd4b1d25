#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "adapter/contract.h"
#include "archive/recorder.h"
#include "base/random.h"
#include "identity/directory.h"
#include "journal/decisions.h"
#include "journal/outbox.h"
#include "journal/parked.h"
#include "mapping/mapping.h"
#include "policy/pack_set.h"

namespace isthmus::routing {

using FindMapping = std::function<const mapping::Mapping*(std::string_view name)>;
using CurrentPacks = std::function<std::shared_ptr<const policy::PackSet>()>;

/// A command that a route makes of an event, with the answer that let it pass or hold.
struct PlannedCommand {
  journal::NewCommand command;          ///< its body is sealed later
  std::string body;                     ///< plain
  std::optional<std::string> held_for;  ///< policy or mapping holds it
  std::string reason;
};

/// All that one new event makes: pure, before any transaction.
struct EventPlan {
  adapter::Event event;
  const identity::Connection* connection = nullptr;
  Bytes key;  ///< keyed hash of the dedup key
  Uuid record;
  std::vector<archive::Entry> entries;  ///< the event's own first
  std::vector<PlannedCommand> commands;
  std::vector<journal::DecisionRow> decisions;
  const journal::NewCommand* again = nullptr;  ///< a parked command that is judged again, and no new one
  std::vector<std::string> released = {};      ///< "pack/rule" of holds that do not hold it again
};

/// Maps and decides. Threads: one Planner a thread. Ownership: borrows what it is given.
class Planner {
 public:
  Planner(const Secret& installation_key, FindMapping find_mapping, CurrentPacks packs, Random& random)
      : key_(installation_key), find_mapping_(std::move(find_mapping)), packs_(std::move(packs)), random_(random) {}

  [[nodiscard]] EventPlan plan(const identity::World& world, const identity::Connection& source, adapter::Event event,
                               Instant now);
  /// A parked command that a route made, under today's mapping, purposes and rules. Its one decision is the last; when
  /// it permits, `commands` holds the command as it may be sent now.
  /// @param parked    with its body; its target must be in this world.
  /// @param released  "pack/rule" of holds that do not hold it again.
  [[nodiscard]] EventPlan plan_again(const identity::World& world, const journal::Parked& parked,
                                     std::vector<std::string> released, Instant now);
  /// What names an event for ever: connection and dedup key under the installation's key.
  [[nodiscard]] Bytes event_key(const identity::Connection& source, const adapter::Event& event) const;

 private:
  void follow(const identity::World& world, const identity::Route& route, EventPlan& plan, Instant now);
  void decide(const identity::World& world, const identity::Route& route, const identity::Connection& target,
              const adapter::OperationSpec& operation, std::string_view format, std::string body,
              const std::vector<std::string>& purposes, EventPlan& plan, Instant now);
  [[nodiscard]] PlannedCommand command_of(const identity::Route& route, const identity::Connection& target,
                                          const adapter::OperationSpec& operation, const EventPlan& plan) const;
  void hold(const identity::Route& route, const identity::Connection& target, const adapter::OperationSpec& operation,
            const mapping::Held& held, EventPlan& plan, Instant now);
  void refuse(const std::string& route, const identity::Connection& target, const std::string& rule,
              const std::string& reason, EventPlan& plan, Instant now);
  void add_decision(EventPlan& plan, journal::DecisionRow row, const identity::Connection& target, Instant now);

  const Secret& key_;
  FindMapping find_mapping_;
  CurrentPacks packs_;
  Random& random_;
  mapping::Workspace workspace_;
};

}  // namespace isthmus::routing
