#include "intake/committer.h"

#include <set>

#include "journal/codec.h"
#include "events/events.h"

namespace isthmus::intake {

Committer::Committer(store::Pool& pool, journal::Keys& keys, Log& log, std::function<void(int lane)> wake)
    : pool_(pool), keys_(keys), log_(log), wake_(std::move(wake)), thread_([this] { run(); }) {}

Committer::~Committer() { stop(); }

void Committer::stop() {
  queue_.close();
  if (thread_.joinable()) thread_.join();
}

void Committer::submit(Submission submission) {
  auto done = submission.done;
  const std::size_t bytes = submission.call.body.size();
  if (queued_bytes_.fetch_add(bytes) + bytes <= kQueueBytesMax && queue_.push(std::move(submission)) == Push::taken)
    return;
  queued_bytes_ -= bytes;
  done(Accepted::unavailable);
}

void Committer::run() {
  while (true) {
    auto group = queue_.pop_all(kGroupMax, std::chrono::milliseconds(1000));
    if (group.empty() && queue_.closed()) return;
    // Parts of at most kGroupBytesMax: a statement holds its bodies three times, as they came, sealed and as
    // parameters.
    std::vector<Submission> part;
    std::size_t bytes = 0;
    for (Submission& submission : group) {
      const std::size_t more = submission.call.body.size();
      if (!part.empty() && bytes + more > kGroupBytesMax) {
        commit(std::exchange(part, {}));
        queued_bytes_ -= std::exchange(bytes, 0);
      }
      bytes += more;
      part.push_back(std::move(submission));
    }
    if (!part.empty()) commit(std::move(part));
    queued_bytes_ -= bytes;
  }
}

void Committer::commit(std::vector<Submission> group) {
  auto fresh = write(group);
  if (!fresh) {
    if (!std::exchange(was_down_, true)) {
      events::store_unavailable(log_, {.stage = "intake", .reason = fresh.error().what});
    }
    for (Submission& submission : group) submission.done(Accepted::unavailable);
    return;
  }
  if (std::exchange(was_down_, false)) events::store_recovered(log_, {.stage = "intake"});
  std::set<int> lanes;
  for (std::size_t i = 0; i < group.size(); ++i) {
    if ((*fresh)[i]) lanes.insert(group[i].exchange.lane);
  }
  for (const int lane : lanes) wake_(lane);
  for (std::size_t i = 0; i < group.size(); ++i) group[i].done((*fresh)[i] ? Accepted::stored : Accepted::repeat);
}

Result<std::vector<bool>> Committer::write(std::vector<Submission>& group) {
  std::vector<journal::Exchange> exchanges;
  for (Submission& submission : group) {
    journal::Exchange exchange = submission.exchange;
    auto sealed =
        keys_.seal(journal::encode(submission.call), journal::call_binding(exchange.connection, exchange.received));
    if (!sealed) return fail(std::move(sealed).error());
    exchange.call = std::move(*sealed);
    exchanges.push_back(std::move(exchange));
  }
  auto db = pool_.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  auto fresh = journal::append_exchanges(*tx, exchanges);
  if (!fresh) return fail(std::move(fresh).error());
  if (auto done = tx->commit(); !done) return fail(std::move(done).error());
  return fresh;
}

}  // namespace isthmus::intake
