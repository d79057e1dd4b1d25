#include "ops/metrics.h"

#include <gtest/gtest.h>

#include <thread>

namespace isthmus::ops {
namespace {

constexpr std::string_view kOwn =
    "# HELP isthmus_metrics_series_refused_total Series that were joined to \"other\" by the limit.\n"
    "# TYPE isthmus_metrics_series_refused_total counter\n"
    "isthmus_metrics_series_refused_total ";

TEST(Metrics, AreShownInPrometheusTextFormat) {
  MetricsRegistry registry;
  registry.counter("a_total", "Calls.\nTwo lines, one \\.", {{"connection", "bsky \"acme\"\\\n"}, {"code", "200"}})
      .add(3);
  registry.gauge("b_seconds", "Age.", {}).set(1.5);
  const double bounds[] = {0.1, 1};
  Histogram& waits = registry.histogram("c_seconds", "Wait.", bounds, {{"door", "house"}});
  waits.observe(0.05);
  waits.observe(0.5);
  waits.observe(5);
  EXPECT_EQ(registry.render(),
            "# HELP a_total Calls.\\nTwo lines, one \\\\.\n"
            "# TYPE a_total counter\n"
            "a_total{code=\"200\",connection=\"bsky \\\"acme\\\"\\\\\\n\"} 3\n"
            "# HELP b_seconds Age.\n"
            "# TYPE b_seconds gauge\n"
            "b_seconds 1.5\n"
            "# HELP c_seconds Wait.\n"
            "# TYPE c_seconds histogram\n"
            "c_seconds_bucket{door=\"house\",le=\"0.1\"} 1\n"
            "c_seconds_bucket{door=\"house\",le=\"1\"} 2\n"
            "c_seconds_bucket{door=\"house\",le=\"+Inf\"} 3\n"
            "c_seconds_sum{door=\"house\"} 5.55\n"
            "c_seconds_count{door=\"house\"} 3\n" +
                std::string(kOwn) + "0\n");
}

TEST(Metrics, AreOneObjectForOneNameAndLabelsInAnyOrder) {
  MetricsRegistry registry;
  Counter& first = registry.counter("a_total", "A.", {{"x", "1"}, {"y", "2"}});
  EXPECT_EQ(&first, &registry.counter("a_total", "A.", {{"y", "2"}, {"x", "1"}}));
  EXPECT_NE(&first, &registry.counter("a_total", "A.", {{"y", "3"}, {"x", "1"}}));
}

TEST(Metrics, JoinNewcomersToOneSeriesBeyondTheLimit) {
  MetricsRegistry registry(2);  // its own counter is the first
  Counter& kept = registry.counter("a_total", "A.", {{"connection", "one"}});
  Counter& other = registry.counter("a_total", "A.", {{"connection", "two"}});
  EXPECT_NE(&kept, &other);
  EXPECT_EQ(&other, &registry.counter("a_total", "A.", {{"connection", "three"}}));
  EXPECT_EQ(&kept, &registry.counter("a_total", "A.", {{"connection", "one"}}));
  EXPECT_NE(registry.render().find("a_total{connection=\"other\"} 0\n"), std::string::npos);
  EXPECT_NE(registry.render().find(std::string(kOwn) + "2\n"), std::string::npos);
}

TEST(Metrics, LoseNothingWhenThreadsCount) {
  MetricsRegistry registry;
  const auto work = [&] {
    for (int turn = 0; turn < 10'000; ++turn)
      registry.counter("a_total", "A.", {{"x", std::to_string(turn % 7)}}).add();
  };
  {
    const std::jthread one(work);
    const std::jthread two(work);
  }
  std::uint64_t total = 0;
  for (int kind = 0; kind < 7; ++kind)
    total += registry.counter("a_total", "A.", {{"x", std::to_string(kind)}}).value();
  EXPECT_EQ(total, 20'000U);
}

TEST(MetricsDeathTest, StopOnANameThatIsNone) {
  MetricsRegistry registry;
  EXPECT_DEATH(registry.counter("a-total", "A.", {}), "a metric's name is an identifier");
  EXPECT_DEATH(registry.gauge("isthmus_metrics_series_refused_total", "A.", {}), "one type");
}

TEST(ProcessMetrics, TellMemoryTimeAndFiles) {
  const std::string text = render_process_metrics();
  for (const char* name : {"process_resident_memory_bytes ", "process_cpu_seconds_total ", "process_open_fds ",
                           "process_threads ", "process_start_time_seconds "}) {
    const auto at = text.find("\n" + std::string(name));
    ASSERT_NE(at, std::string::npos) << name << text;
    EXPECT_GE(std::stod(text.substr(at + 1 + std::string(name).size())), 0.0) << name;
  }
  const auto memory = text.find("\nprocess_resident_memory_bytes ");
  EXPECT_GT(std::stod(text.substr(memory + 31)), 1'000'000.0);
}

}  // namespace
}  // namespace isthmus::ops
