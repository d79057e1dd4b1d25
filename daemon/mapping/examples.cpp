#include <fmt/format.h>

#include <algorithm>

#include "mapping/detail/difference.h"
#include "mapping/detail/plan.h"

namespace isthmus::mapping {
namespace {

using expression::Document;
using expression::Value;

std::string shown(const Value& value) { return value.is_null() ? std::string("nothing") : value.to_json(); }

void compare(const Value& expected, const Value& found, const std::string& path, std::string& out) {
  if (!expected.is_object() || !found.is_object()) {
    if (!(expected == found)) {
      out +=
          fmt::format("{}: expected {}, found {}\n", path.empty() ? "the body" : path, shown(expected), shown(found));
    }
    return;
  }
  const auto below = [&](std::string_view name) {
    return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
  };
  for (const auto& member : expected.members()) {
    compare(member.second, found.get(member.first), below(member.first), out);
  }
  const auto members = expected.members();
  for (const auto& member : found.members()) {
    const bool known =
        std::any_of(members.begin(), members.end(), [&](const auto& m) { return m.first == member.first; });
    if (!known) out += fmt::format("{}: expected nothing, found {}\n", below(member.first), shown(member.second));
  }
}

std::string_view name_of(Example::End end) {
  constexpr std::array<std::string_view, 4> names = {"a body", "held", "rejected", "denied"};
  return names[static_cast<std::size_t>(end)];
}

struct Ended {
  Example::End end;
  std::string field;
  std::string reason;
};

Ended ended(const MappingResult& result) {
  if (const auto* held = std::get_if<Held>(&result)) return {Example::End::held, held->field, held->reason};
  if (const auto* rejected = std::get_if<Rejected>(&result))
    return {Example::End::rejected, rejected->field, rejected->reason};
  if (const auto* denied = std::get_if<Denied>(&result)) return {Example::End::denied, denied->field, denied->reason};
  return {Example::End::gives, "", ""};
}

std::string listed(std::vector<std::string> names) {
  std::sort(names.begin(), names.end());
  return fmt::format("[{}]", fmt::join(names, ", "));
}

std::string judge_body(const Plan& plan, const Example& example, const Mapped& mapped) {
  const auto expected = Document::parse(example.gives);
  const auto found = Document::parse(mapped.body);
  if (!expected || !found) return "the body is not JSON\n";
  std::string out = difference(expected->root(), found->root());
  const std::string problem = plan.to->problem_with_body(found->root());
  if (!problem.empty()) out += problem + "\n";
  std::vector<std::string> dropped;
  for (const auto& field : mapped.dropped) dropped.push_back(field.field);
  if (listed(dropped) != listed(example.dropped)) {
    out += fmt::format("dropped: expected {}, found {}\n", listed(example.dropped), listed(dropped));
  }
  if (example.allowed && listed(*example.allowed) != listed(mapped.purposes.names())) {
    out += fmt::format("allowed: expected {}, found {}\n", listed(*example.allowed), listed(mapped.purposes.names()));
  }
  return out;
}

std::string judge(const Plan& plan, const Example& example, const MappingResult& result) {
  const Ended end = ended(result);
  if (end.end != example.end || end.field != example.field) {
    return fmt::format("expected {} {}, found {} {}: {}\n", name_of(example.end), example.field, name_of(end.end),
                       end.field, end.reason);
  }
  const auto* mapped = std::get_if<Mapped>(&result);
  return mapped == nullptr ? std::string() : judge_body(plan, example, *mapped);
}

}  // namespace

std::string difference(const Value& expected, const Value& found) {
  std::string out;
  compare(expected, found, "", out);
  return out;
}

Mapping::Report Mapping::run_examples() const {
  Report report;
  Workspace workspace;
  for (const Example& example : plan_->examples) {
    ++report.run;
    const auto connection = Document::parse(example.connection);
    expression::MapScope more;
    more.set("task", Value::object({{"now", Value::of(example.now_ms)}}));
    if (connection) more.set("connection", connection->root());
    std::string wrong = judge(*plan_, example, apply(workspace, example.given, example.terms, more));
    if (!wrong.empty()) report.failures.push_back(Report::Failure{example.name, example.line, std::move(wrong)});
  }
  return report;
}

}  // namespace isthmus::mapping
