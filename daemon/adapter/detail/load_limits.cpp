// The part `limits` of a file: which headers tell of a limit, and which requests count against which.
#include <algorithm>

#include "adapter/detail/loader.h"
#include "adapter/detail/reply_time.h"

namespace isthmus::adapter::detail {
namespace {

constexpr std::int64_t kRateMax = 1'000'000;
constexpr std::size_t kBucketsMax = 32;

/// "300/5m": so many requests in so long a time.
void read_rate(MapReader& bucket, Diagnostics& diagnostics, BucketSpec& out) {
  const Node* node = bucket.optional("rate");
  if (node == nullptr) return;
  const std::string text = bucket.optional_text("rate");
  const std::size_t slash = text.find('/');
  const auto requests = whole_number(text.substr(0, std::min(slash, text.size())));
  if (slash == std::string::npos || !requests || *requests < 1 || *requests > kRateMax) {
    return bucket.error("rate", "descriptor.rate", "accepted: requests in a time, such as 300/5m");
  }
  Node window = *node;
  window.text = text.substr(slash + 1);
  const auto length = config::as_duration(window, std::chrono::seconds(1), std::chrono::hours(24 * 7),
                                          bucket.path_of("rate"), diagnostics);
  if (!length) return;
  out.rate = *requests;
  out.window_ms = length->count();
}

BucketSpec read_bucket(MapReader& bucket, Diagnostics& diagnostics) {
  BucketSpec out;
  out.name = bucket.required_text("name");
  out.method = bucket.optional_text("method");
  out.path = bucket.optional_text("path");
  if (!out.path.empty() && !out.path.starts_with('/')) {
    bucket.error("path", "descriptor.path", "a path begins with /; * is one or more characters but /");
  }
  out.cost = bucket.optional_int("cost", 1, 1000, 1);
  read_rate(bucket, diagnostics, out);
  bucket.finish();
  return out;
}

}  // namespace

void read_limits(MapReader& reader, Diagnostics& diagnostics, LimitSpec& out) {
  std::optional<MapReader> limits = reader.optional_map("limits");
  if (!limits) return;
  using Format = LimitSpec::Format;
  out.reset = limits->optional_text("reset_header");
  out.format = limits->optional_choice<Format>("reset_format",
                                               {{"epoch_seconds", Format::epoch_seconds},
                                                {"epoch_ms", Format::epoch_ms},
                                                {"rfc3339", Format::rfc3339},
                                                {"delta_seconds", Format::delta_seconds},
                                                {"delta_ms", Format::delta_ms}},
                                               Format::epoch_seconds);
  out.remaining = limits->optional_text("remaining_header");
  out.limit = limits->optional_text("limit_header");
  for (const Node& item : limits->optional_list("buckets")) {
    MapReader bucket(item, limits->path_of("buckets") + "[" + std::to_string(out.buckets.size()) + "]", diagnostics);
    if (bucket.is_map()) out.buckets.push_back(read_bucket(bucket, diagnostics));
  }
  if (out.buckets.size() > kBucketsMax) limits->error("buckets", "descriptor.buckets", "at most 32");
  limits->finish();
}

std::int64_t read_facts_every(MapReader& facts) {
  return facts.optional_duration("every", std::chrono::minutes(1), std::chrono::hours(24 * 30), std::chrono::hours(24))
      .count();
}

}  // namespace isthmus::adapter::detail
