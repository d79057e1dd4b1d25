// What ./dev bench runs against a daemon that it started. docs/benchmarks.md says what is measured.
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "company.h"

namespace {

using namespace isthmus::bench;

std::string need(std::map<std::string, std::string>& options, const std::string& name) {
  const auto found = options.find(name);
  if (found == options.end()) std::fprintf(stderr, "--%s is missing\n", name.c_str()), std::exit(2);
  return found->second;
}

Company company_of(std::map<std::string, std::string> options) {
  Company company;
  company.top = need(options, "top");
  company.work = need(options, "work");
  company.table = need(options, "table");
  company.command = need(options, "command");
  company.admin_socket = need(options, "admin-socket");
  company.database.host = company.control_database.host = need(options, "postgres");
  company.database.database = company.database.user = "isthmus";
  company.control_database.database = company.control_database.user = "control";
  company.daemon = std::atoi(need(options, "daemon-pid").c_str());
  company.postgres = std::atoi(need(options, "postgres-pid").c_str());
  company.public_port = static_cast<std::uint16_t>(std::atoi(need(options, "public-port").c_str()));
  if (options.contains("events")) company.events = static_cast<std::size_t>(std::atoll(options["events"].c_str()));
  return company;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  std::map<std::string, std::string> options;
  for (int i = 2; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (!name.starts_with("--")) return std::fprintf(stderr, "%s is not an option\n", name.c_str()), 2;
    options[name.substr(2)] = argv[i + 1];
  }
  if (what == "accept") return bench_accept(company_of(options));
  if (what == "through") return bench_through(company_of(options));
  if (what == "memory") return bench_memory(company_of(options));
  return std::fprintf(stderr, "use: pipeline_bench accept|through|memory --option value ...\n"), 2;
}
