#include "delivery/dispatcher.h"
#include "events/events.h"

#include <algorithm>
#include <set>

#include "journal/lanes.h"

namespace isthmus::delivery {
namespace {

constexpr std::chrono::milliseconds kTick{50};
constexpr std::chrono::milliseconds kLookEvery{500};
// No task runs longer: its moves, each a request of up to two minutes or a wait of up to ten.
constexpr std::chrono::minutes kTaskMax{adapter::kMovesMax * 12};

}  // namespace

Dispatcher::Dispatcher(Parts parts, Turns turns) : parts_(std::move(parts)), dirty_(journal::kLanes, true) {
  if (turns == Turns::own_thread) thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

Dispatcher::~Dispatcher() { stop(std::chrono::milliseconds(0)); }

void Dispatcher::wake(int lane) { (void)events_.push({lane, false, nullptr}); }

void Dispatcher::reread(int lane) { (void)events_.push({lane, true, nullptr}); }

void Dispatcher::stop(std::chrono::milliseconds patience) {
  stopping_ = true;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  while (thread_.joinable() && !events_.closed() && std::chrono::steady_clock::now() < deadline) {
    never.wait_for(lock, std::chrono::milliseconds(10));
  }
  thread_.request_stop();
  events_.close();
  if (thread_.joinable()) thread_.join();
}

void Dispatcher::run(const std::stop_token& stop) {
  while (!stop.stop_requested()) {
    turn(kTick);
    if (stopping_ && idle()) {
      events_.close();
      return;
    }
  }
}

void Dispatcher::turn(std::chrono::milliseconds wait) {
  take_events(wait);
  forget_stale();
  if (stopping_) return;
  if (parts_.clock.since_boot() >= look_at_) {
    take_lanes();
    look_at_ = parts_.clock.since_boot() + kLookEvery;
  }
  std::set<int> lanes;
  for (auto& [id, line] : lines_) lanes.insert(line.lane);
  for (const int lane : lanes) start_lane(lane);
}

void Dispatcher::take_events(std::chrono::milliseconds wait) {
  std::vector<std::unique_ptr<Completion>> completions;
  for (Event& event : events_.pop_all(10'000, wait)) {
    if (event.completion) completions.push_back(std::move(event.completion));
    if (event.reread) stale_.insert(event.lane);
    if (event.lane >= 0) dirty_[static_cast<std::size_t>(event.lane)] = true;
  }
  settle(std::move(completions));
}

// What is not written yet is written first, and what is on its way comes back first: forgotten, it would have to be
// looked for, and where a network cannot be asked a person would have to decide. Nothing new starts meanwhile.
void Dispatcher::forget_stale() {
  for (auto lane = stale_.begin(); lane != stale_.end();) {
    const bool busy = std::any_of(lines_.begin(), lines_.end(), [&](const auto& entry) {
      return entry.second.lane == *lane && entry.second.in_flight > 0;
    });
    if (busy || unwritten_.contains(*lane)) {
      ++lane;
      continue;
    }
    drop_lane(*lane);
    lane = stale_.erase(lane);
    look_at_ = {};
  }
}

bool Dispatcher::idle() const {
  return unwritten_.empty() &&
         std::all_of(lines_.begin(), lines_.end(), [](const auto& entry) { return entry.second.in_flight == 0; });
}

// Opens a line for each connection of the lanes that are ours, closes those that are not, and notices what a lost
// wake-up left.
void Dispatcher::take_lanes() {
  const auto world = parts_.directory.current();
  if (!world) return;
  {
    auto db = parts_.pool.take();
    if (!db) return;
    auto heads = journal::heads(**db, journal::Stage::outbox);
    if (!heads) return;
    for (std::size_t lane = 0; lane < heads->size(); ++lane) {
      if (heads_.size() != heads->size() || heads_[lane] != (*heads)[lane]) dirty_[lane] = true;
    }
    heads_ = std::move(*heads);
  }
  for (const auto& [id, connection] : world->snapshot->connections()) {
    const std::int64_t epoch = parts_.epoch(connection.lane);
    const auto open = lines_.find(id);
    if (open != lines_.end() && open->second.epoch != epoch) {
      drop_lane(connection.lane);
    }
    const auto shut = shut_until_.find(connection.lane);
    if (epoch != 0 && !lines_.contains(id) && (shut == shut_until_.end() || shut->second <= parts_.clock.now())) {
      if (auto opened = open_line(connection, epoch); !opened) {
        events::delivery_lane_dropped(parts_.log, {.lane = connection.lane, .reason = opened.error().what});
        if (opened.error().code.starts_with("store.")) return;
        continue;  // one connection that cannot be read does not keep the others from being worked
      }
    }
    if (auto line = lines_.find(id); line != lines_.end() && line->second.a_person_may_mend &&
                                     line->second.world_version != world->snapshot->version()) {
      line->second.pace.resume();
      line->second.paused_for.clear();
      line->second.a_person_may_mend = false;
    }
  }
}

void Dispatcher::drop_lane(int lane) {
  unwritten_.erase(lane);
  for (const auto& [id, line] : lines_) {
    for (const auto& [seq, item] : line.items) {
      if (line.lane == lane && (item.state == Item::State::sending || item.state == Item::State::looking))
        abroad_.insert(item.command.id);
    }
  }
  std::erase_if(lines_, [&](const auto& entry) { return entry.second.lane == lane; });
}

Result<void> Dispatcher::open_line(const identity::Connection& connection, std::int64_t epoch) {
  Line line;
  line.connection = connection.id;
  line.lane = connection.lane;
  line.epoch = epoch;
  line.generation = ++generations_;
  {
    auto db = parts_.pool.take();
    if (!db) return fail(std::move(db).error());
    auto position = journal::position(**db, journal::Stage::outbox, line.lane, line.connection);
    if (!position) return fail(std::move(position).error());
    line.position = line.read_up_to = *position;
  }
  line.more_parked = true;  // until a reading shows that there are none
  if (auto done = load_parked(line); !done) return done;
  lines_.emplace(connection.id, std::move(line));
  dirty_[static_cast<std::size_t>(connection.lane)] = true;
  return {};
}

Result<void> Dispatcher::refill(Line& line) {
  const int room = Line::kWindowMax - line.window();
  if (room <= 0) return {};
  std::vector<journal::OutboxRow> rows;
  {
    auto db = parts_.pool.take();
    if (!db) return fail(std::move(db).error());
    auto read = journal::read_outbox(**db, line.lane, line.connection, line.read_up_to, room);
    if (!read) return fail(std::move(read).error());
    rows = std::move(*read);
  }
  std::vector<std::int64_t> fresh;
  std::map<std::int64_t, Item> items;
  for (journal::OutboxRow& row : rows) {
    if (row.parked || line.items.contains(row.seq)) continue;  // it stands in parked, whoever works on it there
    Item item;
    auto body = parts_.keys.open(row.command.body.key, row.command.body.bytes, journal::body_binding(row.command.id));
    if (!body && body.error().code.starts_with("store.")) return fail(std::move(body).error());
    if (!body) item.unreadable = body.error().what;
    item.command = std::move(row.command);
    item.command.body = {};
    if (body) item.body = std::move(*body);
    fresh.push_back(row.seq);
    items.emplace(row.seq, std::move(item));
  }
  const std::int64_t up_to = rows.empty() ? line.read_up_to : rows.back().seq;
  line.items.merge(items);
  auto done = remember(line, fresh);
  if (done) done = mark_blocked(line, fresh);
  if (!done) {
    for (const std::int64_t seq : fresh) line.items.erase(seq);
    return done;
  }
  line.read_up_to = up_to;
  return {};
}

// What the journal says of commands that come into memory: after a restart some were sent, or may have been.
Result<void> Dispatcher::remember(Line& line, const std::vector<std::int64_t>& fresh) {
  if (fresh.empty()) return {};
  std::vector<Uuid> ids;
  for (const std::int64_t seq : fresh) ids.push_back(line.items.at(seq).command.id);
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto histories = journal::histories(**db, line.lane, ids);
  if (!histories) return fail(std::move(histories).error());
  const auto world = parts_.directory.current();
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    const journal::History& history = (*histories)[i];
    Item& item = line.items.at(fresh[i]);
    item.kind = kind_of(item.command, item.body);
    item.attempts = history.attempts;
    item.first_attempt = history.first_attempt.value_or(Instant());
    if (history.closed && !item.parked) item.state = Item::State::done;
    if (!history.open_intent) continue;
    const adapter::OperationSpec* operation = operation_of(*world, item);
    const bool repeatable =
        operation != nullptr &&
        (operation->replay_safe ||
         (operation->idempotency_window_ms > 0 &&
          parts_.clock.now() - item.first_attempt < std::chrono::milliseconds(operation->idempotency_window_ms)));
    if (repeatable) continue;
    item.next = Item::Next::look;
    // Its last request was sent before the crash, so before now; nothing tells how long before.
    const Instant sent_by = std::min(parts_.clock.now(), *history.last_intent + kTaskMax);
    const auto timeout = std::chrono::milliseconds(operation == nullptr ? 0 : operation->timeout_ms);
    item.due = std::max(item.due, sent_by + timeout + settling_of(*world, item));
  }
  return {};
}

std::chrono::milliseconds Dispatcher::settling_of(const identity::World& world, const Item& item) {
  const adapter::Adapter* adapter = world.adapter_of(item.command.connection);
  return std::chrono::milliseconds(adapter == nullptr ? adapter::Description().settling_ms
                                                      : adapter->describe().settling_ms);
}

const adapter::OperationSpec* Dispatcher::operation_of(const identity::World& world, const Item& item) const {
  const adapter::Adapter* adapter = world.adapter_of(item.command.connection);
  if (adapter == nullptr) return nullptr;
  for (const adapter::OperationSpec& operation : adapter->describe().operations) {
    if (operation.name == item.command.operation) return &operation;
  }
  return nullptr;
}

}  // namespace isthmus::delivery
