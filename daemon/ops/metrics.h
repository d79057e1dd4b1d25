#pragma once

#include <map>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "base/guarded.h"
#include "base/metrics.h"

namespace isthmus::ops {

/// The Content-Type of MetricsRegistry::render().
inline constexpr std::string_view kMetricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/// Every number of the process, shown in Prometheus' text format 0.0.4
/// (https://prometheus.io/docs/instrumenting/exposition_formats/, read 2026-11-24).
///
/// Threads:  any. Numbers are written without the lock; it is held to register and to render.
/// Bounds:   at most series_max series. Beyond, all newcomers of a name share one series whose label values are
/// "other",
///           and isthmus_metrics_series_refused_total counts them: a label that runs wild costs detail, never memory.
/// Errors:   a name that is no metric name, or one registered before as another type, is a bug (ISTHMUS_CHECK).
class MetricsRegistry final : public Metrics {
 public:
  explicit MetricsRegistry(std::size_t series_max = 4096);

  Counter& counter(std::string_view name, std::string_view help, Labels labels) override;
  Gauge& gauge(std::string_view name, std::string_view help, Labels labels) override;
  Histogram& histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                       Labels labels) override;

  /// All series, sorted by name, then by labels; ends with a line feed.
  [[nodiscard]] std::string render() const;

 private:
  using Series = std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>>;
  struct Family {
    std::string help;
    std::string type;
    std::map<std::string, Series, std::less<>> series;  // by rendered labels
  };
  struct State {
    std::map<std::string, Family, std::less<>> families;
    std::size_t series_count = 0;
  };

  template <class T, class... Arguments>
  T& find_or_make(std::string_view name, std::string_view help, std::string_view type, Labels labels,
                  const Arguments&... arguments);
  static void render_family(std::string& out, const std::string& name, const Family& family);

  const std::size_t series_max_;
  Guarded<State> state_;
  Counter& refused_;
};

/// The process itself, by the names that dashboards know: process_resident_memory_bytes, process_cpu_seconds_total,
/// process_open_fds, process_threads, process_start_time_seconds. Read from /proc at the call; what cannot be read is
/// left out.
[[nodiscard]] std::string render_process_metrics();

}  // namespace isthmus::ops
