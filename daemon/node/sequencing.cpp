// The archive's sequencer, stepped while this node owns its lane.
#include "parts.h"

#include <condition_variable>
#include <mutex>

#include "archive/sequencer.h"
#include "events/events.h"

namespace isthmus::detail {
namespace {

constexpr std::chrono::milliseconds kSequenceEvery{250};

}  // namespace

void NodeParts::sequence(const std::stop_token& stop) {
  std::unique_ptr<archive::Sequencer> sequencer;
  std::string last_refusal;
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    Error error;
    bool more = false;
    if (epoch(journal::kSequencerLane) != 0) {
      if (!sequencer) {
        auto opened = archive::Sequencer::open({*pool, *signer, clock, settings.state});
        if (opened) {
          sequencer = std::move(*opened);
        } else {
          error = opened.error();
        }
      }
      if (sequencer) {
        auto step = sequencer->step(epoch(journal::kSequencerLane));
        if (step) {
          more = step->leaves == archive::Sequencer::kBatchLeavesMax;
          last_refusal.clear();
        } else {
          error = step.error();
          sequencer.reset();
        }
      }
    } else {
      sequencer.reset();
    }
    if (!error.code.empty() && error.code != last_refusal) {
      last_refusal = error.code;
      events::archive_sequencer_refused(*log, {.code = error.code, .reason = error.what});
    }
    if (!more) never.wait_for(lock, stop, kSequenceEvery, [] { return false; });
  }
}

}  // namespace isthmus::detail
