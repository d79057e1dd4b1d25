#include <algorithm>
#include <cstring>
#include <initializer_list>

#include "adapter/detail/thrift_wire.h"

namespace isthmus::adapter::detail {
namespace {

constexpr std::int64_t kMsMax = std::int64_t{1} << 53;
constexpr std::int32_t kTimeoutMsMax = 120'000;
constexpr std::int32_t kWaitMsMax = 24 * 3'600'000;

Error wrong(const char* what) {
  return {"adapter.fault", std::string("the adapter program answered with ") + what, "", ""};
}

/// Texts go to the database, to JSON and to people.
bool texts(std::initializer_list<const std::string*> all) {
  return std::all_of(all.begin(), all.end(),
                     [](const std::string* text) { return is_utf8(*text) && text->find('\0') == std::string::npos; });
}
bool instant(std::int64_t ms) { return ms >= 0 && ms < kMsMax; }

/// The number that stands in an enumeration of Thrift's: it may be one that the type does not have, which only its
/// bytes may say.
template <class E>
int number_in(const E& value) {
  int out = 0;
  static_assert(sizeof value == sizeof out);
  std::memcpy(&out, &value, sizeof out);
  return out;
}

/// Exactly one member of a union.
int members(std::initializer_list<bool> set) { return static_cast<int>(std::count(set.begin(), set.end(), true)); }

Result<std::vector<Header>> headers_from(std::vector<wire::Header>&& headers) {
  std::vector<Header> out;
  out.reserve(headers.size());
  for (wire::Header& header : headers) {
    if (header.name.empty() || header.name.find_first_of("\r\n:") != std::string::npos)
      return fail(wrong("a header whose name is none"));
    if (header.value.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos)
      return fail(wrong("a header that holds a line's end"));
    out.push_back({std::move(header.name), std::move(header.value)});
  }
  return out;
}

Result<BlobRange> range_from(wire::BlobRange&& range) {
  if (range.offset < 0 || (range.__isset.length && range.length < 0)) return fail(wrong("a range of a blob below 0"));
  return BlobRange{std::move(range.blob), range.offset, range.__isset.length ? range.length : -1};
}

Result<std::vector<Part>> parts_from(std::vector<wire::Part>&& parts) {
  std::vector<Part> out;
  for (wire::Part& part : parts) {
    if (part.__isset.data && part.__isset.range) return fail(wrong("a part that is data and a range"));
    Part& one = out.emplace_back();
    one.name = std::move(part.name);
    one.content_type = std::move(part.content_type);
    one.filename = std::move(part.filename);
    one.data = std::move(part.data);
    if (!part.__isset.range) continue;
    Result<BlobRange> range = range_from(std::move(part.range));
    if (!range) return fail(std::move(range).error());
    one.range = std::move(*range);
  }
  return out;
}

Result<Body> body_from(wire::Body&& body) {
  if (members({body.__isset.data, body.__isset.range, body.__isset.multipart}) != 1)
    return fail(wrong("a body that is not one thing"));
  if (body.__isset.data) return Body(std::move(body.data));
  if (body.__isset.range) {
    Result<BlobRange> range = range_from(std::move(body.range));
    if (!range) return fail(std::move(range).error());
    return Body(std::move(*range));
  }
  Result<std::vector<Part>> parts = parts_from(std::move(body.multipart));
  if (!parts) return fail(std::move(parts).error());
  return Body(std::move(*parts));
}

Result<HttpRequest> request_from(wire::HttpRequest&& request) {
  HttpRequest out;
  if (request.method.empty() || !texts({&request.method, &request.url, &request.bucket}))
    return fail(wrong("a request without a method or with no text"));
  if (request.__isset.timeout_ms) {
    if (request.timeout_ms < 1 || request.timeout_ms > kTimeoutMsMax)
      return fail(wrong("a timeout that is not 1 to 120000 ms"));
    out.timeout_ms = request.timeout_ms;
  }
  out.method = std::move(request.method);
  out.url = std::move(request.url);
  out.bucket = std::move(request.bucket);
  out.replay_safe = request.__isset.replay_safe && request.replay_safe;
  Result<std::vector<Header>> headers = headers_from(std::move(request.headers));
  if (!headers) return fail(std::move(headers).error());
  out.headers = std::move(*headers);
  if (request.__isset.body) {
    Result<Body> body = body_from(std::move(request.body));
    if (!body) return fail(std::move(body).error());
    out.body = std::move(*body);
  }
  return out;
}

Result<std::vector<Outcome>> outcomes_from(std::vector<wire::Outcome>&& outcomes) {
  std::vector<Outcome> out;
  out.reserve(outcomes.size());
  for (wire::Outcome& one : outcomes) {
    const int verdict = number_in(one.verdict);
    if (verdict < static_cast<int>(Verdict::delivered) || verdict > static_cast<int>(Verdict::ambiguous))
      return fail(wrong("an unknown verdict"));
    if (!texts({&one.command_id, &one.remote_id, &one.remote_url, &one.reason}))
      return fail(wrong("an outcome that is no text"));
    if (!instant(one.not_before_ms)) return fail(wrong("a time that is none"));
    out.push_back({std::move(one.command_id), static_cast<Verdict>(verdict), std::move(one.remote_id),
                   std::move(one.remote_url), one.not_before_ms, std::move(one.reason)});
  }
  return out;
}

Result<Done> done_from(wire::Done&& done) {
  if (members({done.__isset.outcomes, done.__isset.page, done.__isset.sighting, done.__isset.report}) != 1)
    return fail(wrong("an end that is not one thing"));
  if (done.__isset.outcomes) {
    Result<std::vector<Outcome>> outcomes = outcomes_from(std::move(done.outcomes));
    if (!outcomes) return fail(std::move(outcomes).error());
    return Done(std::move(*outcomes));
  }
  if (done.__isset.page) return Done(Page{std::move(done.page.next_cursor), done.page.more});
  if (done.__isset.report) {
    if (!texts({&done.report})) return fail(wrong("a report that is no text"));
    return Done(Report{std::move(done.report)});
  }
  const int presence = number_in(done.sighting.presence);
  if (presence < static_cast<int>(Presence::found) || presence > static_cast<int>(Presence::unknown))
    return fail(wrong("an unknown presence"));
  if (!texts({&done.sighting.remote_id, &done.sighting.remote_url})) return fail(wrong("a sighting that is no text"));
  return Done(Sighting{static_cast<Presence>(presence), std::move(done.sighting.remote_id),
                       std::move(done.sighting.remote_url)});
}

}  // namespace

Result<Step> from_wire(wire::Step step) {
  if (step.state.size() > kStateBytesMax) return fail(wrong("a state of more than 4096 bytes"));
  wire::Move& move = step.move;
  if (members({move.__isset.send, move.__isset.wait, move.__isset.done}) != 1)
    return fail(wrong("a move that is not one thing"));
  Step out;
  out.state = std::move(step.state);
  if (move.__isset.send) {
    Result<HttpRequest> request = request_from(std::move(move.send));
    if (!request) return fail(std::move(request).error());
    out.move = std::move(*request);
  } else if (move.__isset.wait) {
    if (move.wait.ms < 0 || move.wait.ms > kWaitMsMax || !texts({&move.wait.why}))
      return fail(wrong("a wait that is none"));
    out.move = Wait{move.wait.ms, std::move(move.wait.why)};
  } else {
    Result<Done> done = done_from(std::move(move.done));
    if (!done) return fail(std::move(done).error());
    out.move = std::move(*done);
  }
  return out;
}

Result<std::vector<Event>> from_wire(std::vector<wire::Event> events) {
  std::vector<Event> out;
  out.reserve(events.size());
  for (wire::Event& event : events) {
    if (event.dedup_key.empty()) return fail(wrong("an event without a key"));
    if (!texts({&event.dedup_key, &event.kind, &event.order_key, &event.format, &event.body}))
      return fail(wrong("an event that is no text"));
    if (!instant(event.occurred_ms)) return fail(wrong("a time that is none"));
    for (const std::string& purpose : event.purposes) {
      if (!texts({&purpose})) return fail(wrong("a purpose that is no text"));
    }
    out.push_back({std::move(event.dedup_key), std::move(event.kind), event.occurred_ms, std::move(event.order_key),
                   std::move(event.format), std::move(event.body), std::move(event.purposes)});
  }
  return out;
}

Result<Answer> from_wire(wire::Answer answer) {
  if (answer.status < 200 || answer.status > 599) return fail(wrong("a status that is none"));
  Result<std::vector<Header>> headers = headers_from(std::move(answer.headers));
  if (!headers) return fail(std::move(headers).error());
  return Answer{answer.status, std::move(*headers), std::move(answer.body)};
}

Result<std::vector<Problem>> from_wire(std::vector<wire::Problem> problems) {
  std::vector<Problem> out;
  for (wire::Problem& problem : problems) {
    if (!texts({&problem.code, &problem.field})) return fail(wrong("a problem that is no text"));
    for (const auto& [name, value] : problem.values) {
      if (!texts({&name, &value})) return fail(wrong("a problem that is no text"));
    }
    out.push_back({std::move(problem.code), std::move(problem.field), std::move(problem.values)});
  }
  return out;
}

}  // namespace isthmus::adapter::detail
