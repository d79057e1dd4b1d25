#pragma once

#include <set>
#include <sstream>
#include <string>

#include "adapter/contract.h"
#include "base/guarded.h"

namespace isthmus::test {

/// An adapter of a network that tests script: what became of a command is told by the status of its reply, and events
/// are lines of text.
///
/// Operations: "post", "reply" (reconcilable, not idempotent), "upsert" (may be repeated for ever, needs the purpose
/// crm), "blind" (neither repeatable nor reconcilable), "track" (analytics). Replies: 200 delivered (the body is the
/// remote id), 208 duplicate, 429 throttled (header Retry-After: seconds), 401 reauth, 403 misconfigured, 410 gone, 422
/// rejected, else retry. A lost reply after the request is AMBIGUOUS. Reconcile: GET of the command; 200 found, 404
/// absent, 300 unknown.
class FakeAdapter final : public adapter::Adapter {
 public:
  FakeAdapter() {
    using adapter::Verb;
    description_.name = "fake";
    description_.version = "1";
    description_.kind = "social";
    description_.sha256 = Bytes(32, 'f');
    description_.settling_ms = 2000;
    description_.operations = {{"post", Verb::publish, "post/1", "", false, 0, true, 1},
                               {"reply", Verb::reply, "post/1", "", false, 0, true, 1},
                               {"upsert", Verb::upsert, "lead/1", "crm", true, 0, false, 1},
                               {"blind", Verb::call, "metric/1", "", false, 0, false, 1},
                               {"track", Verb::track, "metric/1", "analytics", false, 0, false, 1}};
    for (adapter::OperationSpec& operation : description_.operations) operation.timeout_ms = kTimeoutMs;
  }

  static constexpr std::int32_t kTimeoutMs = 400;

  /// Before it is used: limits of the network. A request of an operation that has a bucket of its name counts against
  /// it.
  void limit(adapter::LimitSpec limits) { description_.limits = std::move(limits); }
  [[nodiscard]] const adapter::Description& describe() const override { return description_; }

  /// From now on advance() fails with this code; "": it works again.
  void fail_with(std::string code) {
    failing_.with([&](std::string& now) { now = std::move(code); });
  }

  [[nodiscard]] Result<adapter::Step> advance(const adapter::Context& context, const adapter::Task& task, const Bytes&,
                                              const adapter::Input& input) const override {
    if (const std::string code = failing_.with([](const std::string& c) { return c; }); !code.empty())
      return fail(code, "the test says so");
    if (const auto* deliver = std::get_if<adapter::Deliver>(&task))
      return send(context, deliver->commands.front(), input);
    if (const auto* look = std::get_if<adapter::Reconcile>(&task)) return reconcile(context, look->command, input);
    return adapter::Step{adapter::Done(adapter::Page{}), {}};
  }

  /// A line an event: dedup key, kind, order key, milliseconds, format, purposes with commas between, body; tabs
  /// between.
  [[nodiscard]] Result<std::vector<adapter::Event>> parse(const adapter::Context&,
                                                          const adapter::Call& call) const override {
    if (call.body.starts_with("poison")) return fail("adapter.poison", "this call can never be read");
    std::vector<adapter::Event> events;
    std::istringstream lines(call.body);
    for (std::string line; std::getline(lines, line);) {
      std::istringstream columns(line);
      adapter::Event event;
      std::string at, purposes;
      std::getline(columns, event.dedup_key, '\t');
      std::getline(columns, event.kind, '\t');
      std::getline(columns, event.order_key, '\t');
      std::getline(columns, at, '\t');
      std::getline(columns, event.format, '\t');
      std::getline(columns, purposes, '\t');
      std::getline(columns, event.body);
      event.occurred_ms = std::stoll(at);
      std::istringstream words(purposes);
      for (std::string word; std::getline(words, word, ',');) event.purposes.push_back(word);
      events.push_back(std::move(event));
    }
    return events;
  }

