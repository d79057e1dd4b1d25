#include "adapter/golden.h"

#include <algorithm>

#include "adapter/detail/golden_case.h"
#include "adapter/detail/golden_run.h"
#include "adapter/detail/render_lines.h"
#include "adapter/thrift_adapter.h"

namespace isthmus::adapter {

const std::vector<std::string>& required_fates() {
  static const std::vector<std::string> kFates{"success", "throttled", "token_expired", "refused", "reply_lost"};
  return kFates;
}

std::vector<std::string> GoldenReport::missing_fates() const {
  std::vector<std::string> out;
  for (const std::string& fate : required_fates()) {
    if (fates.count(fate) == 0) out.push_back(fate);
  }
  return out;
}

GoldenReport run_golden(const Adapter& adapter, const std::filesystem::path& folder, Diagnostics& diagnostics) {
  GoldenReport out;
  for (const std::filesystem::path& path : detail::golden_files(folder)) {
    const std::unique_ptr<detail::GoldenFile> file = detail::read_golden(path, adapter, diagnostics);
    if (!file) continue;
    for (const auto& [fate, reason] : file->impossible) out.fates.insert(fate);
    for (const detail::GoldenCase& golden : file->cases) {
      ++out.cases;
      const std::vector<std::string> problems =
          detail::play(adapter, golden, [](const HttpRequest&, const detail::GoldenExchange&) {});
      if (problems.empty() && !golden.fate.empty()) out.fates.insert(golden.fate);
      for (const std::string& problem : problems) {
        out.failures.push_back(golden.file + ":" + std::to_string(golden.line) + ": " + golden.name + "\n    " +
                               problem);
      }
    }
  }
  return out;
}

std::set<std::string> named_fates(const std::filesystem::path& folder, Diagnostics& diagnostics) {
  std::set<std::string> out;
  for (const std::filesystem::path& path : detail::golden_files(folder)) {
    const std::optional<config::Node> tree = config::read_yaml_file(path, diagnostics);
    if (!tree) continue;
    if (const config::Node* cases = tree->find("cases")) {
      for (const config::Node& one : cases->items) {
        if (const config::Node* fate = one.find("fate")) out.insert(fate->text);
      }
    }
    if (const config::Node* impossible = tree->find("impossible")) {
      for (const config::Entry& entry : impossible->entries) out.insert(entry.key);
    }
  }
  return out;
}

int adapter_test(std::span<const std::filesystem::path> paths, const ProgramSockets& sockets, std::ostream& out) {
  const std::vector<std::filesystem::path> folders = system_folders(paths);
  bool good = true;
  for (const std::filesystem::path& folder : folders) {
    Diagnostics diagnostics;
    const std::unique_ptr<Adapter> adapter = load_system(folder, sockets, diagnostics);
    GoldenReport report;
    if (adapter) report = run_golden(*adapter, folder / "golden", diagnostics);
    out << diagnostics.to_string();
    for (const std::string& failure : report.failures) out << failure << "\n";
    for (const std::string& fate : report.missing_fates()) {
      if (adapter)
        out << folder.string() << ": no golden example shows the fate " << fate
            << ", and none declares it impossible\n";
    }
    const bool passed = adapter && !diagnostics.has_errors() && report.good();
    out << (passed ? "ok   " : "FAIL ") << folder.filename().string() << ": " << report.cases << " examples\n";
    good = good && passed;
  }
  if (folders.empty()) out << "no adapter found: a system's folder holds descriptor.yaml or program.json\n";
  return folders.empty() ? 2 : good ? 0 : 1;
}

namespace {

/// Plays the command with the replies at hand. @return 0, or 1 when the adapter makes no request of it.
int render_command(const Adapter& adapter, const detail::CommandFile& file, std::ostream& out) {
  const Task task = Deliver{{file.command}};
  Bytes state;
  Input input = First{};
  std::size_t replied = 0;
  bool any = false;
  for (int moves = 0; moves < kMovesMax; ++moves) {
    const Result<Step> step = adapter.advance(file.context, task, state, input);
    if (!step) return out << to_string(step.error()) << "\n", 1;
    state = step->state;
    input = Waited{};
    if (const auto* request = std::get_if<HttpRequest>(&step->move)) {
      out << detail::request_line(adapter.describe(), *request, "") << "\n";
      any = true;
      if (replied == file.replies.size()) return 0;
      input = file.replies[replied++];
    } else if (const auto* done = std::get_if<Done>(&step->move)) {
      const auto* outcomes = std::get_if<std::vector<Outcome>>(done);
      if (any || outcomes == nullptr || outcomes->empty()) return 0;
      out << to_string(outcomes->front().verdict) << " " << outcomes->front().reason << "\n";
      return 1;
    }
  }
  return out << "more than " << kMovesMax << " moves\n", 1;
}

}  // namespace

int adapter_render(const std::filesystem::path& system, const std::filesystem::path& command,
                   const ProgramSockets& sockets, std::ostream& out) {
  Diagnostics diagnostics;
  const std::unique_ptr<Adapter> adapter = load_system(system, sockets, diagnostics);
  std::optional<detail::CommandFile> file;
  if (adapter) file = detail::read_command_file(command, *adapter, diagnostics);
  if (file) return render_command(*adapter, *file, out);
  out << diagnostics.to_string();
  return 1;
}

int adapter_render_golden(std::span<const std::filesystem::path> paths, const ProgramSockets& sockets,
                          std::ostream& out) {
  int count = 0;
  bool good = true;
  for (const std::filesystem::path& folder : system_folders(paths)) {
    Diagnostics diagnostics;
    const std::unique_ptr<Adapter> adapter = load_system(folder, sockets, diagnostics);
    if (!adapter) {
      out << diagnostics.to_string();
      good = false;
      continue;
    }
    for (const std::filesystem::path& path : detail::golden_files(folder / "golden")) {
      const std::unique_ptr<detail::GoldenFile> file = detail::read_golden(path, *adapter, diagnostics);
      if (!file) continue;
      for (const detail::GoldenCase& golden : file->cases) {
        (void)detail::play(*adapter, golden, [&](const HttpRequest& request, const detail::GoldenExchange& exchange) {
          out << detail::request_line(adapter->describe(), request, exchange.object) << "\n";
          ++count;
        });
      }
    }
  }
  return !good ? 1 : count == 0 ? 2 : 0;
}

int adapter_describe(const std::filesystem::path& socket, const Clock& clock, std::ostream& out) {
  const Result<std::string> said = ThriftAdapter::ask_description(socket, clock);
  out << (said ? *said : to_string(said.error())) << "\n";
  return said ? 0 : 1;
}

}  // namespace isthmus::adapter
