#include <algorithm>

#include "adapter/detail/classify.h"
#include "adapter/detail/cursor.h"
#include "adapter/detail/render.h"
#include "adapter/detail/reply_time.h"
#include "adapter/detail/run.h"
#include "adapter/detail/scopes.h"
#include "adapter/hosts.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Value;

/// The target of rel=... in Link headers (RFC 8288 3).
std::string link_target(const std::vector<Header>& headers, std::string_view rel) {
  for (const Header& header : headers) {
    if (!header_of({header}, "Link")) continue;
    std::string_view rest = header.value;
    while (!rest.empty()) {
      const std::size_t open = rest.find('<');
      const std::size_t close = open == std::string_view::npos ? open : rest.find('>', open);
      if (close == std::string_view::npos) break;
      const std::string_view target = rest.substr(open + 1, close - open - 1);
      const std::size_t next = rest.find('<', close);
      const std::string_view parameters = rest.substr(close, next == std::string_view::npos ? next : next - close);
      for (const std::string& form : {"rel=\"" + std::string(rel) + "\"", "rel=" + std::string(rel)}) {
        if (parameters.find(form) != std::string_view::npos) return std::string(target);
      }
      if (next == std::string_view::npos) break;
      rest = rest.substr(next);
    }
  }
  return {};
}

Value cursor_value(const StreamPlan& stream, const Cursor& cursor, const expression::Scope& scope) {
  Value::Object out;
  if (cursor.mark) {
    out.emplace_back("mark", *cursor.mark);
  } else if (const std::string start = text_of(stream.start, scope); !start.empty()) {
    out.emplace_back("mark", Value::text(start));
  }
  if (!cursor.page.empty()) out.emplace_back("page", Value::text(cursor.page));
  if (!cursor.keep.empty()) out.emplace_back("keep", Value::object(cursor.keep));
  return Value::object(std::move(out));
}

/// The request of the page at which the cursor stands.
Rendered page_request(const Descriptor& descriptor, const StreamPlan& stream, const Cursor& cursor, Reading& reading) {
  Rendered out = render(stream.request, descriptor, reading.scope());
  if (!out.request || !stream.next_is_url || cursor.page.empty()) return out;
  out.request->url = cursor.page;  // carries its own query
  return out;
}

std::string next_page(const StreamPlan& stream, const HttpReply& reply, const std::string& asked_url,
                      Reading& reading) {
  std::string next;
  if (stream.paging == StreamPlan::Paging::link) next = link_target(reply.headers, stream.rel);
  if (stream.paging == StreamPlan::Paging::token) next = text_of(stream.next, reading.scope());
  if (next.empty() || !stream.next_is_url) return next;
  return resolve_url(asked_url, next).value_or("invalid:" + next);
}

struct Marks {
  std::optional<Value> newest;
  bool reached_old = false;  ///< some record is not newer than the mark
};

Marks marks_of(const StreamPlan& stream, const Value& records, const Cursor& cursor, Reading& reading) {
  Marks out;
  if (stream.mark_of_page) {
    const expression::Outcome mark = stream.mark_of_page->evaluate(reading.scope());
    if (mark.ok() && !mark.value().is_null()) out.newest = mark.value().owned();
  }
  if (!stream.mark) return out;
  for (const Value& record : records.items()) {
    expression::MapScope scope(&reading.scope());
    scope.set("record", record);
    const expression::Outcome mark = stream.mark->evaluate(scope);
    if (!mark.ok() || mark.value().is_null()) continue;
    if (!stream.mark_of_page && (!out.newest || mark_less(*out.newest, mark.value(), stream.mark_is_number))) {
      out.newest = mark.value().owned();
    }
    if (cursor.mark && !mark_less(*cursor.mark, mark.value(), stream.mark_is_number)) out.reached_old = true;
  }
  return out;
}

void raise(std::optional<Value>& to, const std::optional<Value>& by, bool as_number) {
  if (by && (!to || mark_less(*to, *by, as_number))) to = by;
}

