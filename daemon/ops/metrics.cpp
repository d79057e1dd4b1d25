#include "ops/metrics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace isthmus::ops {
namespace {

bool is_name(std::string_view text, bool colon_allowed) {
  const auto letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (colon_allowed && c == ':');
  };
  if (text.empty() || !letter(text.front())) return false;
  return std::all_of(text.begin(), text.end(), [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

enum class Quotes { plain, escaped };

// Label values escape the quote too; help texts do not.
std::string escape(std::string_view text, Quotes quotes) {
  std::string out;
  for (const char c : text) {
    if (c == '\\') {
      out += "\\\\";
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '"' && quotes == Quotes::escaped) {
      out += "\\\"";
    } else {
      out += c;
    }
  }
  return out;
}

// name="value",...: sorted, so that the order at the call does not matter.
std::string render_labels(Metrics::Labels labels, bool overflow) {
  std::vector<std::string> parts;
  for (const MetricLabel& label : labels) {
    ISTHMUS_CHECK(is_name(label.name, false), "a label's name is an identifier");
    parts.push_back(fmt::format("{}=\"{}\"", label.name,
                                escape(overflow ? std::string_view("other") : label.value, Quotes::escaped)));
  }
  std::sort(parts.begin(), parts.end());
  return fmt::format("{}", fmt::join(parts, ","));
}

std::string number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

std::string with_labels(const std::string& name, const std::string& labels) {
  return labels.empty() ? name : name + "{" + labels + "}";
}

void render_one(std::string& out, const std::string& name, const std::string& labels, const Counter& counter) {
  out += fmt::format("{} {}\n", with_labels(name, labels), counter.value());
}

void render_one(std::string& out, const std::string& name, const std::string& labels, const Gauge& gauge) {
  out += fmt::format("{} {}\n", with_labels(name, labels), number(gauge.value()));
}

void render_one(std::string& out, const std::string& name, const std::string& labels, const Histogram& histogram) {
  const std::string head = labels.empty() ? labels : labels + ",";
  std::uint64_t total = 0;
  for (std::size_t at = 0; at <= histogram.bounds().size(); ++at) {
    total += histogram.count(at);
    const std::string bound = at < histogram.bounds().size() ? number(histogram.bounds()[at]) : "+Inf";
    out += fmt::format("{}_bucket{{{}le=\"{}\"}} {}\n", name, head, bound, total);
  }
  out += fmt::format("{} {}\n", with_labels(name + "_sum", labels), number(histogram.sum()));
  out += fmt::format("{} {}\n", with_labels(name + "_count", labels), total);
}

}  // namespace

MetricsRegistry::MetricsRegistry(std::size_t series_max)
    : series_max_(series_max),
      refused_(
          counter("isthmus_metrics_series_refused_total", "Series that were joined to \"other\" by the limit.", {})) {}

template <class T, class... Arguments>
T& MetricsRegistry::find_or_make(std::string_view name, std::string_view help, std::string_view type, Labels labels,
                                 const Arguments&... arguments) {
  ISTHMUS_CHECK(is_name(name, true), "a metric's name is an identifier");
  std::string key = render_labels(labels, false);
  bool refused = false;
  T& found = state_.with([&](State& state) -> T& {
    auto at = state.families.find(name);
    if (at == state.families.end()) {
      at = state.families.emplace(std::string(name), Family{std::string(help), std::string(type), {}}).first;
    }
    Family& family = at->second;
    ISTHMUS_CHECK(family.type == type, "a metric's name has one type");
    auto series = family.series.find(key);
    if (series == family.series.end() && state.series_count >= series_max_) {
      refused = true;
      key = render_labels(labels, true);
      series = family.series.find(key);
    }
    if (series == family.series.end()) {
      series = family.series.emplace(key, std::make_unique<T>(arguments...)).first;
      ++state.series_count;
    }
    return *std::get<std::unique_ptr<T>>(series->second);
  });
  if (refused) refused_.add();
  return found;
}

Counter& MetricsRegistry::counter(std::string_view name, std::string_view help, Labels labels) {
  return find_or_make<Counter>(name, help, "counter", labels);
}

Gauge& MetricsRegistry::gauge(std::string_view name, std::string_view help, Labels labels) {
  return find_or_make<Gauge>(name, help, "gauge", labels);
}

Histogram& MetricsRegistry::histogram(std::string_view name, std::string_view help, std::span<const double> bounds,
                                      Labels labels) {
  ISTHMUS_CHECK(std::is_sorted(bounds.begin(), bounds.end()), "a histogram's bounds rise");
  return find_or_make<Histogram>(name, help, "histogram", labels, bounds);
}

void MetricsRegistry::render_family(std::string& out, const std::string& name, const Family& family) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, escape(family.help, Quotes::plain), name, family.type);
  for (const auto& entry : family.series) {
    std::visit([&](const auto& series) { render_one(out, name, entry.first, *series); }, entry.second);
  }
}

std::string MetricsRegistry::render() const {
  return state_.with([](const State& state) {
    std::string out;
    for (const auto& [name, family] : state.families) render_family(out, name, family);
    return out;
  });
}

}  // namespace isthmus::ops
