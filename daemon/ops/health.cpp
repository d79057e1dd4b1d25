#include "ops/health.h"

#include <algorithm>

#include "base/check.h"
#include "base/json.h"

namespace isthmus::ops {

Health::Health(const Clock& clock, std::vector<std::string> conditions) : clock_(clock) {
  state_.with([&](State& state) {
    for (std::string& name : conditions) state.conditions.push_back({std::move(name), false, "starting", clock.now()});
  });
}

void Health::turn(std::string_view condition, bool good, std::string_view reason) {
  const Instant now = clock_.now();
  state_.with([&](State& state) {
    const auto found = std::find_if(state.conditions.begin(), state.conditions.end(),
                                    [&](const Condition& known) { return known.name == condition; });
    ISTHMUS_CHECK(found != state.conditions.end(), "a condition is declared at construction");
    if (found->good != good) found->since = now;
    found->good = good;
    found->reason = reason;
  });
}

void Health::good(std::string_view condition) { turn(condition, true, {}); }
void Health::bad(std::string_view condition, std::string_view reason) { turn(condition, false, reason); }

void Health::watch(std::string name, const Heartbeat& heartbeat, std::chrono::milliseconds age_max) {
  state_.with([&](State& state) { state.watched.push_back({std::move(name), &heartbeat, age_max}); });
}

void Health::set_oldest_undelivered(std::optional<Instant> accepted_at) {
  state_.with([&](State& state) { state.oldest = accepted_at; });
}

std::chrono::seconds Health::oldest_undelivered_age() const {
  const Instant now = clock_.now();
  return state_.with([&](const State& state) {
    if (!state.oldest || *state.oldest > now) return std::chrono::seconds(0);
    return std::chrono::duration_cast<std::chrono::seconds>(now - *state.oldest);
  });
}

bool Health::ready() const {
  return state_.with([](const State& state) {
    return std::all_of(state.conditions.begin(), state.conditions.end(), [](const Condition& one) { return one.good; });
  });
}

std::vector<Health::Condition> Health::conditions() const {
  return state_.with([](const State& state) { return state.conditions; });
}

std::vector<std::string> Health::late() const {
  return state_.with([](const State& state) {
    std::vector<std::string> names;
    for (const Watched& loop : state.watched) {
      if (loop.heartbeat->age() > loop.age_max) names.push_back(loop.name);
    }
    return names;
  });
}

std::string Health::readiness_json() const {
  JsonWriter json;
  json.begin_object().member("ready", ready());
  json.member("oldest_undelivered_seconds", std::int64_t{oldest_undelivered_age().count()});
  json.key("conditions").begin_array();
  for (const Condition& condition : conditions()) {
    json.begin_object().member("name", condition.name).member("good", condition.good);
    if (!condition.good) json.member("reason", condition.reason);
    json.member("since", to_rfc3339(condition.since)).end_object();
  }
  json.end_array().end_object();
  return std::move(json).text();
}

std::string Health::liveness_json() const {
  const auto names = late();
  JsonWriter json;
  json.begin_object().member("alive", names.empty()).key("late").begin_array();
  for (const std::string& name : names) json.value(name);
  json.end_array().end_object();
  return std::move(json).text();
}

}  // namespace isthmus::ops
