// The battery: what every adapter must stand, whatever its network answers. Each adapter's own golden requests are
// played up to each exchange, and there the network misbehaves in one way after another. Whatever comes, the answer is
// a move or a typed error, the same twice, within the state's size, and never a request to a host that was not named.
#include <gtest/gtest.h>

#include <filesystem>

#include "adapter/descriptor_adapter.h"
#include "adapter/detail/golden_case.h"
#include "adapter/golden.h"
#include "adapter/hosts.h"
#include "adapter/registry.h"

namespace isthmus::adapter {
namespace {

const std::filesystem::path kAdapters = std::filesystem::path(ISTHMUS_SOURCE_DIR) / "adapters";

std::vector<Input> strange_answers(const HttpReply& good) {
  std::vector<Input> out;
  const auto reply = [&](std::int32_t status, std::vector<Header> headers, Bytes body) {
    out.emplace_back(HttpReply{status, std::move(headers), std::move(body)});
  };
  for (const char* body :
       {"", "{", "[", "null", "0", "\"text\"", "[]", "{}", "<html>no</html>", "\xff\xfe", "{\"a\":1}{", "[[[[[[[[[["})
    reply(200, {}, body);
  for (std::size_t cut = 0; cut < good.body.size(); cut += 1 + good.body.size() / 40)
    reply(good.status, good.headers, good.body.substr(0, cut));
  reply(200, {}, std::string(200, '[') + std::string(200, ']'));
  reply(200, {}, "{\"error\":\"" + std::string(1 << 20, 'x') + "\"}");
  for (const char* after : {"soon", "-1", "99999999999999999999", "Fri, 31 Dec 9999 23:59:59 GMT",
                            "Thu, 01 Jan 1970 00:00:00 GMT", "1e3", "", "120"}) {
    reply(429, {{"Retry-After", after}}, "");
    reply(429, {{"X-RateLimit-Reset", after}, {"RateLimit-Reset", after}, {"x-rate-limit-reset", after}}, "{}");
  }
  for (std::int32_t status :
       {204, 301, 304, 400, 401, 403, 404, 408, 409, 410, 413, 418, 422, 500, 502, 503, 504, 599}) {
    reply(status, {}, "");
    reply(status, {{"Location", "http://169.254.169.254/"}}, R"({"error":"x","message":"y"})");
  }
  reply(200, {}, R"({"error":{"code":"x","message":"inside a 200"}})");
  reply(200, {}, R"({"error":["UserError",["no","",null]]})");
  reply(200, {{"Link", "<http://169.254.169.254/>; rel=\"next\", <http://169.254.169.254/>; rel=\"prev\""}}, good.body);
  reply(good.status, good.headers, good.body);
  reply(good.status, good.headers, good.body);
  for (int loss = 1; loss <= 7; ++loss) out.emplace_back(static_cast<Loss>(loss));
  out.emplace_back(Waited{});
  out.emplace_back(First{});
  return out;
}

std::string shape(const Result<Step>& step) {
  if (!step) return step.error().code + step.error().what;
  std::string out = step->state + std::to_string(step->move.index());
  if (const auto* request = std::get_if<HttpRequest>(&step->move)) out += request->method + request->url;
  if (const auto* done = std::get_if<Done>(&step->move)) {
    if (const auto* outcomes = std::get_if<std::vector<Outcome>>(done)) {
      for (const Outcome& outcome : *outcomes) {
        out += std::string(to_string(outcome.verdict)) + outcome.command_id + outcome.reason +
               std::to_string(outcome.not_before_ms);
      }
    }
    if (const auto* page = std::get_if<Page>(done)) out += page->next_cursor;
  }
  return out;
}

Task task_of(const detail::GoldenCase& golden) {
  using Kind = detail::GoldenCase::Kind;
  if (golden.kind == Kind::collect) return golden.collect;
  if (golden.kind == Kind::reconcile) return Reconcile{golden.commands.front(), golden.sent_after_ms};
  if (golden.kind == Kind::check) return Check{};
  return Deliver{golden.commands};
}

/// Judges one step: what every answer must be.
void judge(const Adapter& adapter, const detail::GoldenCase& golden, const Task& task, const Bytes& state,
           const Input& input) {
  const Result<Step> step = adapter.advance(golden.context, task, state, input);
  EXPECT_EQ(shape(step), shape(adapter.advance(golden.context, task, state, input))) << golden.name;
  if (!step) {
    EXPECT_TRUE(step.error().code == "adapter.poison" || step.error().code == "adapter.fault") << step.error().code;
    return;
  }
  EXPECT_LE(step->state.size(), kStateBytesMax) << golden.name;
  if (const auto* request = std::get_if<HttpRequest>(&step->move)) {
    EXPECT_TRUE(host_allowed(request->url, adapter.hosts(golden.context))) << request->url;
  }
  const auto* done = std::get_if<Done>(&step->move);
  const auto* outcomes = done == nullptr ? nullptr : std::get_if<std::vector<Outcome>>(done);
  if (outcomes == nullptr) return;
  if (std::holds_alternative<Deliver>(task)) {
    EXPECT_EQ(outcomes->size(), golden.commands.size()) << golden.name;
  }
  for (const Outcome& outcome : *outcomes) {
    EXPECT_LE(outcome.reason.size(), 400u) << golden.name;
    if (outcome.not_before_ms != 0) {
      EXPECT_GE(outcome.not_before_ms, golden.context.now_ms);
    }
  }
}

/// Plays the example as written; before each written answer, every strange one is tried on the same state.
void play_strangely(const Adapter& adapter, const detail::GoldenCase& golden) {
  const Task task = task_of(golden);
  Bytes state;
  Input input = First{};
  std::size_t at = 0;
  for (int move = 0; move < kMovesMax && at <= golden.exchange.size(); ++move) {
    const Result<Step> step = adapter.advance(golden.context, task, state, input);
    if (!step || std::holds_alternative<Done>(step->move)) return;
    state = step->state;
    if (std::holds_alternative<Wait>(step->move)) {
      input = Waited{};
      continue;
    }
    if (at == golden.exchange.size()) return;
    const auto& answer = golden.exchange[at++].reply;
    const auto* reply = std::get_if<HttpReply>(&answer);
    for (const Input& strange : strange_answers(reply == nullptr ? HttpReply{200, {}, "{}"} : *reply))
      judge(adapter, golden, task, state, strange);
    if (reply == nullptr) return;
    input = *reply;
  }
}

void parse_strangely(const Adapter& adapter, const detail::GoldenCase& golden, const Call& good) {
  std::vector<Bytes> bodies;
  for (const Input& input : strange_answers({200, {}, good.body})) {
    if (const auto* reply = std::get_if<HttpReply>(&input)) bodies.push_back(reply->body);
  }
  for (const Bytes& body : bodies) {
    Call call = good;
    call.body = body;
    const Result<std::vector<Event>> events = adapter.parse(golden.context, call);
    const Result<std::vector<Event>> again = adapter.parse(golden.context, call);
    ASSERT_EQ(events.has_value(), again.has_value());
    if (!events) {
      EXPECT_EQ(events.error().code, "adapter.poison");
    } else {
      EXPECT_EQ(events->size(), again->size());
    }
  }
}

class Battery : public testing::TestWithParam<std::string> {};

TEST_P(Battery, StandsWhateverItsNetworkAnswers) {
  Diagnostics diagnostics;
  const auto adapter = load_descriptor(kAdapters / GetParam() / "descriptor.yaml", diagnostics);
  ASSERT_TRUE(adapter) << diagnostics.to_string();
  int played = 0;
  for (const auto& path : detail::golden_files(kAdapters / GetParam() / "golden")) {
    const auto file = detail::read_golden(path, *adapter, diagnostics);
    ASSERT_TRUE(file) << diagnostics.to_string();
    for (const detail::GoldenCase& golden : file->cases) {
      using Kind = detail::GoldenCase::Kind;
      const bool task = golden.kind == Kind::deliver || golden.kind == Kind::collect ||
                        golden.kind == Kind::reconcile || golden.kind == Kind::check;
      if (task) play_strangely(*adapter, golden), ++played;
      if (golden.kind == Kind::webhook) parse_strangely(*adapter, golden, golden.call), ++played;
      if (golden.kind == Kind::collect && !golden.exchange.empty()) {
        if (const auto* reply = std::get_if<HttpReply>(&golden.exchange.front().reply)) {
          Call call;
          call.kind = "poll";
          call.stream = golden.collect.stream;
          call.status = 200;
          call.body = reply->body;
          call.received_ms = golden.context.now_ms;
          parse_strangely(*adapter, golden, call);
        }
      }
    }
  }
  EXPECT_GT(played, 0);
}

std::vector<std::string> systems() {
  const std::vector<std::filesystem::path> roots{kAdapters};
  std::vector<std::string> out;
  for (const auto& folder : system_folders(roots)) out.push_back(folder.filename().string());
  return out;
}

INSTANTIATE_TEST_SUITE_P(Adapters, Battery, testing::ValuesIn(systems()), [](const auto& one) { return one.param; });

}  // namespace
}  // namespace isthmus::adapter
