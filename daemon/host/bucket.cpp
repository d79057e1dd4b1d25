#include "host/bucket.h"

#include <algorithm>
#include <utility>

namespace isthmus::host {
namespace {

// Headers tell whole seconds: the window ends within the second that they name.
constexpr std::chrono::seconds kResetMargin{1};
// Resets that differ by less name the same window: a network that counts from each reply tells another one each time.
constexpr std::chrono::seconds kSameWindow{2};
constexpr std::int64_t kWindowUsAssumed = 60'000'000;
constexpr std::chrono::seconds kBlockMin{1};
constexpr std::chrono::milliseconds kAskAgain{200};  // what is on its way will tell

}  // namespace

Bucket::Bucket(std::int64_t rate, std::int64_t window_ms)
    : rate_(rate), window_us_(window_ms > 0 ? window_ms * 1000 : kWindowUsAssumed), documented_(window_ms > 0) {
  if (rate > 0) low_ = rate;
}

// The window is over: a whole one is there, less what is still on its way, which may be counted in either.
void Bucket::roll(Instant now) {
  if (ends_ == Instant() || now < ends_) return;
  told_ = false;
  untold_ = std::exchange(lost_, 0);
  // What may count in this window too is forgotten at its end, so it has one.
  ends_ = untold_ > 0 ? now + std::chrono::microseconds(window_us_) : Instant();
  low_ = rate_ > 0 ? std::optional(rate_) : std::nullopt;
}

std::int64_t Bucket::left(Instant now, Use use) const {
  Bucket then = *this;
  then.roll(now);
  if (now < then.blocked_until_) return 0;
  if (!then.low_) return kUnlimited;
  const std::int64_t kept = use == Use::background ? then.rate_ / 10 : 0;
  return std::max<std::int64_t>(0, *then.low_ - then.on_their_way_ - then.untold_ - kept);
}

std::int64_t Bucket::room(Instant now, Use use, std::int64_t cost) const { return left(now, use) / cost; }

Instant Bucket::free_at(Instant now, Use use, std::int64_t cost) const {
  if (room(now, use, cost) > 0) return now;
  if (now < blocked_until_) return blocked_until_;
  if (ends_ > now && low_ && *low_ - untold_ < cost + (use == Use::background ? rate_ / 10 : 0)) return ends_;
  return now + kAskAgain;
}

bool Bucket::take(Instant now, Use use, std::int64_t cost) {
  roll(now);
  if (room(now, use, cost) < 1) return false;
  on_their_way_ += cost;
  if (low_ && ends_ == Instant()) ends_ = now + std::chrono::microseconds(window_us_);
  return true;
}

void Bucket::replied(Instant now, const adapter::LimitReading& reading, std::int64_t cost) {
  on_their_way_ -= cost;
  roll(now);
  if (reading.limit && *reading.limit > 0) {
    rate_ = *reading.limit;
    if (!low_) low_ = rate_;
  }
  if (reading.refused) {
    const std::int64_t until = reading.retry_after_ms.value_or(reading.reset_ms.value_or(0));
    block(std::max(from_ms(until), now + kBlockMin));
  }
  if (!reading.remaining) {
    untold_ += cost;
    return;
  }
  const bool tells_end = reading.reset_ms.has_value();
  Instant ends = ends_ == Instant() ? now + std::chrono::microseconds(window_us_) : ends_;
  if (tells_end) ends = from_ms(*reading.reset_ms) + kResetMargin;
  if (ends <= now) return;  // of a window that is over
  const bool same = low_ && ends_ != Instant() && (!tells_end || (told_ && ends < ends_ + kSameWindow));
  if (same && ends + kSameWindow <= ends_) return;  // the late reply of an earlier window
  if (same) {
    low_ = std::min(*low_, *reading.remaining);
    ends_ = std::max(ends_, ends);
    return;
  }
  // A new window, or the network's word instead of our guess.
  if (tells_end && !documented_) {
    const std::int64_t span = (ends - now).count();
    window_us_ = measured_ ? std::max(window_us_, span) : span;
    measured_ = true;
  }
  low_ = *reading.remaining;
  ends_ = ends;
  told_ = tells_end;
  untold_ = std::exchange(lost_, 0);
}

void Bucket::lost(Instant now, std::int64_t cost) {
  roll(now);
  on_their_way_ -= cost;
  untold_ += cost;
  lost_ += cost;
}

void Bucket::unsent(std::int64_t cost) { on_their_way_ -= cost; }

void Bucket::block(Instant until) { blocked_until_ = std::max(blocked_until_, until); }

}  // namespace isthmus::host
