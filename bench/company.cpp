#include "company.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>

#include "base/crypto.h"

namespace isthmus::bench {
namespace {

void write_file(const std::filesystem::path& path, std::string_view text) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  std::filesystem::permissions(path, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

void run_command(const Company& company, const std::string& arguments) {
  const std::string line =
      fmt::format("'{}' --socket '{}' {} >/dev/null", company.command.string(), company.admin_socket, arguments);
  if (std::system(line.c_str()) == 0) return;  // before any thread
  std::fprintf(stderr, "failed: %s\n", line.c_str());
  std::exit(1);
}

}  // namespace

Secret make_webhook_secret() { return Secret("whsec_" + to_base64(crypto::random_bytes(32))); }

std::vector<std::string> source_paths() {
  std::vector<std::string> paths;
  for (int i = 1; i <= kSources; ++i) paths.push_back(fmt::format("/in/forms-{}", i));
  return paths;
}

void set_up(const Company& company, std::uint16_t sink_port, const Secret& webhook_secret) {
  const std::string sink = fmt::format("http://127.0.0.1:{}", sink_port);
  std::string connections;
  std::string routes;
  for (int i = 1; i <= kSources; ++i) {
    for (const char* name : {"forms", "crm"}) {
      connections += fmt::format(
          "  - {{ name: {}-{}, unit: bench, adapter: webhook, hosts: [\"{}\"], internal: allow, fields: {{ url: "
          "\"{}/{}\", source: forms }} }}\n",
          name, i, sink, sink, i);
    }
    routes += fmt::format(
        "  - {{ name: leads-{}, from: forms-{}, kinds: [lead.form], to: crm-{}, operation: send_lead, mapping: "
        "lead-twelve }}\n",
        i, i, i);
  }
  write_file(company.work / "apply.yaml",
             "units: [ { name: bench } ]\nconnections:\n" + connections + "routes:\n" + routes);
  run_command(company, fmt::format("apply '{}'", (company.work / "apply.yaml").string()));
  write_file(company.work / "webhook-secret", webhook_secret.reveal());
  for (int i = 1; i <= kSources; ++i) {
    for (const char* name : {"forms", "crm"}) {
      run_command(company, fmt::format("connection secret {}-{} webhook_secret --file '{}'", name, i,
                                       (company.work / "webhook-secret").string()));
    }
  }
}

void goal(const Company& company, const std::string& what, const std::string& figure, const std::string& wanted,
          bool met) {
  std::ofstream table(company.table, std::ios::app);
  table << fmt::format("{:<46} {:>22}   {:<26} {}\n", what, figure, wanted, met ? "met" : "missed");
}

}  // namespace isthmus::bench
