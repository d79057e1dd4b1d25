#include "policy/command.h"

#include <fmt/format.h>

#include "base/json.h"
#include "config/yaml.h"
#include "policy/detail/pack.h"
#include "policy/pack_set.h"

namespace isthmus::policy {

namespace {

void write(const Decision& decision, std::string& out) {
  JsonWriter json;
  json.begin_object()
      .member("effect", to_string(decision.effect))
      .member("rule", decision.rule)
      .member("pack", decision.pack);
  json.member("version", decision.pack_version);
  if (!decision.held_for.empty()) json.member("held_for", decision.held_for);
  if (decision.match) {
    json.key("match").begin_object().member("field", decision.match->field);
    json.member("begin", static_cast<std::int64_t>(decision.match->begin))
        .member("end", static_cast<std::int64_t>(decision.match->end));
    json.end_object();
  }
  json.key("reason")
      .begin_object()
      .member("en", decision.reason_en)
      .member("fr", decision.reason_fr)
      .end_object()
      .end_object();
  out += std::move(json).text() + "\n";
}

}  // namespace

int policy_test(const std::vector<std::filesystem::path>& paths, std::string& out) {
  Diagnostics diagnostics;
  const std::shared_ptr<const PackSet> set = PackSet::load(paths, diagnostics);
  out += diagnostics.to_string();
  if (set == nullptr) return 1;
  const PackSet::TestReport report = set->run_tests();
  for (const PackSet::TestReport::Failure& failure : report.failures) {
    out += fmt::format("{}: FAILED {}: {}: {}\n", failure.place, failure.pack, failure.test, failure.difference);
  }
  for (const std::string& rule : report.untested) out += fmt::format("note: no test expects {}\n", rule);
  for (const PackSet::PackInfo& pack : set->packs())
    out += fmt::format("{} version {}  {}\n", pack.name, pack.version, pack.file);
  out += fmt::format("{} tests, {} failed\n", report.run, report.failures.size());
  return report.run > 0 && report.failures.empty() ? 0 : 1;
}

int policy_decide(const std::filesystem::path& request, const std::vector<std::filesystem::path>& packs,
                  std::string& out) {
  Diagnostics diagnostics;
  const std::shared_ptr<const PackSet> set = PackSet::load(packs, diagnostics);
  detail::OwnedRequest owned;
  if (const std::optional<config::Node> node = config::read_yaml_file(request, diagnostics))
    owned = detail::read_request(*node, "", diagnostics);
  if (set == nullptr || diagnostics.has_errors()) {
    out += diagnostics.to_string();
    return 1;
  }
  const Decision decision = set->decide(owned.view());
  write(decision, out);
  switch (decision.effect) {
    case Effect::permit:
    case Effect::warn:
      return 0;
    case Effect::hold:
      return 2;
    case Effect::forbid:
      break;
  }
  return 3;
}

}  // namespace isthmus::policy
