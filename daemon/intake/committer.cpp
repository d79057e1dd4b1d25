#include "intake/committer.h"

#include <set>

#include "journal/codec.h"

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
  if (queue_.push(std::move(submission)) != Push::taken) done(Accepted::unavailable);
}

void Committer::run() {
  while (true) {
    auto group = queue_.pop_all(kGroupMax, std::chrono::milliseconds(1000));
    if (!group.empty()) {
      commit(std::move(group));
    } else if (queue_.closed()) {
      return;
    }
  }
}

void Committer::commit(std::vector<Submission> group) {
  auto fresh = write(group);
  if (!fresh) {
    if (!std::exchange(was_down_, true)) {
      log_.write(LogLevel::error, "store.unavailable", {{"stage", std::string_view("intake")}, {"reason", std::string_view(fresh.error().what)}});
    }
    for (Submission& submission : group) submission.done(Accepted::unavailable);
    return;
  }
  if (std::exchange(was_down_, false)) log_.write(LogLevel::info, "store.recovered", {{"stage", std::string_view("intake")}});
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
    auto sealed = keys_.seal(journal::encode(submission.call), journal::call_binding(exchange.connection, exchange.received));
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
