#include "usage.h"

#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <charconv>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>

namespace isthmus::bench {
namespace {

struct Stat {
  pid_t parent = 0;
  double cpu = 0;            // its own
  double cpu_of_waited = 0;  // of children that ended
};

// proc(5): the name in parentheses may hold anything, so fields are counted from the last one.
Stat read_stat(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/stat", process));
  std::string line;
  std::getline(file, line);
  const auto end = line.rfind(')');
  if (end == std::string::npos) return {};
  std::istringstream fields(line.substr(end + 1));
  std::string word;
  Stat stat;
  double ticks[4] = {};
  for (int field = 3; field <= 17 && fields >> word; ++field) {
    if (field == 4) stat.parent = std::stoi(word);
    if (field >= 14) ticks[field - 14] = std::stod(word);
  }
  const auto hertz = static_cast<double>(sysconf(_SC_CLK_TCK));
  stat.cpu = (ticks[0] + ticks[1]) / hertz;
  stat.cpu_of_waited = (ticks[2] + ticks[3]) / hertz;
  return stat;
}

}  // namespace

double cpu_seconds(pid_t process) {
  const Stat stat = read_stat(process);
  return stat.cpu + stat.cpu_of_waited;
}

double cpu_seconds_with_children(pid_t process) {
  double sum = cpu_seconds(process);
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    pid_t child = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), child);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    if (const Stat stat = read_stat(child); stat.parent == process) sum += stat.cpu + stat.cpu_of_waited;
  }
  return sum;
}

std::int64_t resident_bytes(pid_t process) {
  std::ifstream file(fmt::format("/proc/{}/statm", process));
  std::int64_t all = 0;
  std::int64_t resident = 0;
  file >> all >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

double cpu_seconds_of_thread() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

bool eventually(std::chrono::seconds patience, const std::function<bool()>& condition) {
  const auto start = std::chrono::steady_clock::now();
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  while (!condition()) {
    if (std::chrono::steady_clock::now() - start > patience) return false;
    never.wait_for(lock, std::chrono::milliseconds(20));
  }
  return true;
}

}  // namespace isthmus::bench
