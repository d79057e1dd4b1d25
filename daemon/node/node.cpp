#include "node.h"

#include <filesystem>

#include "base/json.h"
#include "config/credentials.h"
#include "events/events.h"
#include "parts.h"

namespace isthmus {
namespace {

constexpr std::chrono::seconds kStopPatience{20};

}  // namespace

Node::Node(std::unique_ptr<detail::NodeParts> parts) : parts_(std::move(parts)) {}
Node::~Node() = default;

Result<void> Node::start() {
  auto& p = *parts_;
  auto inherited = ops::take_listen_sockets();
  if (!inherited) return fail(std::move(inherited).error());
  std::error_code error;
  std::filesystem::create_directories(std::filesystem::path(p.settings.state) / "exports", error);
  if (error)
    return fail("config.state", "the state folder " + p.settings.state + " cannot be used: " + error.message());
  if (auto done = p.open_store(); !done) return done;
  p.directory = std::make_unique<identity::Directory>(
      *p.pool, *p.vault, [&p](std::string_view name) { return p.registry->find(name); }, *p.log);
  if (auto done = p.directory->refresh(); !done) return fail(std::move(done).error());
  p.keys = std::make_unique<journal::Keys>(*p.pool, *p.master, p.clock, p.random);
  p.recorder = std::make_unique<archive::Recorder>(*p.pool, *p.master, p.random);
  p.lanes = std::make_unique<LaneKeeper>(*p.pool, p.settings.node, p.clock, *p.log);
  if (auto done = p.lanes->take(); !done) return done;
  auto client = http::Client::open({});
  if (!client) return fail(std::move(client).error());
  p.client = std::move(*client);
  p.build_pipeline();
  p.build_api([this] { return reload(); });
  if (auto done = p.open_doors(std::move(*inherited)); !done) return done;
  p.housekeeping_beat = std::make_unique<Heartbeat>(p.clock);
  p.health->watch("housekeeping", *p.housekeeping_beat, std::chrono::seconds(60));
  p.housekeeping = std::jthread([&p](const std::stop_token& stop) { p.keep_house(stop); });
  p.sequencing = std::jthread([&p](const std::stop_token& stop) { p.sequence(stop); });
  p.bookkeeping = std::jthread([&p](const std::stop_token& stop) { p.keep_books(stop); });
  p.meeting = std::jthread([&p](const std::stop_token& stop) { p.meet_programs(stop); });
  if (const auto period = ops::watchdog_period()) {
    p.watchdog = std::make_unique<ops::Watchdog>(*period, [&p] { return p.health->late().empty(); });
  }
  events::daemon_ready(*p.log, {.version = ISTHMUS_VERSION,
                                .node = p.settings.node,
                                .public_port = p.public_server->port(),
                                .house_port = p.house_server->port()});
  p.log->flush();
  return {};
}

Result<std::string> Node::reload() {
  auto& p = *parts_;
  Diagnostics diagnostics;
  const auto settings =
      config::Settings::load(p.options.config_file, config::credentials_of_environment(), diagnostics);
  std::shared_ptr<const Rules> rules = settings ? Rules::load(*settings, diagnostics) : nullptr;
  if (!settings || diagnostics.has_errors()) {
    events::config_refused(*p.log, {.file = p.options.config_file, .mistakes = diagnostics.list().size()});
    return fail("config.refused", diagnostics.to_string(), "nothing was changed; correct the file and reload again");
  }
  JsonWriter w;
  w.begin_object().key("changes").begin_array();
  for (const config::SettingsChange& change : config::compare(p.settings, *settings)) {
    if (change.needs_restart)
      return fail("config.restart", change.path + " cannot change while the daemon runs", "systemctl restart isthmusd");
    w.begin_object()
        .member("path", change.path)
        .member("before", change.before)
        .member("after", change.after)
        .end_object();
  }
  w.end_array()
      .member("mappings", static_cast<std::int64_t>(rules->mappings.size()))
      .member("packs", static_cast<std::int64_t>(rules->packs->packs().size()))
      .end_object();
  p.rules.with([&](auto& current) { current = rules; });
  p.old_rules.push_back(std::move(rules));
  p.settings = *settings;
  p.log->set_level(ops::level_from(settings->log_level));
  if (auto done = p.directory->refresh(); !done) return fail(std::move(done).error());
  events::config_reloaded(*p.log, {.file = p.options.config_file});
  return std::move(w).text();
}

// AT01: first nothing more comes in, then nothing more starts, then what is in flight ends and is written, then the
// lanes go.
void Node::stop() {
  auto& p = *parts_;
  events::daemon_stopping(*p.log, {});
  p.bookkeeping.request_stop();  // it may be in the middle of counting
  p.log->flush();
  p.public_server->stop(std::chrono::seconds(5));
  p.house_server->stop(std::chrono::seconds(5));
  p.admin_server->stop(std::chrono::seconds(1));
  p.house_pool->stop();
  p.admin_pool->stop();
  p.committer->stop();
  p.collector->stop();
  p.router->stop();
  p.dispatcher->stop(kStopPatience);
  p.client->stop();
  p.timers->stop();
  p.program_threads->stop();
  p.meeting = {};
  p.sequencing = {};
  p.housekeeping = {};
  p.bookkeeping = {};
  p.lanes->give_back();
  events::daemon_stopped(*p.log, {});
}

}  // namespace isthmus
