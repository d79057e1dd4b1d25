#include "http/detail/loop.h"

#include "http/detail/response_head.h"

namespace isthmus::http::detail {

void Loop::add(std::shared_ptr<SessionFace> session) {
  session->slot_ = slots_.size();
  slots_.push_back({std::chrono::steady_clock::time_point::max(), std::move(session)});
  if (!ticking_) schedule_tick();
}

void Loop::remove(const SessionFace& session) {
  const std::size_t slot = session.slot_;
  const std::shared_ptr<SessionFace> kept =
      std::move(slots_[slot].session);  // may be the last owner: not before we are done
  if (slot + 1 != slots_.size()) {
    slots_[slot] = std::move(slots_.back());
    slots_[slot].session->slot_ = slot;
  }
  slots_.pop_back();
  shared->connection_closed();
}

/// A copy, since sessions leave the list while they are called.
std::vector<std::shared_ptr<SessionFace>> Loop::sessions_until(std::chrono::steady_clock::time_point deadline) const {
  std::vector<std::shared_ptr<SessionFace>> out;
  for (const Slot& slot : slots_) {
    if (slot.deadline <= deadline) out.push_back(slot.session);
  }
  return out;
}

void Loop::begin_stop() {
  for (const auto& session : sessions_until(std::chrono::steady_clock::time_point::max())) session->begin_stop();
}

void Loop::cut_off() {
  for (const auto& session : sessions_until(std::chrono::steady_clock::time_point::max())) session->cut_off();
  tick_.cancel();
}

const std::string& Loop::date() {
  const std::int64_t second = to_ms(shared->clock.now()) / 1000;
  if (second != date_second_) {
    date_second_ = second;
    date_ = format_date(from_ms(second * 1000));
  }
  return date_;
}

void Loop::schedule_tick() {
  ticking_ = true;
  tick_.expires_after(kTick);
  tick_.async_wait([this](const boost::system::error_code& error) {
    if (!error) tick();
  });
}

void Loop::tick() {
  for (const auto& session : sessions_until(std::chrono::steady_clock::now())) session->expired();
  ticking_ = false;
  if (!slots_.empty()) schedule_tick();
}

}  // namespace isthmus::http::detail
