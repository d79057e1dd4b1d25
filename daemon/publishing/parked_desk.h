#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "archive/recorder.h"
#include "base/log.h"
#include "base/random.h"
#include "identity/directory.h"
#include "journal/calls.h"
#include "journal/decisions.h"
#include "journal/keys.h"
#include "journal/parked.h"
#include "routing/plan.h"
#include "store/pool.h"

namespace isthmus::publishing {

/// What an administrator does with parked commands, and with calls that stand beside the log. Each act commits with its
/// record in the archive.
///
/// A release sends a command that is held, scheduled or dead again, from the log's tail, under its own id. Before that,
/// policy and purposes are decided again under today's versions, and an event that was never mapped is mapped with
/// today's mapping; a denial keeps the command parked with the rule and its reason.
///
/// Threads:   any; calls block on the database.
/// Ownership: borrows everything it is given.
/// Errors:    parked.unknown, parked.behind (an earlier command of its key is the one to retry), parked.call (it is a
/// call:
///            the quarantine's verbs), parked.needs-approval (a post that a rule holds: another subject releases it
///            through the API), parked.rejected (a post that a person rejected), parked.denied (names the rule),
///            parked.state (the act is not for what is in this state), those of the store.
class ParkedDesk {
 public:
  struct Parts {
    store::Pool& pool;
    journal::Keys& keys;
    archive::Recorder& recorder;
    const identity::Directory& directory;
    const Clock& clock;
    Random& random;
    Log& log;
    const Secret& installation_key;
    routing::FindMapping find_mapping;
    routing::CurrentPacks packs;
    std::function<void(int lane)> wake_delivery;    ///< something was appended
    std::function<void(int lane)> reread_delivery;  ///< rows that it knows were changed
  };
  explicit ParkedDesk(Parts parts) : parts_(std::move(parts)) {}

  enum class Retried { due, released };
  /// What waits for another try is due now, in its place; what is held, scheduled or dead is released.
  [[nodiscard]] Result<Retried> retry(const Uuid& command);
  /// What waits for another try, or behind one, waits for a person's retry instead. Later ones of its key flow.
  [[nodiscard]] Result<void> hold(const Uuid& command);
  /// What waits or is held becomes a dead letter.
  [[nodiscard]] Result<void> drop(const Uuid& command);

  enum class Reread { routed, waits };
  /// A call that stands beside the log (quarantined, or dropped before) is read again by the owner of its lane; waits a
  /// few seconds for what comes of it. Errors: quarantine.unknown, quarantine.state, quarantine.again (why it still
  /// cannot be read).
  [[nodiscard]] Result<Reread> retry_call(const Uuid& call);
  /// It is read no more, and stays with its bytes. Errors: quarantine.unknown, quarantine.state.
  [[nodiscard]] Result<void> drop_call(const Uuid& call);

 private:
  struct Judged {
    std::vector<journal::DecisionRow> decisions;  ///< the last one counts
    std::vector<archive::Entry> entries;
    std::optional<routing::PlannedCommand> permitted;
  };
  Result<void> warm_keys();
  Result<Retried> retry_once(const Uuid& command);
  Result<journal::CallPlace> change_call(const Uuid& call, journal::ParkedState to, const std::string& what);
  Result<void> change_once(const Uuid& command, const std::string& what);
  Result<Retried> release(store::Transaction& tx, journal::Parked parked);
  Result<void> keep(store::Transaction& tx, journal::Parked& parked, Judged& judged);
  Result<Judged> judge(store::Transaction& tx, const identity::World& world, const journal::Parked& parked);
  Result<Judged> judge_authored(store::Transaction& tx, const identity::World& world,
                                const identity::Connection& target, const journal::Parked& parked);
  Judged refused(const identity::Connection& target, const journal::Parked& parked, const std::string& rule,
                 const std::string& reason);
  Result<void> record(store::Transaction& tx, int lane, std::vector<archive::Entry> entries);
  archive::Entry act(const std::string& what, const Uuid& command, std::int64_t connection,
                     const std::string& outcome) const;
  Result<void> change(const Uuid& command, const std::string& what);

  Parts parts_;
};

}  // namespace isthmus::publishing
