// What a server of the AT Protocol may answer: notifications become sound activities or poison, a run over pages ends
// whatever the pages say, and a session's reply never gives an empty token.

#include <cstdint>
#include <string_view>

#include "adapter_case.h"

namespace {

using namespace isthmus;

adapter::Context acme() {
  adapter::Context context;
  context.now_ms = fuzz::kNowMs;
  context.connection = {{"service", "https://pds.example"}, {"handle", "acme.example"}};
  context.auth = {{"did", "did:plc:acme"}};
  return context;
}

/// The same answer again and again is what a broken network gives: the run must end by itself.
void collect_for_ever(const adapter::Adapter& bluesky, const adapter::Context& context, std::string_view body) {
  adapter::Collect task{"notifications", {}, 50};
  for (int page = 0; page < 3; ++page) {  // the second sight of a page is noticed
    const Result<adapter::Step> step =
        bluesky.advance(context, task, {}, adapter::HttpReply{200, {}, std::string(body)});
    ISTHMUS_CHECK(step.has_value(), "a reply is judged");
    const auto* done = std::get_if<adapter::Done>(&step->move);
    ISTHMUS_CHECK(done != nullptr, "a page ends a task of collecting");
    const auto* next = std::get_if<adapter::Page>(done);
    if (next == nullptr || !next->more) return;
    task.cursor = next->next_cursor;
  }
  ISTHMUS_CHECK(false, "a network that repeats itself is not asked for ever");
}

void log_in(const adapter::Adapter& bluesky, const adapter::Context& context, std::string_view body) {
  adapter::Session before;
  before.tokens.emplace("refresh", Secret("r1"));
  const adapter::Login login =
      bluesky.authenticator()->parse_login(context, adapter::HttpReply{200, {}, std::string(body)}, before);
  for (const auto& [name, token] : login.session.tokens) {
    ISTHMUS_CHECK(!token.reveal().empty(), "no empty token replaces one");
  }
  ISTHMUS_CHECK(login.session.expires_ms >= 0, "an expiry is an instant or none");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const auto bluesky = fuzz::shipped("bluesky");
  static const adapter::Context context = acme();
  const std::string_view body(reinterpret_cast<const char*>(data), size);
  fuzz::check_parse(*bluesky, context, fuzz::polled("notifications", body));
  collect_for_ever(*bluesky, context, body);
  log_in(*bluesky, context, body);
  return 0;
}
