#include "host/program_threads.h"

namespace isthmus::host {
namespace {

constexpr std::chrono::seconds kLookInterval{60};  // how often an idle thread wakes for nothing

}  // namespace

ProgramThreads::~ProgramThreads() { stop(); }

bool ProgramThreads::run(const adapter::Adapter& program, std::function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (stopped_) return false;
  std::unique_ptr<Crew>& crew = crews_[&program];
  if (!crew) {
    crew = std::make_unique<Crew>();
    for (int i = 0; i < kThreads; ++i) crew->threads.emplace_back([&crew = *crew] { serve(crew); });
  }
  return crew->queue.push(std::move(work)) == Push::taken;
}

void ProgramThreads::serve(Crew& crew) {
  while (true) {
    if (auto work = crew.queue.pop(kLookInterval)) {
      (*work)();
    } else if (crew.queue.closed()) {
      return;
    }
  }
}

void ProgramThreads::stop() {
  std::map<const adapter::Adapter*, std::unique_ptr<Crew>> crews;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    crews.swap(crews_);
  }
  for (auto& [program, crew] : crews) {
    crew->queue.close();
    (void)crew->queue.pop_all(kWaitingMax, std::chrono::milliseconds(0));
  }
  crews.clear();  // joins; what they run may ask for another run, and is refused
}

}  // namespace isthmus::host
