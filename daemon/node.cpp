#include "node.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "adapter/registry.h"
#include "api/control.h"
#include "api/house.h"
#include "archive/sequencer.h"
#include "base/json.h"
#include "config/credentials.h"
#include "delivery/dispatcher.h"
#include "engagement/conversations.h"
#include "http/worker_pool.h"
#include "intake/collector.h"
#include "intake/door.h"
#include "journal/books.h"
#include "lane_keeper.h"
#include "ops/health.h"
#include "ops/json_log.h"
#include "ops/metrics.h"
#include "ops/systemd.h"
#include "routing/router.h"
#include "store/migrations.h"
#include "events/events.h"

namespace isthmus {
namespace {

constexpr std::chrono::milliseconds kRefreshEvery{500};
constexpr std::chrono::milliseconds kSequenceEvery{250};
constexpr std::chrono::seconds kStopPatience{20};
constexpr std::size_t kWebhookBytesMax = 4U << 20U;
constexpr std::size_t kHouseBytesMax = 16U << 20U;

LogLevel level_from(const std::string& name) {
  if (name == "debug") return LogLevel::debug;
  if (name == "warning") return LogLevel::warning;
  return name == "error" ? LogLevel::error : LogLevel::info;
}

std::vector<std::filesystem::path> paths_of(const std::vector<std::string>& texts) {
  return {texts.begin(), texts.end()};
}

/// Mappings and packs: what a reload replaces as a whole.
struct Rules {
  std::map<std::string, mapping::Mapping, std::less<>> mappings;
  std::shared_ptr<const policy::PackSet> packs;

  static std::shared_ptr<const Rules> load(const config::Settings& settings, Diagnostics& diagnostics) {
    auto rules = std::make_shared<Rules>();
    for (const std::string& folder : settings.mappings) {
      std::error_code missing;
      std::vector<std::filesystem::path> files;
      for (const auto& entry : std::filesystem::directory_iterator(folder, missing)) {
        if (entry.path().extension() == ".yaml") files.push_back(entry.path());
      }
      if (missing)
        diagnostics.add({folder, 0, 0, Diagnostic::Severity::error, "config.folder", "mappings",
                         "the folder cannot be read: " + missing.message()});
      for (const auto& file : files) {
        if (auto map = mapping::Mapping::load(file, diagnostics)) rules->mappings.emplace(map->name(), std::move(*map));
      }
    }
    rules->packs = policy::PackSet::load(paths_of(settings.policies), diagnostics);
    return rules;
  }
};

}  // namespace

namespace detail {

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
  std::unique_ptr<store::Pool> pool;
  Secret command_key;
  std::unique_ptr<identity::Directory> directory;
  std::unique_ptr<journal::Keys> keys;
  std::unique_ptr<archive::Recorder> recorder;
  std::unique_ptr<LaneKeeper> lanes;
  std::unique_ptr<engagement::Conversations> conversations;
  std::unique_ptr<http::Client> client;
  std::unique_ptr<host::Timers> timers;
  std::unique_ptr<host::Driver> driver;
  std::unique_ptr<delivery::Dispatcher> dispatcher;
  std::unique_ptr<routing::Router> router;
  std::unique_ptr<intake::Committer> committer;
  std::unique_ptr<intake::Collector> collector;
  std::unique_ptr<intake::Door> door;
  std::unique_ptr<publishing::Publisher> publisher;
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

  std::int64_t epoch(int lane) const { return lanes->epoch(lane); }
  std::shared_ptr<const Rules> current_rules() const {
    return rules.with([](const auto& r) { return r; });
  }
  const mapping::Mapping* find_mapping(std::string_view name) const {
    const auto now = current_rules();
    const auto found = now->mappings.find(name);
    return found == now->mappings.end() ? nullptr : &found->second;  // kept alive by old_rules
  }

  Result<void> open_store();
  Result<void> wait_for_store();
  void build_pipeline();
  void build_api(std::function<Result<std::string>()> reload);
  Result<void> open_doors(std::map<std::string, std::vector<int>> inherited);
  void keep_house(const std::stop_token& stop);
  void sequence(const std::stop_token& stop);
  http::Response probe(const std::string& path) const;
  std::string status() const;
};

Result<void> NodeParts::wait_for_store() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (int tries = 0;; ++tries) {
    auto db = pool->take();
    if (db) return {};
    // A database that is down for a while is an outage, not a mistake: wait for it, but not for ever in silence.
    events::store_unavailable(*log, {.stage = "start", .reason = db.error().what});
    if (tries >= 60) return fail(std::move(db).error());
    never.wait_for(lock, std::chrono::seconds(1));
  }
}

