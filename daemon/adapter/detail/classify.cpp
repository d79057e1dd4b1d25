#include "adapter/detail/classify.h"

#include <algorithm>

#include "adapter/detail/reply_time.h"
#include "adapter/detail/scopes.h"

namespace isthmus::adapter::detail {
namespace {

bool one_of(const std::vector<std::string>& list, std::string_view word) {
  return list.empty() || std::find(list.begin(), list.end(), word) != list.end();
}

Fate fate_of(const Rule& rule, const expression::Scope& scope) {
  Fate out;
  switch (rule.act) {
    case Rule::Act::verdict:
      out.kind = Fate::Kind::verdict;
      break;
    case Rule::Act::presence:
      out.kind = Fate::Kind::presence;
      break;
    case Rule::Act::go:
      out.kind = Fate::Kind::go;
      break;
    case Rule::Act::skip:
      out.kind = Fate::Kind::skip;
      break;
  }
  out.verdict = rule.verdict;
  out.presence = rule.presence;
  out.go = rule.go;
  out.reason = text_of(rule.reason, scope);
  out.remote_id = text_of(rule.remote_id, scope);
  out.remote_url = text_of(rule.remote_url, scope);
  if (rule.not_before) {
    const expression::Outcome at = rule.not_before->evaluate(scope);
    if (at.ok()) out.not_before_ms = std::max<std::int64_t>(0, instant_ms(at.value()).value_or(0));
  }
  return out;
}

/// "429 RateLimitExceeded: sentence", cut to what a person can read.
std::string sentence(const Descriptor& descriptor, std::int32_t status, const expression::Scope& scope) {
  std::string out = std::to_string(status);
  const std::string code = text_of(descriptor.code, scope);
  const std::string reason = text_of(descriptor.reason, scope);
  if (!code.empty()) out += " " + code;
  if (!reason.empty()) out += ": " + reason;
  constexpr std::size_t kReasonBytesMax = 300;
  if (out.size() <= kReasonBytesMax) return out;
  out.resize(kReasonBytesMax);
  while (!out.empty() && !is_utf8(out)) out.pop_back();
  return out;
}

const Rule* first_rule(const Descriptor& descriptor, const Asked& asked, std::int32_t status, std::string_view code,
                       const expression::Scope& scope) {
  for (const std::vector<Rule>* rules : {asked.rules, &descriptor.rules}) {
    if (rules == nullptr) continue;
    for (const Rule& rule : *rules) {
      if (holds(rule, status, code, asked.operation, scope)) return &rule;
    }
  }
  return nullptr;
}

}  // namespace

bool matches_status(const std::vector<std::string>& patterns, std::int32_t status) {
  if (patterns.empty()) return true;
  const std::string text = std::to_string(status);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    return pattern == text || (pattern.ends_with("xx") && text.size() == 3 && pattern[0] == text[0]);
  });
}

bool holds(const Rule& rule, std::int32_t status, std::string_view code, std::string_view operation,
           const expression::Scope& scope) {
  if (!rule.losses.empty()) return false;
  if (!matches_status(rule.statuses, status) || !one_of(rule.codes, code) || !one_of(rule.operations, operation))
    return false;
  return !rule.condition || rule.condition->test(scope) == expression::Expression::Truth::yes;
}

Verdict verdict_of_status(std::int32_t status, bool replay_safe) {
  switch (status) {
    case 401:
      return Verdict::reauth;
    case 403:
    case 404:
    case 405:
    case 407:
      return Verdict::misconfigured;
    case 408:
    case 423:
    case 425:
    case 503:
      return Verdict::retry;  // the server says that it did not act
    case 410:
      return Verdict::gone;
    case 429:
      return Verdict::throttled;
    default:
      break;
  }
  if (status >= 400 && status < 500) return Verdict::rejected;
  if (status >= 300 && status < 400) return Verdict::misconfigured;  // redirects are not followed
  return replay_safe ? Verdict::retry : Verdict::ambiguous;          // it may have acted before it failed
}

Fate classify(const Descriptor& descriptor, const Asked& asked, const HttpReply& reply, std::int64_t now_ms,
              const expression::Scope& scope) {
  const std::string code = text_of(descriptor.code, scope);
  Fate out;
  if (const Rule* rule = first_rule(descriptor, asked, reply.status, code, scope)) {
    out = fate_of(*rule, scope);
  } else {
    const bool wants_2xx = asked.ok == nullptr || asked.ok->empty();
    if (wants_2xx ? reply.status >= 200 && reply.status < 300 : matches_status(*asked.ok, reply.status)) return out;
    out.kind = Fate::Kind::verdict;
    out.verdict = verdict_of_status(reply.status, asked.replay_safe);
  }
  if (out.kind != Fate::Kind::verdict) return out;
  if (out.reason.empty()) out.reason = sentence(descriptor, reply.status, scope);
  const bool later = out.verdict == Verdict::throttled || out.verdict == Verdict::retry;
  if (later && out.not_before_ms == 0) {
    // The reset header stands on every reply; it holds a command back only when the limit was met.
    const LimitSpec none;
    const LimitSpec& limits = descriptor.description.limits;
    out.not_before_ms = not_before_ms(reply, out.verdict == Verdict::throttled ? limits : none, now_ms);
  }
  return out;
}

Fate classify(const Descriptor& descriptor, const Asked& asked, Loss loss, const expression::Scope& scope) {
  for (const std::vector<Rule>* rules : {asked.rules, &descriptor.rules}) {
    if (rules == nullptr) continue;
    for (const Rule& rule : *rules) {
      const bool about = std::find(rule.losses.begin(), rule.losses.end(), loss) != rule.losses.end();
      if (!about || !one_of(rule.operations, asked.operation)) continue;
      if (rule.condition && rule.condition->test(scope) != expression::Expression::Truth::yes) continue;
      return fate_of(rule, scope);
    }
  }
  Fate out;
  out.kind = Fate::Kind::verdict;
  out.reason = std::string("no reply: ") + std::string(to_string(loss));
  switch (loss) {
    case Loss::connect:
    case Loss::tls:
    case Loss::timeout_unsent:
      out.verdict = Verdict::retry;
      break;
    case Loss::refused_by_guard:
      out.verdict = Verdict::misconfigured;
      break;
    case Loss::timeout_sent:
    case Loss::reset_sent:
    case Loss::too_large:
      out.verdict = asked.replay_safe ? Verdict::retry : Verdict::ambiguous;
      break;
  }
  return out;
}

Fate classify_item(const std::vector<Rule>& rules, std::int32_t status, std::string_view code,
                   const expression::Scope& scope) {
  for (const Rule& rule : rules) {
    if (holds(rule, status, code, "", scope)) return fate_of(rule, scope);
  }
  Fate out;
  out.kind = Fate::Kind::verdict;
  out.verdict = Verdict::rejected;
  return out;
}

}  // namespace isthmus::adapter::detail
