// Accept: signed webhooks that are answered after their commit, beside the daemon's own insert statement.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "company.h"
#include "control.h"
#include "load.h"
#include "sink.h"

namespace isthmus::bench {
namespace {

constexpr int kRounds = 5;
constexpr std::size_t kEventsOfRound = 20'000;
constexpr int kConnections = 256;
constexpr double kPaced = 2'500;
constexpr std::size_t kPacedEvents = 25'000;

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

struct Round {
  double rate = 0;
  double us_daemon = 0, us_postgres = 0, us_generator = 0;
};

void check(const LoadReport& report, std::size_t sent) {
  if (report.answered(204) == sent) return;
  for (const auto& [status, count] : report.statuses) std::fprintf(stderr, "%zu answers %d\n", count, status);
  std::exit(1);
}

Round measured(const Company& company, Webhooks& webhooks, double rate, std::size_t events, LoadReport& report) {
  webhooks.forget();
  webhooks.prepare(events);
  const Cpu before = cpu_of(company);
  report = run_load({company.public_port, kConnections, rate}, webhooks);
  const Cpu after = cpu_of(company);
  check(report, events);
  const double per_event = 1e6 / static_cast<double>(events);
  return {static_cast<double>(events) / report.seconds, (after.daemon - before.daemon) * per_event,
          (after.postgres - before.postgres) * per_event, report.cpu_seconds * per_event};
}

Round of_control(const Company& company, Control& control, const Webhooks& webhooks) {
  const double before = cpu_seconds_with_children(company.postgres);
  const ControlReport report = control.accept(kEventsOfRound, webhooks);
  const double per_event = 1e6 / static_cast<double>(report.events);
  return {static_cast<double>(report.events) / report.seconds, 0,
          (cpu_seconds_with_children(company.postgres) - before) * per_event, report.cpu_seconds * per_event};
}

void print(const char* name, const std::vector<Round>& rounds) {
  std::vector<double> rates, daemon, postgres, generator;
  for (const Round& round : rounds) {
    rates.push_back(round.rate);
    daemon.push_back(round.us_daemon);
    postgres.push_back(round.us_postgres);
    generator.push_back(round.us_generator);
  }
  std::printf("  %-10s %8.0f /s (%.0f to %.0f)   CPU an event: isthmusd %.0f us, PostgreSQL %.0f us, %s %.0f us\n",
              name, median(rates), *std::min_element(rates.begin(), rates.end()),
              *std::max_element(rates.begin(), rates.end()), median(daemon), median(postgres),
              std::string_view(name) == "control" ? "control" : "generator", median(generator));
}

}  // namespace

int bench_accept(const Company& company) {
  Sink sink;
  const Secret secret = make_webhook_secret();
  set_up(company, sink.port(), secret);
  Webhooks webhooks({Webhooks::Kind::unknown, 3000, source_paths()}, secret);
  Control control(company.control_database, company.top / "bench/lead_twelve.yaml", company.work / "control");
  std::printf("accept: webhooks of 3000 bytes, %d connections, %d rounds of %zu, control and daemon in turn\n",
              kConnections, kRounds, kEventsOfRound);
  LoadReport report;
  (void)measured(company, webhooks, 0, kEventsOfRound / 4, report);  // opens connections, prepares statements
  (void)control.accept(kEventsOfRound / 4, webhooks);
  std::vector<Round> ours, theirs;
  std::vector<double> ratios;
  for (int i = 0; i < kRounds; ++i) {
    theirs.push_back(of_control(company, control, webhooks));
    ours.push_back(measured(company, webhooks, 0, kEventsOfRound, report));
    ratios.push_back(ours.back().rate / theirs.back().rate);
  }
  print("control", theirs);
  print("isthmusd", ours);
  std::vector<double> rates;
  for (const Round& round : ours) rates.push_back(round.rate);
  goal(company, "accept: of the control's rows a second", fmt::format("{:.0f} %", median(ratios) * 100), ">= 40 %",
       median(ratios) >= 0.4);
  goal(company, "accept: webhooks a second", fmt::format("{:.0f}", median(rates)), ">= 5000 (quiet machine)",
       median(rates) >= 5000);

  const Round paced = measured(company, webhooks, kPaced, kPacedEvents, report);
  const double p99 = percentile(report.latencies_ms, 0.99);
  std::printf(
      "  at %.0f/s, from the intended time: p50 %.1f ms, p99 %.1f ms, longest %.1f ms; the generator's own stall: p99 "
      "%.1f ms, longest %.1f ms\n",
      kPaced, percentile(report.latencies_ms, 0.5), p99, percentile(report.latencies_ms, 1),
      percentile(report.stalls_ms, 0.99), percentile(report.stalls_ms, 1));
  std::printf("  CPU an event: isthmusd %.0f us, PostgreSQL %.0f us, generator %.0f us\n", paced.us_daemon,
              paced.us_postgres, paced.us_generator);
  goal(company, "accept: p99 at 2500/s", fmt::format("{:.1f} ms", p99), "< 25 ms", p99 < 25);
  return 0;
}

}  // namespace isthmus::bench