Result<void> NodeParts::open_store() {
  if (auto up = wait_for_store(); !up) return up;
  auto db = pool->take();
  if (!db) return fail(std::move(db).error());
  if (options.migrate) {
    if (auto done = store::migrate(**db, store::built_in_migrations()); !done) return fail(std::move(done).error());
  }
  auto current = store::is_current(**db, store::built_in_migrations());
  if (!current) return fail(std::move(current).error());
  if (!*current)
    return fail("store.old-schema", "the database's schema is older than this program",
                "run isthmusd run --migrate once, as the owner of the schema");
  if (auto done = journal::make_partitions(**db); !done) return done;
  auto key = vault->installation_key(**db, "commands");
  if (!key) return fail(std::move(key).error());
  command_key = std::move(*key);
  health->good("store");
  return {};
}

void NodeParts::build_pipeline() {
  const auto lane_epoch = [this](int lane) { return epoch(lane); };
  const auto packs = [this] { return current_rules()->packs; };
  const auto wake_delivery = [this](int lane) { dispatcher->wake(lane); };
  conversations = std::make_unique<engagement::Conversations>(command_key);
  timers = std::make_unique<host::Timers>();
  driver = std::make_unique<host::Driver>(*client, *timers, clock, *log);
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
  door = std::make_unique<intake::Door>(*directory, *committer, clock, *log);
  publisher = std::make_unique<publishing::Publisher>(publishing::Publisher::Parts{
      *pool, *keys, *recorder, *directory, clock, random, command_key, packs, wake_delivery});
}

void NodeParts::build_api(std::function<Result<std::string>()> reload) {
  exporter = std::make_unique<archive::Exporter>(
      archive::Exporter::Parts{*pool, *recorder, *signer, clock, std::string("isthmusd ") + ISTHMUS_VERSION});
  house = std::make_unique<api::House>(
      api::House::Parts{*pool, *keys, *directory, *publisher, [this](const std::string& path) { return probe(path); }});
  identity::Installed installed;
  installed.adapter = [this](std::string_view name) { return registry->find(name); };
  installed.mapping = [this](const std::string& name) -> std::optional<std::pair<std::string, std::string>> {
    const mapping::Mapping* map = find_mapping(name);
    if (map == nullptr) return std::nullopt;
    return std::pair(std::string(map->from()), std::string(map->to()));
  };
  const auto changed = [this] {
    if (auto done = directory->refresh(); !done)
      events::store_unavailable(*log, {.stage = "directory", .reason = done.error().what});
  };
  control = std::make_unique<api::Control>(
      api::Control::Parts{*pool, *directory, *vault, std::move(installed), *exporter, signer->verifier_key(),
                          std::filesystem::path(settings.state) / "exports", random, *log, [this] { return status(); },
                          reload, [this](int lane) { dispatcher->reread(lane); }, changed});
  house_pool = std::make_unique<http::WorkerPool>(4, 1000);
  admin_pool = std::make_unique<http::WorkerPool>(1, 16);
}

Result<void> NodeParts::open_doors(std::map<std::string, std::vector<int>> inherited) {
  const auto open = [&](const std::string& name, http::ServerOptions server,
                        http::Handler handler) -> Result<std::unique_ptr<http::Server>> {
    if (const auto found = inherited.find(name); found != inherited.end() && !found->second.empty())
      server.address = http::InheritedSocket{found->second.front()};
    return http::Server::open(std::move(server), clock, std::move(handler));
  };
  http::ServerOptions options_public;
  options_public.address =
      http::TcpAddress{settings.public_door.address, static_cast<std::uint16_t>(settings.public_door.port)};
  options_public.body_bytes_max = kWebhookBytesMax;
  auto opened = open("public", options_public, [this](http::Request request, http::Responder respond) {
    door->handle(std::move(request), respond);
  });
  if (!opened) return fail(std::move(opened).error());
  public_server = std::move(*opened);
  http::ServerOptions options_house;
  options_house.address =
      http::TcpAddress{settings.house_door.address, static_cast<std::uint16_t>(settings.house_door.port)};
  options_house.body_bytes_max = kHouseBytesMax;
  opened = open("house", options_house,
                house_pool->blocking([this](const http::Request& request) { return house->handle(request); }));
  if (!opened) return fail(std::move(opened).error());
  house_server = std::move(*opened);
  http::ServerOptions options_admin;
  options_admin.address = http::UnixAddress{settings.admin_socket, 0660};
  options_admin.body_bytes_max = kHouseBytesMax;
  options_admin.answer_deadline = std::chrono::minutes(10);  // an export of a large archive
  opened = open("admin", options_admin,
                admin_pool->blocking([this](const http::Request& request) { return control->handle(request); }));
  if (!opened) return fail(std::move(opened).error());
  admin_server = std::move(*opened);
  health->good("listeners");
  return {};
}

