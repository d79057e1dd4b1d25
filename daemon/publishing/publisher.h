#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "archive/recorder.h"
#include "base/clock.h"
#include "base/random.h"
#include "expression/value.h"
#include "identity/directory.h"
#include "journal/decisions.h"
#include "journal/keys.h"
#include "journal/outbox.h"
#include "journal/parked.h"
#include "policy/pack_set.h"
#include "store/pool.h"

namespace isthmus::publishing {

/// What a person asks for: posts to several connections, approvals, tracked actions. Each target is decided by policy
/// and gets a state of its own; decisions, ledger, outbox or parked rows and records commit together.
///
/// Threads:   any; calls block on the database.
/// Ownership: borrows everything it is given.
/// Errors:    post.invalid (the body is not post/1, names the field), post.target (an unknown connection, or one that
/// cannot publish),
///            post.unknown, approval.forbidden (policy says no: the author's own, or no right), approval.nothing-held,
///            idempotency.mismatch (the same key with another body), those of the store.
class Publisher {
 public:
  struct Parts {
    store::Pool& pool;
    journal::Keys& keys;
    archive::Recorder& recorder;
    const identity::Directory& directory;
    const Clock& clock;
    Random& random;
    const Secret& installation_key;
    std::function<std::shared_ptr<const policy::PackSet>()> packs;
    std::function<void(int lane)> wake_delivery;
  };
  explicit Publisher(Parts parts) : parts_(std::move(parts)) {}

  struct Created {
    Uuid post;
    bool again = false;  ///< the same idempotency key and body as before: nothing new was made
  };
  /// @param post       JSON of post/1; created_at is set when it is absent.
  /// @param not_after  what was not sent by then is not sent any more; it ends as expired.
  [[nodiscard]] Result<Created> create(const identity::Principal& author, const expression::Value& post,
                                       const std::vector<std::string>& targets, const std::string& idempotency_key,
                                       std::optional<Instant> not_after = std::nullopt);
  enum class Review { approve, reject };
  [[nodiscard]] Result<void> review(const identity::Principal& reviewer, const Uuid& post, Review review,
                                    const std::string& comment);
  /// One metric/1 to an analytics system; the command's id.
  [[nodiscard]] Result<Uuid> track(const identity::Principal& author, const std::string& connection,
                                   const expression::Value& metric);

 private:
  struct Target;
  Result<std::vector<Target>> find_targets(const identity::World& world, const std::vector<std::string>& names,
                                           adapter::Verb verb, const std::string& format) const;
  Result<void> check_body(const expression::Value& body, const std::string& format) const;
  Result<void> validate(const identity::World& world, const Target& target, const std::string& body) const;
  /// A post that waited: its network may take less today than when it was written.
  Result<void> validate_again(const identity::World& world, const journal::Parked& parked) const;
  void decide(const identity::World& world, const identity::Principal& author, const std::string& action,
              const expression::Value& body, const std::string& format, Target& target);
  Result<void> write(const identity::Principal& author, const std::string& body, const std::string& format,
                     const std::string& remote_id, std::vector<Target>& targets,
                     const std::function<Result<bool>(store::Transaction&)>& first);
  Result<void> write_once(const identity::Principal& author, const std::string& body,
                          const std::vector<journal::NewCommand>& made,
                          const std::map<int, std::vector<archive::Prepared>>& records,
                          const std::vector<Target>& targets,
                          const std::function<Result<bool>(store::Transaction&)>& first, Instant now);
  Result<void> review_once(const identity::World& world, const identity::Principal& reviewer, const Uuid& post,
                           Review review, const std::string& comment, Instant now);
  Result<journal::DecisionRow> decide_release(const identity::World& world, const identity::Principal& reviewer,
                                              const journal::Parked& parked) const;
  /// The post itself under today's rules, without the hold that a person releases now.
  Result<journal::DecisionRow> decide_again(const identity::World& world, const identity::Principal& author,
                                            const identity::Connection& connection, const journal::Parked& parked,
                                            const std::string& released_rule) const;

  Parts parts_;
};

}  // namespace isthmus::publishing
