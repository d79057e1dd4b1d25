#include "delivery/line.h"

namespace isthmus::delivery {

std::vector<std::int64_t> Line::startable(Instant now, std::vector<std::int64_t>& behind) const {
  std::vector<std::int64_t> out;
  std::map<Bytes, bool> busy;  // key -> its first unfinished item is parked
  int starting = in_flight;
  for (const auto& [seq, item] : items) {
    if (item.state == Item::State::done) continue;
    const auto blocker = busy.find(item.command.order_key);
    if (blocker != busy.end()) {
      if (blocker->second && !item.parked && item.state == Item::State::waiting) behind.push_back(seq);
      continue;
    }
    busy.emplace(item.command.order_key, item.parked);
    if (item.state != Item::State::waiting || item.due > now || !pace.may_start(now, starting)) continue;
    out.push_back(seq);
    ++starting;
  }
  return out;
}

std::int64_t Line::reached() const {
  std::int64_t up_to = read_up_to;
  for (const auto& [seq, item] : items) {
    if (seq > position && !item.parked && item.state != Item::State::done) {
      up_to = seq - 1;
      break;
    }
  }
  return std::max(up_to, position);
}

int Line::window() const {
  int count = 0;
  for (const auto& entry : items) count += entry.second.parked ? 0 : 1;
  return count;
}

}  // namespace isthmus::delivery
