#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "store/connection.h"
#include "usage.h"

namespace isthmus::bench {

/// What ./dev bench started, as it says on the command line.
struct Company {
  std::filesystem::path top;      ///< the clone
  std::filesystem::path work;     ///< a folder for this run
  std::filesystem::path table;    ///< a file that goal() appends to
  std::filesystem::path command;  ///< isthmus
  std::string admin_socket;
  store::Options database;
  store::Options control_database;
  pid_t daemon = 0;
  pid_t postgres = 0;
  std::uint16_t public_port = 0;
  std::size_t events = 0;  ///< of `memory`; 0: its default
};

inline constexpr int kSources = 4;  ///< webhook connections, and as many targets

/// Administers the company: sources forms-1..., targets crm-1... that lead to the sink, a route from each to each of
/// the same number, and the sources' secret. Aborts with the command's message when it refuses.
void set_up(const Company& company, std::uint16_t sink_port, const Secret& webhook_secret);
[[nodiscard]] std::vector<std::string> source_paths();
[[nodiscard]] Secret make_webhook_secret();

/// CPU of everyone, at one moment.
struct Cpu {
  double daemon = 0;
  double postgres = 0;
};
[[nodiscard]] inline Cpu cpu_of(const Company& company) {
  return {cpu_seconds(company.daemon), cpu_seconds_with_children(company.postgres)};
}

int bench_accept(const Company& company);
int bench_through(const Company& company);
int bench_memory(const Company& company);

/// One line of the table that ./dev bench ends with.
void goal(const Company& company, const std::string& what, const std::string& figure, const std::string& wanted,
          bool met);

}  // namespace isthmus::bench
