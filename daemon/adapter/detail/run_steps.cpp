#include "adapter/detail/run_steps.h"

#include "adapter/detail/render.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Expression;
using expression::Outcome;
using expression::Value;

constexpr int kStepsPassedMax = 256;  // without a request: skipped steps and empty lists

}  // namespace

StepRun::StepRun(const Descriptor& descriptor, const std::vector<StepPlan>& steps,
                 const std::vector<std::pair<std::string, ValuePlan>>& let, std::string_view operation,
                 std::int64_t now_ms, Reading& reading, RunState state)
    : descriptor_(descriptor),
      steps_(steps),
      let_(let),
      operation_(operation),
      now_ms_(now_ms),
      reading_(reading),
      state_(std::move(state)) {}

void StepRun::publish() {
  reading_.scope().set("taken", Value::object(state_.taken));
  reading_.set_let(let_);
}

StepRun::Move StepRun::advance(const Input& input) {
  publish();
  if (state_.step >= steps_.size()) return Finished{};
  bind_item(step());
  if (const auto* reply = std::get_if<HttpReply>(&input)) return on_reply(*reply);
  if (const auto* loss = std::get_if<Loss>(&input)) {
    reading_.set_failure(*loss);
    const bool safe = state_.polling || step().request->replay_safe;
    return on_fate(classify(descriptor_, {&step().rules, &step().ok, operation_, safe}, *loss, reading_.scope()));
  }
  if (std::holds_alternative<Waited>(input)) return ask();
  return enter();
}

StepRun::Move StepRun::on_reply(const HttpReply& reply) {
  const bool readable = reading_.set_reply(descriptor_, reply);
  publish();  // let may read nothing of the reply, but keeps what was there
  const bool safe = state_.polling || step().request->replay_safe;
  const std::vector<std::string>* ok = state_.polling ? nullptr : &step().ok;
  const Fate fate = classify(descriptor_, {&step().rules, ok, operation_, safe}, reply, now_ms_, reading_.scope());
  if (fate.kind != Fate::Kind::success) return on_fate(fate);
  if (state_.polling) return on_poll(reply, readable);
  std::string reason;
  if (!take_from_reply(step().take, step().each.has_value(), reason)) {
    return unreadable(readable ? reason : "the reply is no JSON");
  }
  publish();
  if (step().poll && (!step().poll->start || step().poll->start->test(reading_.scope()) == Expression::Truth::yes)) {
    state_.polling = true;
    state_.polls = 0;
    return Wait{step().poll->every_ms, "being processed"};
  }
  return next();
}

StepRun::Move StepRun::on_poll(const HttpReply&, bool readable) {
  const Poll& poll = *step().poll;
  if (poll.pending->test(reading_.scope()) == Expression::Truth::yes) {
    if (++state_.polls < poll.times_max) return Wait{poll.every_ms, "being processed"};
    Fate fate;
    fate.kind = Fate::Kind::verdict;
    fate.verdict = Verdict::retry;
    fate.reason = "still being processed after " + std::to_string(poll.times_max) + " looks";
    return fate;
  }
  std::string reason;
  if (!take_from_reply(poll.take, step().each.has_value(), reason)) {
    return unreadable(readable ? reason : "the reply is no JSON");
  }
  publish();
  return next();
}

StepRun::Move StepRun::on_fate(const Fate& fate) {
  if (fate.kind == Fate::Kind::skip) return next();
  if (fate.kind != Fate::Kind::go) return fate;
  for (std::size_t i = 0; i < steps_.size(); ++i) {
    if (steps_[i].name != fate.go) continue;
    state_.step = i;
    state_.item = 0;
    state_.polling = false;
    return enter();
  }
  return Unbuildable{"no step " + fate.go};  // the loader refuses this
}

StepRun::Move StepRun::next() {
  state_.polling = false;
  state_.polls = 0;
  if (step().each) {
    ++state_.item;
  } else {
    ++state_.step;
    state_.item = 0;
  }
  return enter();
}

bool StepRun::bind_item(const StepPlan& step) {
  if (!step.each) return true;
  const Outcome list = step.each->evaluate(reading_.scope());
  if (!list.ok() || state_.item >= list.value().size()) return false;
  reading_.scope().set(step.as, list.value().at(static_cast<std::int64_t>(state_.item)));
  return true;
}

StepRun::Move StepRun::enter() {
  for (int passed = 0; passed < kStepsPassedMax; ++passed) {
    if (state_.step >= steps_.size()) return Finished{};
    if (!bind_item(step())) {
      ++state_.step;
      state_.item = 0;
      continue;
    }
    if (!step().condition) return ask();
    switch (step().condition->test(reading_.scope())) {
      case Expression::Truth::yes:
        return ask();
      case Expression::Truth::failed:
        return Unbuildable{"the condition of a step could not be decided"};
      case Expression::Truth::no:
        break;
    }
    step().each ? ++state_.item : (state_.item = 0, ++state_.step);
  }
  return Unbuildable{"too many steps without a request"};
}

StepRun::Move StepRun::ask() {
  const RequestPlan& plan = state_.polling ? step().poll->request : *step().request;
  Rendered rendered = render(plan, descriptor_, reading_.scope());
  if (!rendered.request) return Unbuildable{rendered.reason};
  return *std::move(rendered.request);
}

StepRun::Move StepRun::unreadable(const std::string& reason) const {
  Fate fate;
  fate.kind = Fate::Kind::verdict;
  const bool safe = state_.polling || step().request->replay_safe;
  fate.verdict = safe ? Verdict::retry : Verdict::ambiguous;
  fate.reason = "accepted, but the reply cannot be read: " + reason;
  return fate;
}

bool StepRun::take_from_reply(const std::vector<std::pair<std::string, ValuePlan>>& take, bool append,
                              std::string& reason) {
  for (const auto& [name, plan] : take) {
    Built built = plan->build(reading_.scope());
    if (built.status == Built::Status::failed) {
      reason = name + ": " + built.reason;
      return false;
    }
    if (built.status == Built::Status::value) state_.take(name, std::move(built.value), append);
  }
  return true;
}

}  // namespace isthmus::adapter::detail
