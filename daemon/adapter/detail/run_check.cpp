// Whose account a connection is, and what its server says of itself.
#include "adapter/detail/classify.h"
#include "adapter/detail/render.h"
#include "adapter/detail/run.h"
#include "adapter/detail/scopes.h"

namespace isthmus::adapter::detail {

Step stopped(Verdict verdict, std::string reason, std::int64_t not_before) {
  Outcome out;
  const bool later = verdict == Verdict::retry || verdict == Verdict::throttled || verdict == Verdict::reauth;
  out.verdict = later ? verdict : Verdict::misconfigured;  // a request that reads and is refused needs a person
  out.reason = std::move(reason);
  out.not_before_ms = not_before;
  return {Done(std::vector<Outcome>{std::move(out)}), {}};
}

namespace {

using expression::Value;

Step asked(Rendered rendered) {
  if (!rendered.request) return stopped(Verdict::misconfigured, "no request can be built: " + rendered.reason);
  return Step{*std::move(rendered.request), {}};
}

/// What the descriptor keeps of the reply; a value that is not there is left out, so that its default holds.
Step kept_facts(const Descriptor& descriptor, Reading& reading) {
  Value::Object facts;
  for (const auto& [name, plan] : descriptor.facts->take) {
    Built built = plan->build(reading.scope());
    if (built.status == Built::Status::failed) return stopped(Verdict::retry, "facts." + name + ": " + built.reason);
    if (built.status == Built::Status::value) facts.emplace_back(name, std::move(built.value));
  }
  std::string json = Value::object(std::move(facts)).to_json();
  if (json.size() > kFactsBytesMax) return stopped(Verdict::misconfigured, "the server's facts are over 4 KiB");
  return Step{Done(Report{std::move(json)}), {}};
}

}  // namespace

Result<Step> advance_check(const Descriptor& descriptor, const Context& context, const Check& task,
                           const Input& input) {
  const bool facts = task.what == kCheckFacts;
  if (facts ? !descriptor.facts : !descriptor.check) return Step{Done(Report{facts ? "{}" : "nothing to check"}), {}};
  Reading reading;
  reading.set_context(descriptor, context);
  if (const auto* reply = std::get_if<HttpReply>(&input)) {
    const bool readable = reading.set_reply(descriptor, *reply);
    const Fate fate = classify(descriptor, {nullptr, nullptr, "", true}, *reply, context.now_ms, reading.scope());
    if (fate.kind != Fate::Kind::success) return stopped(fate.verdict, fate.reason, fate.not_before_ms);
    if (!facts) return Step{Done(Report{text_of(descriptor.check->show, reading.scope())}), {}};
    return readable ? kept_facts(descriptor, reading) : stopped(Verdict::retry, "the reply cannot be read");
  }
  if (const auto* loss = std::get_if<Loss>(&input)) {
    const Fate fate = classify(descriptor, {nullptr, nullptr, "", true}, *loss, reading.scope());
    return stopped(fate.verdict, fate.reason);
  }
  return asked(render(facts ? descriptor.facts->request : descriptor.check->request, descriptor, reading.scope()));
}

}  // namespace isthmus::adapter::detail