http::Response NodeParts::probe(const std::string& path) const {
  if (path == "/healthz") return http::json_response(health->late().empty() ? 200 : 503, health->liveness_json());
  if (path == "/readyz") return http::json_response(health->ready() ? 200 : 503, health->readiness_json());
  http::Response response = http::text_response(200, metrics.render() + ops::render_process_metrics());
  response.headers.set("Content-Type", std::string(ops::kMetricsContentType));
  return response;
}

std::string NodeParts::status() const {
  JsonWriter w;
  w.begin_object().member("version", ISTHMUS_VERSION).member("node", settings.node).member("ready", health->ready());
  w.member("public_port", static_cast<std::int64_t>(public_server ? public_server->port() : 0));
  w.member("house_port", static_cast<std::int64_t>(house_server ? house_server->port() : 0))
      .member("lanes", lanes->owned());
  w.key("connections").begin_array();
  const auto world = directory->current();
  for (const auto& [id, connection] : world->snapshot->connections()) {
    const auto why = world->suspended.find(id);
    w.begin_object().member("name", connection.name).member("adapter", connection.adapter);
    w.member("state", why == world->suspended.end() ? "active" : "suspended")
        .member("reason", why == world->suspended.end() ? "" : why->second)
        .end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

// What must happen now and then: the world, the partitions, the figures that people watch.
void NodeParts::keep_house(const std::stop_token& stop) {
  Gauge& queue = metrics.gauge("isthmus_intake_queue_depth", "Verified calls that wait for a commit.", {});
  Gauge& oldest =
      metrics.gauge("isthmus_delivery_oldest_undelivered_seconds", "Age of the oldest command that has no end.", {});
  Gauge& balanced = metrics.gauge("isthmus_journal_books_balanced", "1 when every term of the two books adds up.", {});
  std::map<std::string, Gauge*> terms;
  for (const char* term : {"inbox", "routed", "quarantined", "unread", "made", "delivered", "duplicate", "dead", "held",
                           "waiting", "in_flight", "refused"}) {
    terms[term] = &metrics.gauge("isthmus_journal_book", "Terms of the two books.", {{"term", term}});
  }
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  for (std::int64_t turn = 0; !stop.stop_requested(); ++turn) {
    housekeeping_beat->beat();
    auto refreshed = directory->refresh();
    if (refreshed) {
      health->good("store");
    } else {
      health->bad("store", refreshed.error().what);
    }
    queue.set(static_cast<double>(committer->depth()));
    if (turn % 60 == 0) {  // every 30 s: it counts whole tables
      auto db = pool->take();
      auto books = db ? journal::read_books(**db) : fail(db.error());
      if (books) {
        oldest.set(static_cast<double>(books->oldest_undelivered_seconds));
        balanced.set(books->balanced() ? 1 : 0);
        const std::int64_t values[] = {books->inbox, books->routed,    books->quarantined, books->unread,
                                       books->made,  books->delivered, books->duplicate,   books->dead,
                                       books->held,  books->waiting,   books->in_flight,   books->refused};
        const char* names[] = {"inbox",     "routed", "quarantined", "unread",  "made",      "delivered",
                               "duplicate", "dead",   "held",        "waiting", "in_flight", "refused"};
        for (std::size_t i = 0; i < std::size(names); ++i) terms[names[i]]->set(static_cast<double>(values[i]));
      }
    }
    if (turn % 7200 == 7199) {  // every hour
      if (auto db = pool->take()) {
        if (auto made = journal::make_partitions(**db); !made)
          events::store_unavailable(*log, {.stage = "partitions", .reason = made.error().what});
      }
    }
    never.wait_for(lock, stop, kRefreshEvery, [] { return false; });
  }
}

void NodeParts::sequence(const std::stop_token& stop) {
  std::unique_ptr<archive::Sequencer> sequencer;
  std::string last_refusal;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    Error error;
    bool more = false;
    if (epoch(journal::kSequencerLane) != 0) {
      if (!sequencer) {
        auto opened = archive::Sequencer::open({*pool, *signer, clock, settings.state});
        if (opened) {
          sequencer = std::move(*opened);
        } else {
          error = opened.error();
        }
      }
      if (sequencer) {
        auto step = sequencer->step(epoch(journal::kSequencerLane));
        if (step) {
          more = step->leaves == archive::Sequencer::kBatchLeavesMax;
          last_refusal.clear();
        } else {
          error = step.error();
          sequencer.reset();
        }
      }
    } else {
      sequencer.reset();
    }
    if (!error.code.empty() && error.code != last_refusal) {
      last_refusal = error.code;
      events::archive_sequencer_refused(*log, {.code = error.code, .reason = error.what});
    }
    if (!more) never.wait_for(lock, stop, kSequenceEvery, [] { return false; });
  }
}

}  // namespace detail

