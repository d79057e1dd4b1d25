#include "adapter/limits.h"

#include <algorithm>

#include "adapter/detail/reply_time.h"

namespace isthmus::adapter {
namespace {

std::string_view path_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  const std::size_t from = url.find('/', scheme == std::string_view::npos ? 0 : scheme + 3);
  if (from == std::string_view::npos) return "/";
  const std::string_view target = url.substr(from);
  return target.substr(0, target.find_first_of("?#"));
}

/// * is one or more characters but /. The classic walk back to the last star: linear in practice, never exponential.
bool matches(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0;
  std::size_t star = std::string_view::npos, at = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*' && text[t] != '/') {
      star = p++;
      at = t++;
    } else if (p < pattern.size() && pattern[p] != '*' && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos && at + 1 < text.size() && text[at + 1] != '/') {
      p = star + 1;
      t = ++at + 1;
    } else {
      return false;
    }
  }
  return p == pattern.size();
}

std::optional<std::int64_t> number_in(const HttpReply& reply, const std::string& name) {
  if (name.empty()) return std::nullopt;
  const auto header = detail::header_of(reply.headers, name);
  return header ? detail::whole_number(*header) : std::nullopt;
}

}  // namespace

const BucketSpec* bucket_of(const LimitSpec& limits, const HttpRequest& request) {
  const std::string_view path = path_of(request.url);
  const auto counts = [&](const BucketSpec& bucket) {
    if (!request.bucket.empty()) return bucket.name == request.bucket;
    return (bucket.method.empty() || bucket.method == request.method) &&
           (bucket.path.empty() || matches(bucket.path, path));
  };
  const auto found = std::find_if(limits.buckets.begin(), limits.buckets.end(), counts);
  return found == limits.buckets.end() ? nullptr : &*found;
}

LimitReading read_limits(const LimitSpec& limits, const HttpReply& reply, std::int64_t now_ms) {
  LimitReading out;
  const auto bounded = [&](std::optional<std::int64_t> at) {
    return at ? std::optional(std::min(*at, now_ms + detail::kWaitMsMax)) : at;
  };
  out.remaining = number_in(reply, limits.remaining);
  out.limit = number_in(reply, limits.limit);
  out.reset_ms = bounded(detail::reset_at_ms(reply, limits, now_ms));
  out.refused = reply.status == 429;
  if (out.refused) out.retry_after_ms = bounded(detail::retry_after_ms(reply, now_ms));
  return out;
}

}  // namespace isthmus::adapter
