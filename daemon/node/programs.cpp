// Adapters that are programs: met now and then, so that a person learns that one is away before a command waits for it.
// The first meeting is what starts a program whose socket systemd holds.
#include "parts.h"

#include <condition_variable>
#include <mutex>

#include "events/events.h"

namespace isthmus::detail {
namespace {

constexpr std::chrono::seconds kMeetEvery{5};

}  // namespace

void NodeParts::meet_programs(const std::stop_token& stop) {
  std::map<const adapter::Adapter*, Gauge*> programs;
  for (const adapter::Adapter* one : registry->all()) {
    if (!one->is_program()) continue;
    programs[one] = &metrics.gauge("isthmus_adapter_program_up", "1 when the adapter's program can be asked.",
                                   {{"adapter", one->describe().name}});
  }
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested() && !programs.empty()) {
    for (auto& [program, up] : programs) {
      const std::string& name = program->describe().name;
      const auto met = program->meet();
      up->set(met ? 1 : 0);
      const bool changed = programs_away.with([&](auto& away) {
        if (met) return away.erase(name) > 0;
        return away.insert_or_assign(name, met.error().what).second;
      });
      if (changed && met) events::adapter_program_met(*log, {.adapter = name});
      if (changed && !met) events::adapter_program_away(*log, {.adapter = name, .reason = met.error().what});
    }
    never.wait_for(lock, stop, kMeetEvery, [] { return false; });
  }
}

}  // namespace isthmus::detail