Node::Node(std::unique_ptr<detail::NodeParts> parts) : parts_(std::move(parts)) {}
Node::~Node() = default;

std::unique_ptr<Node> Node::build(const Options& options, Diagnostics& diagnostics) {
  const auto settings = config::Settings::load(options.config_file, config::credentials_of_environment(), diagnostics);
  if (!settings) return nullptr;
  auto parts = std::make_unique<detail::NodeParts>();
  parts->options = options;
  parts->settings = *settings;
  parts->log = std::make_unique<ops::JsonLog>(STDERR_FILENO, level_from(settings->log_level), parts->clock);
  parts->health = std::make_unique<ops::Health>(parts->clock, std::vector<std::string>{"store", "listeners"});
  const auto wrong = [&](const Error& error) {
    diagnostics.add({options.config_file, 0, 0, Diagnostic::Severity::error, error.code, "credentials",
                     error.what + (error.hint.empty() ? "" : " (" + error.hint + ")")});
  };
  const config::Credentials credentials(settings->credentials);
  auto master = credentials.key32("vault-key");
  if (!master) wrong(master.error());
  auto log_seed = credentials.key32("log-key");
  if (!log_seed) wrong(log_seed.error());
  store::Options database;
  database.host = settings->database.host;
  database.port = std::to_string(settings->database.port);
  database.database = settings->database.name;
  database.user = settings->database.user;
  if (!settings->database.password_credential.empty()) {
    auto password = credentials.text(settings->database.password_credential);
    if (password) {
      database.password = std::move(*password);
    } else {
      wrong(password.error());
    }
  }
  // The first folder of the settings counts, the last one of the registry.
  auto folders = paths_of(settings->adapters);
  std::reverse(folders.begin(), folders.end());
  parts->registry = std::make_unique<adapter::Registry>(adapter::Registry::load(folders, {}, diagnostics));
  auto rules = Rules::load(*settings, diagnostics);
  if (diagnostics.has_errors()) return nullptr;
  parts->rules.with([&](auto& current) { current = rules; });
  parts->old_rules.push_back(std::move(rules));
  auto signing = crypto::SigningKey::from_seed(*log_seed);
  if (!signing) wrong(signing.error());
  auto key = archive::MasterKey::from_secret(*master);
  if (!key) wrong(key.error());
  if (diagnostics.has_errors()) return nullptr;
  auto signer = archive::NoteSigner::create(settings->archive_origin, std::move(*signing));
  if (!signer) {
    wrong(signer.error());
    return nullptr;
  }
  parts->signer = std::make_unique<archive::NoteSigner>(std::move(*signer));
  parts->vault = std::make_unique<identity::Vault>(*master);
  parts->master = std::make_unique<archive::MasterKey>(std::move(*key));
  parts->pool =
      std::make_unique<store::Pool>(std::move(database), static_cast<std::size_t>(settings->database.pool_size));
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

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
  p.log->set_level(level_from(settings->log_level));
  if (auto done = p.directory->refresh(); !done) return fail(std::move(done).error());
  events::config_reloaded(*p.log, {.file = p.options.config_file});
  return std::move(w).text();
}

// AT01: first nothing more comes in, then nothing more starts, then what is in flight ends and is written, then the
// lanes go.
void Node::stop() {
  auto& p = *parts_;
  events::daemon_stopping(*p.log, {});
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
  p.sequencing = {};
  p.housekeeping = {};
  p.lanes->give_back();
  events::daemon_stopped(*p.log, {});
}

}  // namespace isthmus
