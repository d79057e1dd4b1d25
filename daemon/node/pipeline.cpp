// The path of an event and of a command: intake and collector, routing, delivery, publishing; who wakes whom.
#include "parts.h"

namespace isthmus::detail {

void NodeParts::build_pipeline() {
  const auto lane_epoch = [this](int lane) { return epoch(lane); };
  const auto packs = [this] { return current_rules()->packs; };
  const auto wake_delivery = [this](int lane) { dispatcher->wake(lane); };
  conversations = std::make_unique<engagement::Conversations>(command_key);
  timers = std::make_unique<host::Timers>();
  program_threads = std::make_unique<host::ProgramThreads>();
  driver = std::make_unique<host::Driver>(*client, *timers, *program_threads, clock, *log);
  dispatcher = std::make_unique<delivery::Dispatcher>(delivery::Dispatcher::Parts{
      *pool, *keys, *recorder, *directory, *driver, *conversations, clock, random, *log, lane_epoch});
  router = std::make_unique<routing::Router>(
      routing::Router::Parts{*pool, *keys, *recorder, *directory, *conversations, clock, random, *log, command_key,
                             [this](std::string_view name) { return find_mapping(name); }, packs, lane_epoch,
                             wake_delivery},
      2);
  const auto wake_router = [this](int lane) { router->wake(lane); };
  committer = std::make_unique<intake::Committer>(*pool, *keys, *log, wake_router);
  collector =
      std::make_unique<intake::Collector>(*pool, *keys, *directory, *driver, clock, *log, lane_epoch, wake_router);
  door = std::make_unique<intake::Door>(*directory, *committer, *program_threads, clock, *log);
  publisher = std::make_unique<publishing::Publisher>(publishing::Publisher::Parts{
      *pool, *keys, *recorder, *directory, clock, random, command_key, packs, wake_delivery});
  parked_desk = std::make_unique<publishing::ParkedDesk>(
      publishing::ParkedDesk::Parts{*pool, *keys, *recorder, *directory, clock, random, *log, command_key,
                                    [this](std::string_view name) { return find_mapping(name); }, packs, wake_delivery,
                                    [this](int lane) { dispatcher->reread(lane); }});
}

}  // namespace isthmus::detail
