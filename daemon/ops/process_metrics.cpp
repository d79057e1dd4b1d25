#include <fmt/format.h>
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <sstream>
#include <string>

#include "ops/metrics.h"

namespace isthmus::ops {
namespace {

// The fields of /proc/self/stat that follow the command's name, which stands in parentheses and may hold spaces
// (proc(5)).
std::optional<std::vector<std::string>> read_stat() {
  std::ifstream file("/proc/self/stat");
  std::string text;
  std::getline(file, text);
  const auto end = text.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream rest(text.substr(end + 1));
  std::vector<std::string> fields{std::istream_iterator<std::string>(rest), {}};
  if (fields.size() < 22) return std::nullopt;
  return fields;
}

// Seconds since 1970 at which the machine started, from two clocks: a service with ProcSubset=pid has no /proc/stat.
double boot_time() {
  const auto seconds = [](clockid_t clock) {
    timespec now{};
    ::clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
  };
  return seconds(CLOCK_REALTIME) - seconds(CLOCK_BOOTTIME);
}

void append(std::string& out, std::string_view name, std::string_view type, std::string_view help, double value) {
  out += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n{0} {3}\n", name, help, type, value);
}

}  // namespace

std::string render_process_metrics() {
  std::string out;
  std::error_code error;
  const std::filesystem::directory_iterator files("/proc/self/fd", error);
  if (!error) {
    const auto open = std::distance(std::filesystem::begin(files), std::filesystem::end(files));
    append(out, "process_open_fds", "gauge", "Open file descriptors.", static_cast<double>(open));
  }
  const auto stat = read_stat();
  if (!stat) return out;
  const auto field = [&](std::size_t number) { return std::stod((*stat)[number - 3]); };  // numbered as proc(5) does
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  append(out, "process_cpu_seconds_total", "counter", "User and system time.", (field(14) + field(15)) / ticks);
  append(out, "process_threads", "gauge", "Threads.", field(20));
  append(out, "process_resident_memory_bytes", "gauge", "Memory in use.",
         field(24) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  append(out, "process_start_time_seconds", "gauge", "When the process started, seconds since 1970.",
         boot_time() + field(22) / ticks);
  return out;
}

}  // namespace isthmus::ops
