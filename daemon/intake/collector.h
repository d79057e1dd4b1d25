#pragma once

#include <functional>
#include <map>
#include <set>
#include <thread>

#include "base/clock.h"
#include "base/log.h"
#include "base/queue.h"
#include "host/driver.h"
#include "identity/directory.h"
#include "journal/inbox.h"
#include "journal/keys.h"
#include "journal/lanes.h"
#include "store/pool.h"

namespace isthmus::intake {

/// Polls the streams that connections collect. The replies of one page and the cursor that follows them commit
/// together, so that a crash repeats a page and never skips one. Also asks servers what they say of themselves, when a
/// connection is new and then as often as its adapter wishes.
///
/// Threads:   one of its own; the driver's callbacks only queue.
/// Ownership: borrows everything; stop it before the driver's client.
class Collector {
 public:
  /// @param fence gives the epoch of a lane that this node owns, or 0.
  /// @param wake told which lane has something new.
  Collector(store::Pool& pool, journal::Keys& keys, const identity::Directory& directory, host::Driver& driver,
            const Clock& clock, Log& log, std::function<std::int64_t(int lane)> epoch,
            std::function<void(int lane)> wake);
  ~Collector();  ///< stop()
  void stop();

 private:
  /// The name, which no stream has, under which a connection's facts are asked for.
  static constexpr std::string_view kFacts = "";
  struct Stream {
    std::int64_t connection = 0;
    std::string name;
    auto operator<=>(const Stream&) const = default;
  };
  struct State {
    Bytes cursor;
    Instant due;
    int fails = 0;
    bool busy = false;
    int pages = 0;           ///< of this run
    std::set<Bytes> read;    ///< hashes of the cursors that this run read from
    std::int64_t epoch = 0;  ///< the lane's when this was read from the database; under another epoch it is read again
  };
  struct Finished {
    Stream stream;
    std::shared_ptr<const identity::World> world;
    std::vector<std::pair<adapter::HttpRequest, adapter::HttpReply>> replies;
    host::TaskEnd end;
    std::int64_t epoch = 0;  ///< of the lane when it started: what was collected under another is not ours to journal
  };

  void run(const std::stop_token& stop);
  void start_due();
  void start(const Stream& stream, State& state, const std::shared_ptr<const identity::World>& world);
  void settle(Finished finished);
  Result<void> journal_page(const Finished& finished, const identity::Connection& connection, const adapter::Page& page,
                            Instant due);
  void wait_for_limit(const Finished& finished, State& state) const;
  void start_facts(const identity::Connection& connection, std::int64_t epoch,
                   const std::shared_ptr<const identity::World>& world);
  void settle_facts(const Finished& finished, State& state);
  Result<void> keep_facts(const Finished& finished, const identity::Connection& connection);
  void failed(const Finished& finished, State& state, const std::string& reason, std::int64_t not_before_ms);
  Result<void> keep_failure(const Finished& finished, const State& state, const std::string& reason);
  Result<State> load(const Stream& stream, int lane);

  store::Pool& pool_;
  journal::Keys& keys_;
  const identity::Directory& directory_;
  host::Driver& driver_;
  const Clock& clock_;
  Log& log_;
  std::function<std::int64_t(int)> epoch_;
  std::function<void(int)> wake_;
  std::map<Stream, State> streams_;
  BoundedQueue<Finished> finished_{10'000};
  std::jthread thread_;
};

}  // namespace isthmus::intake
