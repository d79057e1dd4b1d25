// Memory: what the daemon holds idle, after the first tenth of the events and after all of them.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "company.h"
#include "load.h"
#include "sink.h"

namespace isthmus::bench {
namespace {

constexpr std::size_t kEvents = 1'000'000;
constexpr std::size_t kStep = 10'000;
constexpr std::uint64_t kBacklogMax = 20'000;
constexpr double kMb = 1024.0 * 1024.0;
constexpr double kIdleMbMax = 64;
constexpr double kGrowthMax = 0.05;
constexpr auto kPatience = std::chrono::minutes(5);

void wait_for(const Sink& sink, std::uint64_t deliveries) {
  if (eventually(kPatience, [&] { return sink.requests() >= deliveries; })) return;
  std::fprintf(stderr, "the deliveries did not come within 5 minutes; see the daemon's log\n");
  std::exit(1);
}

}  // namespace

int bench_memory(const Company& company) {
  const std::size_t all = company.events == 0 ? kEvents : std::max(company.events, 10 * kStep);
  const std::size_t first = std::max(all / 10, kStep);
  Sink sink;
  const Secret secret = make_webhook_secret();
  set_up(company, sink.port(), secret);
  const double idle = static_cast<double>(resident_bytes(company.daemon)) / kMb;
  std::printf("memory: idle %.1f MB; %zu events, all the way through\n", idle, all);
  Webhooks webhooks({Webhooks::Kind::lead, 800, source_paths()}, secret);
  const auto start = std::chrono::steady_clock::now();
  std::vector<float> early, late;
  for (std::size_t sent = 0; sent < all; sent += kStep) {
    webhooks.forget();
    webhooks.prepare(kStep);
    const LoadReport report = run_load({company.public_port, 64, 0}, webhooks);
    if (report.answered(204) != kStep) std::fprintf(stderr, "some webhooks were refused\n"), std::exit(1);
    const std::uint64_t now = sent + kStep;
    wait_for(sink, now > kBacklogMax ? now - kBacklogMax : 0);
    const double mb = static_cast<double>(resident_bytes(company.daemon)) / kMb;
    if (now > first && now <= 2 * first) early.push_back(static_cast<float>(mb));
    if (now > all - first) late.push_back(static_cast<float>(mb));
    if (now % (all / 20 / kStep * kStep + (all / 20 < kStep ? kStep : 0)) == 0) {
      std::printf("  %8llu events, %6.1f MB, %5.0f s\n", static_cast<unsigned long long>(now), mb,
                  seconds_since(start));
      std::fflush(stdout);
    }
  }
  wait_for(sink, all);
  // The highest of each tenth: what one sample catches of a burst is chance.
  const double before = percentile(early, 1);
  const double after = percentile(late, 1);
  const double growth = after / before - 1;
  goal(company, "memory: idle", fmt::format("{:.1f} MB", idle), "< 64 MB", idle < kIdleMbMax);
  goal(company, fmt::format("memory: {} events after the first {}", all, first),
       fmt::format("{:.1f} to {:.1f} MB ({:+.1f} %)", before, after, growth * 100), "within 5 %", growth <= kGrowthMax);
  return 0;
}

}  // namespace isthmus::bench