/// What the cursor becomes after a page, and whether more of this run is there.
Page after_page(const StreamPlan& stream, Cursor cursor, const Marks& marks, std::string next, bool empty) {
  const bool first_run = !cursor.mark;
  ++cursor.pages;
  // A network that gives the same page again would be asked for ever: the run ends, the next one starts from the mark.
  const bool repeated = !next.empty() && (next == cursor.page || next == cursor.page_before);
  const bool newest_first = stream.order == StreamPlan::Order::newest_first;
  const int pages_max = first_run && newest_first ? stream.first_pages_max : stream.pages_max;
  const bool more =
      !next.empty() && !repeated && !empty && cursor.pages < pages_max && !(newest_first && marks.reached_old);
  raise(cursor.top, marks.newest, stream.mark_is_number);
  if (!newest_first || !more) raise(cursor.mark, cursor.top, stream.mark_is_number);
  if (more) {
    cursor.page_before = cursor.page;
    cursor.page = std::move(next);
  } else {
    cursor.top.reset();
    cursor.page.clear();
    cursor.page_before.clear();
    cursor.pages = 0;
  }
  return {cursor.to_bytes(), more};
}

Result<Step> on_page(const Descriptor& descriptor, const Context& context, const StreamPlan& stream, Cursor cursor,
                     const HttpReply& reply, Reading& reading) {
  const Rendered asked = page_request(descriptor, stream, cursor, reading);
  const bool readable = reading.set_reply(descriptor, reply, stream.decode);
  const Fate fate = classify(descriptor, {&stream.rules, &stream.ok, "", true}, reply, context.now_ms, reading.scope());
  if (fate.kind == Fate::Kind::verdict) return stopped(fate.verdict, fate.reason, fate.not_before_ms);
  if (!readable && reply.status != 304) return stopped(Verdict::retry, "the reply cannot be read");
  Value records;
  if (stream.records) {
    const expression::Outcome outcome = stream.records->evaluate(reading.scope());
    if (outcome.status() != expression::Outcome::Status::ok) {
      return stopped(Verdict::retry, "the reply has no records: " + std::string(outcome.reason()));
    }
    records = outcome.value();
  }
  std::string next = next_page(stream, reply, asked.request ? asked.request->url : "", reading);
  if (stream.next_is_url && !next.empty()) {
    const std::vector<std::string> hosts = hosts_of(descriptor, context);
    if (!host_allowed(next, hosts))
      return stopped(Verdict::misconfigured, "the next page is at " +
                                                 origin_of(next).value_or("what is no web address") +
                                                 ", which is none of this system's hosts");
  }
  for (const auto& [name, value] : stream.keep) {
    const expression::Outcome kept = value.evaluate(reading.scope());
    if (!kept.ok() || kept.value().is_null()) continue;
    std::erase_if(cursor.keep, [&key = name](const auto& member) { return member.first == key; });
    cursor.keep.emplace_back(name, kept.value().owned());
  }
  const Marks marks = marks_of(stream, records, cursor, reading);
  return Step{Done(after_page(stream, std::move(cursor), marks, std::move(next), records.size() == 0)), {}};
}

}  // namespace

Result<Step> advance_collect(const Descriptor& descriptor, const Context& context, const Collect& task,
                             const Input& input) {
  const auto found = descriptor.streams.find(task.stream);
  if (found == descriptor.streams.end()) {
    return fail("adapter.fault", descriptor.description.name + " has no stream " + task.stream);
  }
  const StreamPlan& stream = found->second;
  Result<Cursor> cursor = Cursor::from_bytes(task.cursor);
  if (!cursor) return fail(std::move(cursor).error());
  Reading reading;
  reading.set_context(descriptor, context);
  reading.scope().set("limit", Value::of(static_cast<std::int64_t>(task.limit)));
  reading.scope().set("cursor", cursor_value(stream, *cursor, reading.scope()));
  if (const auto* reply = std::get_if<HttpReply>(&input)) {
    return on_page(descriptor, context, stream, *std::move(cursor), *reply, reading);
  }
  if (const auto* loss = std::get_if<Loss>(&input)) {
    reading.set_failure(*loss);
    const Fate fate = classify(descriptor, {&stream.rules, &stream.ok, "", true}, *loss, reading.scope());
    return stopped(fate.verdict, fate.reason);
  }
  Rendered rendered = page_request(descriptor, stream, *cursor, reading);
  if (!rendered.request) return stopped(Verdict::misconfigured, "no request can be built: " + rendered.reason);
  return Step{*std::move(rendered.request), {}};
}

}  // namespace isthmus::adapter::detail
