// Activities from the servers of the fediverse and from feeds, and an activity on its way out: any bytes become sound
// activities or poison, and what leaves is one JSON document or a refusal of that command alone.

#include <cstdint>
#include <string_view>

#include "adapter_case.h"

namespace {

using namespace isthmus;

adapter::Context at(adapter::Attrs connection) {
  adapter::Context context;
  context.now_ms = fuzz::kNowMs;
  context.connection = std::move(connection);
  return context;
}

void send_out(const adapter::Adapter& webhook, const adapter::Context& context, std::string_view body) {
  adapter::Command command;
  command.id = "5b2c9a3e-0000-8000-8000-000000000001";
  command.verb = adapter::Verb::call;
  command.operation = "send_activity";
  command.format = "activity/1";
  command.body = std::string(body);
  const Result<adapter::Step> step = webhook.advance(context, adapter::Deliver{{command}}, {}, adapter::First{});
  ISTHMUS_CHECK(step.has_value(), "a command is answered");
  if (const auto* request = std::get_if<adapter::HttpRequest>(&step->move)) {
    ISTHMUS_CHECK(expression::Document::parse(std::get<Bytes>(request->body)).has_value(), "what leaves is JSON");
    return;
  }
  const auto* done = std::get_if<adapter::Done>(&step->move);
  const auto* outcomes = done == nullptr ? nullptr : std::get_if<std::vector<adapter::Outcome>>(done);
  ISTHMUS_CHECK(outcomes != nullptr && outcomes->size() == 1, "a refusal names its command");
  ISTHMUS_CHECK(outcomes->front().verdict == adapter::Verdict::rejected, "what cannot be built is refused for good");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto mastodon = fuzz::shipped("mastodon");
  static const auto rss = fuzz::shipped("rss");
  static const auto webhook = fuzz::shipped("webhook");
  static const adapter::Context server = at({{"instance", "https://social.example"}, {"account", "acme"}});
  static const adapter::Context feed = at({{"url", "https://www.acme.example/feed.xml"}});
  static const adapter::Context receiver = at({{"url", "https://receiver.example/hook"}});
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  fuzz::check_parse(*mastodon, server, fuzz::polled("notifications", body));
  fuzz::check_parse(*mastodon, server, fuzz::delivered(body));
  fuzz::check_parse(*rss, feed, fuzz::polled("feed", body));
  send_out(*webhook, receiver, body);
  return 0;
}
