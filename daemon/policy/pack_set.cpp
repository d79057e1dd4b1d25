#include "policy/pack_set.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <system_error>

#include "policy/detail/evaluation.h"
#include "policy/detail/matcher.h"
#include "policy/detail/pack.h"

namespace isthmus::policy {

namespace {

namespace fs = std::filesystem;
using detail::Pack;
using Packs = std::vector<std::shared_ptr<const Pack>>;

void complain(const fs::path& file, std::string code, std::string message, Diagnostics& diagnostics) {
  diagnostics.add({.file = file.string(),
                   .line = 0,
                   .column = 0,
                   .severity = Diagnostic::Severity::error,
                   .code = std::move(code),
                   .path = {},
                   .message = std::move(message)});
}

/// Files as they are, of folders every *.yaml by name.
std::vector<fs::path> files_of(const std::vector<fs::path>& paths, Diagnostics& diagnostics) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    std::error_code error;
    if (!fs::is_directory(path, error)) {
      files.push_back(path);  // one that is not there is reported when it is read
      continue;
    }
    std::vector<fs::path> inside;
    for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
      if (it->path().extension() == ".yaml") inside.push_back(it->path());
    }
    if (error) complain(path, "policy.unreadable", "the folder cannot be read", diagnostics);
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

void check_together(const Packs& packs, Diagnostics& diagnostics) {
  std::set<std::string> names;
  std::size_t term_bytes = 0;
  for (const std::shared_ptr<const Pack>& pack : packs) {
    if (!names.insert(pack->name).second || pack->name == "built-in") {
      complain(pack->file, "policy.repeated-pack",
               fmt::format("the name \"{}\" is taken; every pack has a name of its own", pack->name), diagnostics);
    }
    for (const detail::TermList& list : pack->lists) {
      for (const std::string& term : list.terms) term_bytes += term.size();
    }
  }
  constexpr std::size_t kTermBytesMax =
      detail::TermAutomaton::kStatesMax / 4;  // folding takes at most four bytes for one in practice
  if (term_bytes > kTermBytesMax) {
    complain(
        packs.back()->file, "policy.too-many-terms",
        fmt::format("the lists of all packs hold {} bytes of terms; accepted: at most {}", term_bytes, kTermBytesMax),
        diagnostics);
  }
}

/// Which pack the expected rule is of: as written, else this one, else the first of those that its tests need.
std::string expected_pack(const detail::PackTest& test, const Packs& together, const Pack& pack) {
  if (!test.pack.empty()) return test.pack;
  if (test.rule == "default.deny" || test.rule.starts_with("purposes.")) return "built-in";
  const auto has_rule = [&test](const Pack& candidate) {
    return std::any_of(candidate.rules.begin(), candidate.rules.end(),
                       [&test](const detail::Rule& rule) { return rule.id == test.rule; });
  };
  if (has_rule(pack)) return pack.name;
  for (const std::shared_ptr<const Pack>& other : together) {
    if (has_rule(*other)) return other->name;
  }
  return pack.name;
}

std::string differences(const detail::PackTest& test, const std::string& pack, const Decision& found) {
  std::string text;
  const auto compare = [&text](std::string_view what, std::string_view expected, std::string_view is) {
    if (expected != is)
      text += fmt::format("{}{}: expected {}, found {}", text.empty() ? "" : "; ", what, expected, is);
  };
  compare("effect", to_string(test.effect), to_string(found.effect));
  compare("rule", pack + "/" + test.rule, found.pack + "/" + found.rule);
  if (test.held_for) compare("held_for", *test.held_for, found.held_for);
  if (test.found) {
    std::string words = "nothing";
    for (const Text& searched : test.request.texts) {
      if (found.match && searched.field == found.match->field)
        words = searched.text.substr(found.match->begin, found.match->end - found.match->begin);
    }
    compare("found", *test.found, words);
  }
  return text;
}

}  // namespace

PackSet::PackSet(Packs packs) : packs_(std::move(packs)), matcher_(std::make_unique<const detail::Matcher>(packs_)) {}
PackSet::~PackSet() = default;

std::shared_ptr<const PackSet> PackSet::load(const std::vector<fs::path>& paths, Diagnostics& diagnostics) {
  const auto library = std::make_shared<const expression::Library>(expression::standard_library());
  Packs packs;
  Diagnostics found;
  const std::vector<fs::path> files = files_of(paths, found);
  for (const fs::path& file : files) {
    if (std::shared_ptr<const Pack> pack = detail::read_pack(file, library, found)) packs.push_back(std::move(pack));
  }
  if (!packs.empty()) check_together(packs, found);
  for (const Diagnostic& diagnostic : found.list()) diagnostics.add(diagnostic);
  if (found.has_errors()) return nullptr;
  return std::shared_ptr<const PackSet>(new PackSet(std::move(packs)));
}

Decision PackSet::decide(const Request& request) const {
  return detail::Evaluation(packs_, *matcher_, request).decide();
}

PackSet::TestReport PackSet::run_tests() const {
  TestReport report;
  for (const std::shared_ptr<const Pack>& pack : packs_) {
    Packs together;
    for (const std::shared_ptr<const Pack>& other : packs_) {
      if (other == pack || std::find(pack->with.begin(), pack->with.end(), other->name) != pack->with.end())
        together.push_back(other);
    }
    if (together.size() != pack->with.size() + 1) {
      report.failures.push_back({pack->name, "with", pack->file, "a pack that its tests need is not loaded"});
      continue;
    }
    const PackSet set(together);
    std::set<std::string> expected;
    for (const detail::PackTest& test : pack->tests) {
      ++report.run;
      expected.insert(test.rule);
      std::string difference = differences(test, expected_pack(test, together, *pack), set.decide(test.request.view()));
      if (!difference.empty()) report.failures.push_back({pack->name, test.name, test.place, std::move(difference)});
    }
    for (const detail::Rule& rule : pack->rules) {
      if (expected.count(rule.id) == 0) report.untested.push_back(rule.full_name);
    }
  }
  return report;
}

std::vector<PackSet::PackInfo> PackSet::packs() const {
  std::vector<PackInfo> infos;
  for (const std::shared_ptr<const Pack>& pack : packs_)
    infos.push_back({pack->name, pack->version, pack->file, pack->sha256});
  return infos;
}

}  // namespace isthmus::policy
