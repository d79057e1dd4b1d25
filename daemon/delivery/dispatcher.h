#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <thread>
#include <vector>

#include "archive/recorder.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "base/random.h"
#include "delivery/line.h"
#include "delivery/sink.h"
#include "host/runner.h"
#include "journal/attempts.h"
#include "journal/keys.h"
#include "store/pool.h"

namespace isthmus::delivery {

/// Delivers commands: intent, send, end, each committed before the next. Verdicts, not exceptions, drive it.
///
/// Threads:   one of its own, or the caller's through turn(); wake() from any. The driver's callbacks only queue.
/// Ownership: borrows everything it is given. stop() before the driver's client stops.
class Dispatcher {
 public:
  struct Parts {
    store::Pool& pool;
    journal::Keys& keys;
    archive::Recorder& recorder;
    const identity::Directory& directory;
    host::Runner& driver;
    EndSink& sink;
    const Clock& clock;
    Random& random;
    Log& log;
    std::function<std::int64_t(int lane)> epoch;  ///< of a lane this node owns and may act for now, or 0
  };
  static constexpr int kTriesMax = 12;  ///< failures for its own sake before a command is dead
  static constexpr int kFaultsMax = 2;  ///< of the adapter on one command

  enum class Turns { own_thread, caller };  ///< caller: a simulation decides who takes the next turn

  explicit Dispatcher(Parts parts, Turns turns = Turns::own_thread);
  ~Dispatcher();  ///< stop()
  /// Something was appended for this lane, or released.
  void wake(int lane);
  /// Somebody else changed parked rows of this lane (an administrator): what memory knows of them is read again.
  void reread(int lane);
  /// One round of the work: what was queued is judged and written, what may start is started. Waits for up to `wait`
  /// when nothing is queued. Only with Turns::caller.
  void turn(std::chrono::milliseconds wait);
  /// Starts nothing more, waits for what is in flight until the deadline, commits its ends, joins.
  void stop(std::chrono::milliseconds patience);

 private:
  struct Completion {
    std::int64_t connection = 0;
    std::int64_t generation = 0;
    std::int64_t seq = 0;
    Uuid command;
    bool looked = false;
    host::TaskEnd end;
  };
  struct Event {
    int lane = -1;
    bool reread = false;
    std::unique_ptr<Completion> completion;
  };
  /// All that one transaction writes for a lane.
  struct Writes {
    std::vector<journal::End> ends;
    std::vector<journal::Parked> park;
    std::vector<journal::Parked> repark;
    std::vector<journal::Parked> unpark;
    std::vector<std::pair<Uuid, archive::Entry>> entries;  ///< with the command that each is of
    std::vector<Ended> ended;
    bool again = false;  ///< an earlier commit failed, and may have been done all the same
  };

  void run(const std::stop_token& stop);
  void take_events(std::chrono::milliseconds wait);
  void forget_stale();
  [[nodiscard]] bool idle() const;
  void take_lanes();
  Result<void> open_line(const identity::Connection& connection, std::int64_t epoch);
  Result<void> refill(Line& line);
  Result<void> remember(Line& line, const std::vector<std::int64_t>& fresh);
  void start_lane(int lane);
  std::vector<std::int64_t> ready(Line& line, const identity::World& world, Writes& writes);
  bool still_allowed(Line& line, std::int64_t seq, const identity::World& world, Writes& writes);
  void expire(Line& line, std::int64_t seq, Writes& writes);
  Result<void> load_parked(Line& line);
  Result<void> mark_blocked(Line& line, const std::vector<std::int64_t>& fresh);
  Result<void> commit_intents(int lane, std::vector<std::pair<Line*, std::int64_t>>& starting);
  void launch(Line& line, std::int64_t seq);
  void settle(std::vector<std::unique_ptr<Completion>> completions);
  void judge(Line& line, std::int64_t seq, const Completion& completion, Writes& writes);
  void judge_failed_look(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes);
  bool waits_for_limit(Line& line, std::int64_t seq, const Completion& completion, const adapter::Outcome& outcome,
                       Writes& writes);
  void judge_sighting(Line& line, std::int64_t seq, const adapter::Sighting& sighting, Writes& writes);
  void judge_outcome(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes);
  void close(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes);
  void bury(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes);
  void park_retry(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes);
  void park_unknown(Line& line, std::int64_t seq, const adapter::Outcome& outcome, int status, Writes& writes);
  void pause(Line& line, const adapter::Outcome& outcome, std::chrono::seconds wait);
  void say_paused(Line& line, const adapter::Outcome& outcome, bool a_person_may_mend);
  journal::Parked parked_of(const Line& line, std::int64_t seq, journal::ParkedState state,
                            const std::string& reason) const;
  enum class Positions { move, stay };
  Result<void> commit(int lane, Writes& writes, Positions positions = Positions::move);
  Result<void> write_each(int lane, Writes& writes);
  Result<void> write_refused(int lane, const Uuid& command, Writes& writes, const Error& why);
  static std::map<Uuid, Writes> by_command(Writes& writes);
  Result<void> without_known(std::vector<archive::Prepared>& records);
  void write(int lane, Writes writes);
  [[nodiscard]] std::int64_t epoch_of(int lane) const;
  void drop_lane(int lane);
  /// How long after a request is over its effect may still be invisible on the network.
  [[nodiscard]] static std::chrono::milliseconds settling_of(const identity::World& world, const Item& item);
  [[nodiscard]] const adapter::OperationSpec* operation_of(const identity::World& world, const Item& item) const;

  Parts parts_;
  std::map<std::int64_t, Line> lines_;  // by connection
  std::map<int, Writes> unwritten_;     // by lane: what a failed commit must write again
  std::set<Uuid> abroad_;  // in flight for a line that was dropped: not to be sent again before they came back
  std::int64_t generations_ = 0;
  std::map<int, Instant> shut_until_;  // lanes that the database refused to write
  BoundedQueue<Event> events_{100'000};
  std::vector<std::int64_t> heads_;
  std::vector<bool> dirty_;
  std::set<int> stale_;  // lanes whose parked rows somebody else changed
  std::chrono::microseconds look_at_{0};
  std::atomic<bool> stopping_{false};
  std::jthread thread_;
};

}  // namespace isthmus::delivery
