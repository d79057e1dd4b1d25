#include "delivery/line.h"

#include <algorithm>

namespace isthmus::delivery {

std::vector<std::int64_t> Line::startable(Instant now, std::vector<std::int64_t>& behind, const Room& room) const {
  std::vector<std::int64_t> out;
  std::map<Bytes, bool> busy;                // key -> its first unfinished item is parked
  std::map<std::string, std::int64_t> left;  // kind -> how many more may start
  int starting = in_flight;
  for (const auto& [seq, item] : items) {
    if (item.state == Item::State::done) continue;
    if (item.blocked) busy.emplace(item.command.order_key, true);
    const auto blocker = busy.find(item.command.order_key);
    if (blocker != busy.end()) {
      if (blocker->second && !item.parked && item.state == Item::State::waiting) behind.push_back(seq);
      continue;
    }
    busy.emplace(item.command.order_key, item.parked);
    if (item.state != Item::State::waiting || item.due > now || !pace.may_start(now, starting)) continue;
    if (room) {
      auto& more = left.try_emplace(item.kind, -1).first->second;
      if (more < 0) more = std::max<std::int64_t>(0, room(item.kind));
      if (more == 0) continue;
      --more;
    }
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

int Line::window() const { return static_cast<int>(items.size()) - parked(); }

int Line::parked() const {
  return static_cast<int>(
      std::count_if(items.begin(), items.end(), [](const auto& entry) { return entry.second.parked; }));
}

void Line::forget_surplus(Instant now) {
  // What an earlier one blocks that memory does not have can only be worked from the table.
  more_parked |=
      std::erase_if(items, [](const auto& entry) { return entry.second.blocked && entry.second.parked; }) > 0;
  int surplus = parked() - kParkedMax;
  if (surplus <= 0) return;
  std::map<Bytes, std::vector<std::int64_t>> chains;
  std::set<Bytes> whole;
  for (const auto& [seq, item] : items) {
    chains[item.command.order_key].push_back(seq);
    if (!item.parked) whole.insert(item.command.order_key);
  }
  // The due time of a chain's head, latest first; what is at work or due now counts as due since ever.
  std::vector<std::pair<Instant, const std::vector<std::int64_t>*>> order;
  for (const auto& [key, chain] : chains) {
    if (whole.contains(key)) continue;
    const Item& head = items.at(chain.front());
    order.emplace_back(head.state == Item::State::waiting && head.due > now ? head.due : Instant(), &chain);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  for (const auto& [due, chain] : order) {
    const std::size_t keep = due > now ? 0 : std::min<std::size_t>(chain->size(), kChainMax);
    for (std::size_t i = chain->size(); i > keep && surplus > 0; --i) {
      items.erase((*chain)[i - 1]);
      --surplus;
      more_parked = true;
    }
  }
}

}  // namespace isthmus::delivery
