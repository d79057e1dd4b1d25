// Parked commands: the table has them all, memory those that are due first.
#include <algorithm>
#include <set>

#include "delivery/dispatcher.h"

namespace isthmus::delivery {
namespace {

constexpr int kPage = 64;  // read at once when memory is full: those that are due push out those that are not
constexpr std::chrono::milliseconds kParkedLook{200};

std::vector<std::int64_t> parked_numbers(const Line& line) {
  std::vector<std::int64_t> numbers;
  for (const auto& [seq, item] : line.items) {
    if (item.parked) numbers.push_back(seq);
  }
  return numbers;
}

Item item_of(journal::Parked parked) {
  Item item;
  item.command = std::move(parked.command);
  item.body = std::move(parked.body);
  item.next = parked.state == journal::ParkedState::ambiguous ? Item::Next::look : Item::Next::send;
  item.parked = true;
  item.behind = parked.state == journal::ParkedState::behind;
  item.tries = parked.tries;
  item.due = parked.due;
  return item;
}

}  // namespace

Result<void> Dispatcher::load_parked(Line& line) {
  const Instant now = parts_.clock.now();
  const int held = line.parked();
  if (held > Line::kParkedMax) return {};  // all of them due or at work: these first
  const std::vector<std::int64_t> known = parked_numbers(line);
  std::vector<std::int64_t> fresh;
  {
    auto db = parts_.pool.take();
    if (!db) return fail(std::move(db).error());
    auto rows = journal::read_parked(
        **db, parts_.keys,
        {line.lane, line.connection, known, now, Line::kChainMax, std::max(kPage, Line::kParkedMax - held)});
    if (!rows) return fail(std::move(rows).error());
    for (journal::Parked& row : rows->due) {
      const std::int64_t seq = row.seq;
      // Memory knows it as not parked only while what parks it is not written yet.
      if (line.items.emplace(seq, item_of(std::move(row))).second) fresh.push_back(seq);
    }
    line.more_parked = rows->more;
  }
  line.parked_look = now + kParkedLook;
  if (auto done = remember(line, fresh); !done) {
    for (const std::int64_t seq : fresh) line.items.erase(seq);
    line.more_parked = true;
    return done;
  }
  line.forget_surplus(now);
  return {};
}

// A command of the log whose key has parked ones that memory does not know may not start before them.
Result<void> Dispatcher::mark_blocked(Line& line, const std::vector<std::int64_t>& fresh) {
  if (!line.more_parked || fresh.empty()) return {};
  std::vector<Bytes> keys;
  for (const std::int64_t seq : fresh) keys.push_back(line.items.at(seq).command.order_key);
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto blocked = journal::keys_parked(**db, line.lane, line.connection, keys, parked_numbers(line));
  if (!blocked) return fail(std::move(blocked).error());
  for (const std::int64_t seq : fresh) {
    Item& item = line.items.at(seq);
    item.blocked = blocked->contains(item.command.order_key);
  }
  return {};
}

}  // namespace isthmus::delivery
