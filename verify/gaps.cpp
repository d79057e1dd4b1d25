#include "gaps.h"

#include "json.h"

namespace verify {
namespace {

constexpr std::size_t kReasonBytesMax = 200;

const Json* number(const Json& object, std::string_view name) {
  const Json* value = object.find(name);
  return value != nullptr && value->is(Json::Type::number) && value->number >= 0 ? value : nullptr;
}

std::optional<Gap> read_gap(const Json& range) {
  const Json* from = number(range, "from");
  const Json* to = number(range, "to");
  const Json* reason = range.find("reason");
  if (from == nullptr || to == nullptr || reason == nullptr || !reason->is(Json::Type::string) ||
      reason->text.empty() || reason->text.size() > kReasonBytesMax || range.members.size() != 3 ||
      from->number >= to->number) {
    return std::nullopt;
  }
  return Gap{static_cast<std::uint64_t>(from->number), static_cast<std::uint64_t>(to->number)};
}

}  // namespace

std::optional<std::vector<Gap>> read_gaps(std::string_view text, std::uint64_t size) {
  if (!text.ends_with('\n')) return std::nullopt;
  text.remove_suffix(1);
  const auto json = read_json(text);
  if (!json || json->members.size() != 3) return std::nullopt;
  const Json* format = number(*json, "format");
  const Json* stated = number(*json, "size");
  const Json* ranges = json->find("ranges");
  if (format == nullptr || format->number != 1 || stated == nullptr ||
      static_cast<std::uint64_t>(stated->number) != size || ranges == nullptr || !ranges->is(Json::Type::array)) {
    return std::nullopt;
  }
  std::vector<Gap> gaps;
  for (const Json& range : ranges->items) {
    const auto gap = read_gap(range);
    if (!gap || gap->to > size || (!gaps.empty() && gap->from < gaps.back().to)) return std::nullopt;
    gaps.push_back(*gap);
  }
  return gaps;
}

bool Coverage::reach(std::uint64_t index) {
  while (next_ < index && used_ < gaps_.size() && gaps_[used_].from == next_ && gaps_[used_].to <= index) {
    next_ = gaps_[used_++].to;
  }
  const bool covered = next_ == index;
  next_ = index;
  return covered;
}

}  // namespace verify
