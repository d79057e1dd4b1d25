// Through: accepted, routed, mapped, decided, archived, delivered; beside the same SQL without daemon and HTTP.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "company.h"
#include "control.h"
#include "load.h"
#include "sink.h"

namespace isthmus::bench {
namespace {

constexpr int kRounds = 3;
constexpr std::size_t kEventsOfRound = 10'000;
constexpr std::size_t kWarmUp = 2'000;
constexpr int kConnections = 64;
constexpr std::uint64_t kRecordsOfEvent = 4;  // received, decided, made, ended
constexpr auto kPatience = std::chrono::minutes(5);

struct Round {
  double rate = 0;
  double us_daemon = 0, us_postgres = 0, us_generator = 0, us_sink = 0;
};

std::int64_t number(store::Connection& db, const char* sql) {
  auto rows = db.exec(sql);
  if (rows) return rows->number(0, 0);
  std::fprintf(stderr, "%s\n", to_string(rows.error()).c_str());
  std::exit(1);
}

/// Waits until every event so far has been delivered and all its records are in the log, its end the last of them.
void wait_for_all(store::Connection& db, const Sink& sink, std::uint64_t events) {
  const bool done = eventually(kPatience, [&] {
    return sink.requests() >= events && number(db, "SELECT coalesce(max(idx) + 1, 0) FROM leaf") >=
                                            static_cast<std::int64_t>(kRecordsOfEvent * events);
  });
  if (done) return;
  std::fprintf(stderr,
               "after 5 minutes %llu of %llu deliveries, and not all records in the log; see the daemon's log\n",
               static_cast<unsigned long long>(sink.requests()), static_cast<unsigned long long>(events));
  std::exit(1);
}

struct Bench {
  const Company& company;
  Sink sink;
  Secret secret = make_webhook_secret();
  std::unique_ptr<store::Connection> db;
  std::uint64_t sent = 0;

  Round measured(Webhooks& webhooks, std::size_t events) {
    webhooks.forget();
    webhooks.prepare(events);
    const Cpu before = cpu_of(company);
    const double sink_before = sink.cpu_seconds();
    const auto start = std::chrono::steady_clock::now();
    const LoadReport report = run_load({company.public_port, kConnections, 0}, webhooks);
    sent += report.answered(204);
    if (report.answered(204) != events) std::fprintf(stderr, "some webhooks were refused\n"), std::exit(1);
    wait_for_all(*db, sink, sent);
    const double seconds = seconds_since(start);
    const Cpu after = cpu_of(company);
    const double per_event = 1e6 / static_cast<double>(events);
    return {static_cast<double>(events) / seconds, (after.daemon - before.daemon) * per_event,
            (after.postgres - before.postgres) * per_event, report.cpu_seconds * per_event,
            (sink.cpu_seconds() - sink_before) * per_event};
  }
};

Round of_control(const Company& company, Control& control, const Webhooks& webhooks) {
  const double before = cpu_seconds_with_children(company.postgres);
  const ControlReport report = control.through(kEventsOfRound, webhooks);
  const double per_event = 1e6 / static_cast<double>(report.events);
  return {static_cast<double>(report.events) / report.seconds, 0,
          (cpu_seconds_with_children(company.postgres) - before) * per_event, report.cpu_seconds * per_event, 0};
}

}  // namespace

int bench_through(const Company& company) {
  auto db = store::Connection::open(company.database);
  if (!db) std::fprintf(stderr, "%s\n", to_string(db.error()).c_str()), std::exit(1);
  Bench bench{company, {}, make_webhook_secret(), std::move(*db)};
  set_up(company, bench.sink.port(), bench.secret);
  Webhooks webhooks({Webhooks::Kind::lead, 3000, source_paths()}, bench.secret);
  Control control(company.control_database, company.top / "bench/lead_twelve.yaml", company.work / "control");
  std::printf("through: events of 3000 bytes, mapped to 12 fields, 4 records each in the archive, %d rounds of %zu\n",
              kRounds, kEventsOfRound);
  (void)bench.measured(webhooks, kWarmUp);
  (void)control.through(kWarmUp, webhooks);
  std::vector<Round> ours, theirs;
  std::vector<double> ratios;
  for (int i = 0; i < kRounds; ++i) {
    theirs.push_back(of_control(company, control, webhooks));
    ours.push_back(bench.measured(webhooks, kEventsOfRound));
    ratios.push_back(ours.back().rate / theirs.back().rate);
    const Round& o = ours.back();
    const Round& t = theirs.back();
    std::printf("  control  %6.0f /s   CPU an event: PostgreSQL %.0f us, control %.0f us\n", t.rate, t.us_postgres,
                t.us_generator);
    std::printf(
        "  isthmusd %6.0f /s   CPU an event: isthmusd %.0f us, PostgreSQL %.0f us, generator %.0f us, sink %.0f us\n",
        o.rate, o.us_daemon, o.us_postgres, o.us_generator, o.us_sink);
    std::fflush(stdout);
  }
  std::sort(ratios.begin(), ratios.end());
  std::sort(ours.begin(), ours.end(), [](const Round& a, const Round& b) { return a.rate < b.rate; });
  const double ratio = ratios[ratios.size() / 2];
  const double rate = ours[ours.size() / 2].rate;
  goal(company, "through: of the control's events a second", fmt::format("{:.0f} %", ratio * 100), ">= 50 %",
       ratio >= 0.5);
  goal(company, "through: events a second", fmt::format("{:.0f}", rate), ">= 2000 (quiet machine)", rate >= 2000);
  return 0;
}

}  // namespace isthmus::bench
