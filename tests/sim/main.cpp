// Simulates a cluster of nodes; a seed replays a run.
#include <charconv>
#include <cstdio>
#include <string_view>

#include "sim/simulation.h"

namespace {

constexpr const char* kHelp =
    "usage: sim [--seed N] [--seeds N] [--steps N] [--trace]\n\n"
    "Runs a cluster of three nodes on a virtual clock and a network that loses, delays and refuses, over a real\n"
    "PostgreSQL, and checks after each step that nothing is lost, done twice or out of order.\n\n"
    "  --seed N    the first run (1)\n"
    "  --seeds N   so many runs, with seeds one after the other (1)\n"
    "  --steps N   of each run, before it must come to rest (400)\n"
    "  --trace     prints each step\n\n"
    "Exit status 0: every check held; 1: one did not (what, and the seed, are printed); 2: not understood.\n";

struct Arguments {
  std::uint64_t seed = 1;
  std::uint64_t seeds = 1;
  int steps = 400;
  bool trace = false;
  bool help = false;
};

template <class Number>
bool read(std::string_view text, Number& out) {
  const auto end = std::from_chars(text.data(), text.data() + text.size(), out);
  return end.ec == std::errc() && end.ptr == text.data() + text.size();
}

bool read_arguments(int count, char** given, Arguments& out) {
  for (int i = 1; i < count; ++i) {
    const std::string_view word = given[i];
    const bool more = i + 1 < count;
    if (word == "--help" || word == "-h") {
      out.help = true;
    } else if (word == "--trace") {
      out.trace = true;
    } else if (word == "--seed" && more) {
      if (!read(given[++i], out.seed)) return false;
    } else if (word == "--seeds" && more) {
      if (!read(given[++i], out.seeds)) return false;
    } else if (word == "--steps" && more) {
      if (!read(given[++i], out.steps)) return false;
    } else {
      return false;
    }
  }
  return true;
}

bool run(const Arguments& arguments, std::uint64_t seed) {
  using isthmus::sim::Simulation;
  Simulation simulation({seed, arguments.steps, arguments.trace, ISTHMUS_SOURCE_DIR, ISTHMUS_VERIFY});
  const auto seen = simulation.run();
  if (!seen) {
    std::printf("seed %llu: %s: %s\n  replay it with: ./dev sim %llu --steps %d --trace\n",
                static_cast<unsigned long long>(seed), seen.error().code.c_str(), seen.error().what.c_str(),
                static_cast<unsigned long long>(seed), arguments.steps);
    return false;
  }
  std::printf("seed %llu: %d commands, %d effects, %d crashes, %d takeovers, %d lost databases, %d dead, %d held\n",
              static_cast<unsigned long long>(seed), seen->commands, seen->effects, seen->crashes, seen->takeovers,
              seen->faults, seen->dead, seen->held);
  return true;
}

}  // namespace

int main(int count, char** given) {
  Arguments arguments;
  if (!read_arguments(count, given, arguments)) {
    std::fputs(kHelp, stderr);
    return 2;
  }
  if (arguments.help) return std::fputs(kHelp, stdout) < 0 ? 1 : 0;
  bool good = true;
  for (std::uint64_t i = 0; i < arguments.seeds; ++i) good = run(arguments, arguments.seed + i) && good;
  return good ? 0 : 1;
}