  [[nodiscard]] Result<adapter::Answer> challenge(const adapter::Context&, const adapter::Call&) const override {
    return adapter::Answer{};
  }
  [[nodiscard]] Result<std::vector<adapter::Problem>> validate(const adapter::Context&,
                                                               const adapter::Command& command) const override {
    if (command.body.find("too long") == std::string::npos) return std::vector<adapter::Problem>();
    return std::vector<adapter::Problem>{{"text.too-long", "text", {{"max", "300"}}}};
  }
  [[nodiscard]] std::vector<std::string> hosts(const adapter::Context& context) const override {
    return {context.connection.at("base")};
  }

 private:
  [[nodiscard]] adapter::HttpRequest request(const adapter::Context& context, const std::string& method,
                                             const adapter::Command& command) const {
    adapter::HttpRequest out;
    out.method = method;
    out.url = context.connection.at("base") + "/commands/" + command.id;
    if (method == "POST") out.body = Bytes(command.body);
    out.timeout_ms = kTimeoutMs;
    for (const adapter::BucketSpec& bucket : description_.limits.buckets) {
      if (bucket.name == command.operation) out.bucket = bucket.name;
    }
    return out;
  }

  [[nodiscard]] Result<adapter::Step> send(const adapter::Context& context, const adapter::Command& command,
                                           const adapter::Input& input) const {
    if (std::holds_alternative<adapter::First>(input)) return adapter::Step{request(context, "POST", command), {}};
    adapter::Outcome outcome;
    outcome.command_id = command.id;
    if (const auto* loss = std::get_if<adapter::Loss>(&input)) {
      const bool sent = *loss == adapter::Loss::timeout_sent || *loss == adapter::Loss::reset_sent;
      outcome.verdict = sent ? adapter::Verdict::ambiguous : adapter::Verdict::retry;
      outcome.reason = "no reply";
    } else {
      judge(context, std::get<adapter::HttpReply>(input), outcome);
    }
    return adapter::Step{adapter::Done(std::vector<adapter::Outcome>{outcome}), {}};
  }

  static void judge(const adapter::Context& context, const adapter::HttpReply& reply, adapter::Outcome& outcome) {
    using adapter::Verdict;
    outcome.reason = "status " + std::to_string(reply.status);
    switch (reply.status) {
      case 200:
        outcome.verdict = Verdict::delivered;
        outcome.remote_id = reply.body;
        break;
      case 208:
        outcome.verdict = Verdict::duplicate;
        outcome.remote_id = reply.body;
        break;
      case 401:
        outcome.verdict = Verdict::reauth;
        break;
      case 403:
        outcome.verdict = Verdict::misconfigured;
        break;
      case 410:
        outcome.verdict = Verdict::gone;
        break;
      case 422:
        outcome.verdict = Verdict::rejected;
        break;
      case 429:
        outcome.verdict = Verdict::throttled;
        break;
      default:
        outcome.verdict = Verdict::retry;
    }
    for (const adapter::Header& header : reply.headers) {
      if (header.name == "Retry-After") outcome.not_before_ms = context.now_ms + 1000 * std::stoll(header.value);
    }
  }

  [[nodiscard]] Result<adapter::Step> reconcile(const adapter::Context& context, const adapter::Command& command,
                                                const adapter::Input& input) const {
    if (std::holds_alternative<adapter::First>(input)) return adapter::Step{request(context, "GET", command), {}};
    const auto* reply = std::get_if<adapter::HttpReply>(&input);
    if (reply != nullptr && (reply->status == 200 || reply->status == 404 || reply->status == 300)) {
      const auto presence = reply->status == 200   ? adapter::Presence::found
                            : reply->status == 404 ? adapter::Presence::absent
                                                   : adapter::Presence::unknown;
      return adapter::Step{adapter::Done(adapter::Sighting{presence, reply->status == 200 ? reply->body : "", ""}), {}};
    }
    adapter::Outcome outcome;
    outcome.command_id = command.id;
    if (reply != nullptr) {
      judge(context, *reply, outcome);
    } else {
      outcome.reason = "no reply";
    }
    return adapter::Step{adapter::Done(std::vector<adapter::Outcome>{outcome}), {}};
  }

  adapter::Description description_;
  Guarded<std::string> failing_;
};

}  // namespace isthmus::test
