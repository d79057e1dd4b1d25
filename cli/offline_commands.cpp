#include "cli/offline_commands.h"

#include <algorithm>
#include <filesystem>

#include "adapter/golden.h"
#include "mapping/mapping.h"
#include "policy/command.h"

namespace isthmus::cli {
namespace {

constexpr const char* kAllPurposes = "engagement,crm,marketing,analytics";

std::vector<std::filesystem::path> paths_of(const std::vector<std::string>& words) {
  return {words.begin(), words.end()};
}

std::filesystem::path sockets_of(const Invocation& invocation) {
  return invocation.has("--sockets") ? invocation.value("--sockets") : adapter::kProgramSocketsFolder;
}

// The rooms tell several kinds of "no" by their codes; what is printed says which, the program says 1.
int finish(Terminal& terminal, const std::string& out, int code) {
  terminal.out << out;
  return code == 0 ? exit_good : exit_failed;
}

std::vector<std::string> split_commas(const std::string& text) {
  std::vector<std::string> parts;
  for (std::size_t begin = 0; begin <= text.size() && !text.empty();) {
    const auto end = std::min(text.find(',', begin), text.size());
    parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

}  // namespace

int run_adapter_test(Terminal& terminal, const Invocation& invocation) {
  const SystemClock clock;
  const int code =
      adapter::adapter_test(paths_of(invocation.positionals), {sockets_of(invocation), clock}, terminal.out);
  return code == 0 ? exit_good : exit_failed;
}

int run_adapter_describe(Terminal& terminal, const Invocation& invocation) {
  return adapter::adapter_describe(invocation.positionals[0], SystemClock(), terminal.out) == 0 ? exit_good
                                                                                                : exit_failed;
}

int run_adapter_render(Terminal& terminal, const Invocation& invocation) {
  const bool one = invocation.has("--command");
  if (one == invocation.has("--golden") || (one && invocation.positionals.size() != 1)) {
    terminal.err << "isthmus: adapter render takes either --golden, or one system and --command FILE\n";
    return exit_usage;
  }
  const SystemClock clock;
  const adapter::ProgramSockets sockets{sockets_of(invocation), clock};
  const int code =
      one ? adapter::adapter_render(invocation.positionals[0], invocation.value("--command"), sockets, terminal.out)
          : adapter::adapter_render_golden(paths_of(invocation.positionals), sockets, terminal.out);
  return code == 0 ? exit_good : exit_failed;
}

int run_mapping_check(Terminal& terminal, const Invocation& invocation) {
  std::string out;
  const int code = mapping::mapping_check(paths_of(invocation.positionals), out);
  return finish(terminal, out, code);
}

int run_mapping_run(Terminal& terminal, const Invocation& invocation) {
  const std::string purposes = invocation.has("--purposes") ? invocation.value("--purposes") : kAllPurposes;
  std::string out;
  const int code =
      mapping::mapping_run(invocation.positionals[0], invocation.positionals[1], split_commas(purposes), out);
  return finish(terminal, out, code);
}

int run_policy_test(Terminal& terminal, const Invocation& invocation) {
  std::string out;
  const int code = policy::policy_test(paths_of(invocation.positionals), out);
  return finish(terminal, out, code);
}

int run_policy_decide(Terminal& terminal, const Invocation& invocation) {
  const auto given = invocation.options.find(std::string_view("--packs"));
  std::string out;
  const int code = policy::policy_decide(invocation.positionals[0], paths_of(given->second), out);
  return finish(terminal, out, code);
}

}  // namespace isthmus::cli
