// Starting: which commands may go now, their intents, and the hand-over to the driver.
#include <simdjson.h>

#include <algorithm>

#include "delivery/dispatcher.h"
#include "journal/blobs.h"
#include "journal/lanes.h"

namespace isthmus::delivery {
namespace {

// post/1 names its media by hash; the adapter is given their sizes and types, the driver their bytes.
std::vector<adapter::Media> media_of(const std::string& format, const std::string& body) {
  std::vector<adapter::Media> out;
  if (format != "post/1") return out;
  simdjson::dom::parser parser;
  simdjson::dom::array media;
  if (parser.parse(body)["media"].get_array().get(media) != simdjson::SUCCESS) return out;
  for (const auto item : media) {
    adapter::Media m;
    std::string_view text;
    if (item["blob"].get_string().get(text) == simdjson::SUCCESS) m.blob = text;
    if (item["mime"].get_string().get(text) == simdjson::SUCCESS) m.mime = text;
    if (item["alt"].get_string().get(text) == simdjson::SUCCESS) m.alt_text = text;
    if (item["bytes"].get_int64().get(m.bytes) != simdjson::SUCCESS) m.bytes = 0;
    out.push_back(std::move(m));
  }
  return out;
}

adapter::Command to_command(const Item& item) {
  adapter::Command command;
  command.id = item.command.id.to_string();
  command.verb = item.command.verb;
  command.operation = item.command.operation;
  command.format = item.command.body_format;
  command.body = item.body;
  command.media = media_of(item.command.body_format, item.body);
  command.remote_id = item.command.remote_id;
  if (item.command.not_after) command.not_after_ms = to_ms(*item.command.not_after);
  return command;
}

}  // namespace

std::string kind_of(const journal::NewCommand& command, const std::string& body) {
  return command.operation + (media_of(command.body_format, body).empty() ? "" : "+media");
}

void Dispatcher::start_lane(int lane) {
  if (unwritten_.contains(lane) || stale_.contains(lane) || parts_.epoch(lane) == 0 ||
      parts_.epoch(lane) != epoch_of(lane))
    return;
  const Instant now = parts_.clock.now();
  const auto world = parts_.directory.current();
  const bool dirty = dirty_[static_cast<std::size_t>(lane)];
  dirty_[static_cast<std::size_t>(lane)] = false;
  std::vector<std::pair<Line*, std::int64_t>> starting;
  Writes writes;
  for (auto& [id, line] : lines_) {
    if (line.lane != lane) continue;
    if (dirty || (line.window() < Line::kWindowMax / 2 &&
                  line.read_up_to + 1 < (heads_.empty() ? 0 : heads_[static_cast<std::size_t>(lane)]))) {
      if (auto done = refill(line); !done) dirty_[static_cast<std::size_t>(lane)] = true;
    }
    if (line.more_parked && line.parked_look <= now) {
      if (auto done = load_parked(line); !done) continue;
    }
    for (const std::int64_t seq : ready(line, *world, writes)) starting.emplace_back(&line, seq);
  }
  if (!writes.park.empty() || !writes.repark.empty() || !writes.ends.empty()) {
    // In memory they are parked or done already, so what could not be written must be written before anything else of
    // the lane is.
    write(lane, std::move(writes));
    if (unwritten_.contains(lane) || epoch_of(lane) == 0) return;
  }
  if (starting.empty()) return;
  if (auto done = commit_intents(lane, starting); !done) return;
  for (auto& [line, seq] : starting) launch(*line, seq);
}

Result<void> Dispatcher::commit_intents(int lane, std::vector<std::pair<Line*, std::int64_t>>& starting) {
  const Instant now = parts_.clock.now();
  std::vector<journal::Intent> intents;
  for (auto& [line, seq] : starting) {
    Item& item = line->items.at(seq);
    if (item.next == Item::Next::send) intents.push_back({item.command.id, line->connection, item.attempts + 1, {}});
  }
  if (!intents.empty()) {
    auto db = parts_.pool.take();
    if (!db) return fail(std::move(db).error());
    auto tx = store::Transaction::begin(**db);
    if (!tx) return fail(std::move(tx).error());
    if (auto done = journal::enter(*tx, {lane, epoch_of(lane)}); !done) return done;
    if (auto done = journal::write_intents(*tx, lane, intents, now); !done) return done;
    if (auto done = tx->commit(); !done) return done;
  }
  for (auto& [line, seq] : starting) {
    Item& item = line->items.at(seq);
    ++line->in_flight;
    item.state = item.next == Item::Next::look ? Item::State::looking : Item::State::sending;
    if (item.next == Item::Next::look) continue;
    ++item.attempts;
    if (item.first_attempt == Instant()) item.first_attempt = now;
  }
  return {};
}

void Dispatcher::launch(Line& line, std::int64_t seq) {
  const auto world = parts_.directory.current();
  const Item& item = line.items.at(seq);
  const bool looking = item.state == Item::State::looking;
  const auto complete = [this, connection = line.connection, generation = line.generation, command = item.command.id,
                         seq, looking](host::TaskEnd end) {
    auto completion = std::make_unique<Completion>();
    completion->connection = connection;
    completion->generation = generation;
    completion->command = command;
    completion->seq = seq;
    completion->looked = looking;
    completion->end = std::move(end);
    (void)events_.push(
        {-1, false, std::move(completion)});  // refused only at the stop: the intent stays open, and is looked up later
  };
  if (!item.unreadable.empty()) {
    host::TaskEnd end;
    end.done = fail("seal.refused", item.unreadable);
    return complete(std::move(end));
  }
  const adapter::OperationSpec* operation = operation_of(*world, item);
  if (looking && operation != nullptr && !operation->reconcilable) {
    host::TaskEnd end;
    end.done = adapter::Done(adapter::Sighting{});  // nobody can tell but a person
    return complete(std::move(end));
  }
  host::TaskSpec spec;
  spec.world = world;
  spec.connection = line.connection;
  spec.kind = item.kind;
  const identity::Connection* connection = world->snapshot->connection(line.connection);
  if (connection != nullptr) spec.context = world->context_of(*connection, parts_.clock.now());
  spec.context.attempt = std::max(item.attempts, 1);
  spec.context.first_attempt_ms = to_ms(item.first_attempt);
  adapter::Command command = to_command(item);
  for (const adapter::Media& media : command.media) {
    auto db = parts_.pool.take();
    auto blob = db ? journal::get_blob(**db, parts_.keys, media.blob) : fail(db.error());
    if (!blob) {
      host::TaskEnd end;
      end.done = fail(blob.error());
      return complete(std::move(end));
    }
    spec.blobs.emplace(media.blob, std::move(blob->bytes));
  }
  if (looking) {
    spec.task = adapter::Reconcile{std::move(command), to_ms(item.first_attempt)};
  } else {
    spec.task = adapter::Deliver{{std::move(command)}};
  }
  parts_.driver.run(std::move(spec), {}, complete);
}

}  // namespace isthmus::delivery
