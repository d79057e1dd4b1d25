// Approving and rejecting: what is held is decided again, under today's rules, before anything is released.
#include "base/json.h"
#include "journal/lanes.h"
#include "publishing/target.h"
#include "store/repeat.h"

namespace isthmus::publishing {
namespace {

using store::Param;

struct HeldTarget {
  Uuid command;
  std::string hold_rule;  ///< "pack/rule"
};

// What policy holds, and what was never logged for that (stage 4). A target whose fate on the network is unknown, or
// that an administrator holds, is the operator's: an approval would send it again.
Result<std::vector<HeldTarget>> held_targets(store::Transaction& tx, const Uuid& post) {
  auto rows = tx.exec(
      "SELECT t.command, coalesce((SELECT d.pack || '/' || d.rule FROM decision d WHERE d.command = t.command AND "
      "d.effect = 3 ORDER BY d.at DESC LIMIT 1), '') "
      "FROM post_target t JOIN parked p ON p.command = t.command AND p.state = 5 AND p.stage = 4 WHERE t.post "
      "= $1 ORDER BY t.lane, t.connection",
      {post});
  if (!rows) return fail(std::move(rows).error());
  std::vector<HeldTarget> held;
  for (int i = 0; i < rows->size(); ++i) held.push_back({rows->uuid(i, 0), std::string(rows->text(i, 1))});
  if (!held.empty()) return held;
  auto known = tx.exec("SELECT 1 FROM post WHERE id = $1", {post});
  if (!known) return fail(std::move(known).error());
  if (known->empty()) return fail("post.unknown", "there is no post with this id");
  return fail("approval.nothing-held", "nothing of this post waits for an approval");
}

}  // namespace

std::string action_of(const journal::NewCommand& command) {
  if (command.verb == adapter::Verb::track) return "track";
  return command.verb == adapter::Verb::reply ? "reply" : "publish";
}

Result<journal::DecisionRow> ask(const policy::PackSet& packs, Random& random, const identity::World& world,
                                 const identity::Principal& principal, const std::string& action,
                                 const identity::Connection& connection, const journal::Parked& parked,
                                 const std::vector<std::string>& released) {
  auto document = expression::Document::parse(parked.body);
  if (!document) return fail(std::move(document).error());
  const identity::Principal* author = world.snapshot->principal(parked.author);
  const std::vector<policy::Text> texts = policy::content_texts(parked.command.body_format, document->root());
  const std::vector<std::string> rights(principal.rights.begin(), principal.rights.end());
  const std::string principal_unit = world.snapshot->unit_name(principal.unit);
  const std::string unit = world.snapshot->unit_name(connection.unit);
  policy::Request request;
  request.principal = {principal.subject, principal.kind, principal_unit, rights};
  request.action = action;
  request.resource.connection = connection.name;
  request.resource.adapter = connection.adapter;
  request.resource.unit = unit;
  request.resource.operation = parked.command.operation;
  request.resource.format = parked.command.body_format;
  if (author != nullptr) request.resource.author = author->subject;
  request.resource.texts = texts;
  request.resource.body = document->root();
  request.released = released;
  return to_row(packs.decide(request), Uuid::random(random), parked.command.id, connection.id, principal.id);
}

Result<journal::DecisionRow> Publisher::decide_release(const identity::World& world,
                                                       const identity::Principal& reviewer,
                                                       const journal::Parked& parked) const {
  const identity::Connection* connection = world.snapshot->connection(parked.command.connection);
  if (connection == nullptr || world.snapshot->principal(parked.author) == nullptr) {
    return fail("post.target", "the connection or the author of this post is gone");
  }
  return ask(*parts_.packs(), parts_.random, world, reviewer, "release", *connection, parked, {});
}

Result<journal::DecisionRow> Publisher::decide_again(const identity::World& world, const identity::Principal& author,
                                                     const identity::Connection& connection,
                                                     const journal::Parked& parked,
                                                     const std::string& released_rule) const {
  return ask(*parts_.packs(), parts_.random, world, author, action_of(parked.command), connection, parked,
             {released_rule});
}

Result<void> Publisher::validate_again(const identity::World& world, const journal::Parked& parked) const {
  Target target;
  target.connection = world.snapshot->connection(parked.command.connection);
  target.adapter = world.adapter_of(parked.command.connection);
  if (target.connection == nullptr || target.adapter == nullptr) return {};  // suspended: it waits in the outbox
  for (const adapter::OperationSpec& operation : target.adapter->describe().operations) {
    if (operation.name == parked.command.operation) target.operation = &operation;
  }
  return target.operation == nullptr ? Result<void>() : validate(world, target, parked.body);
}

Result<void> Publisher::review(const identity::Principal& reviewer, const Uuid& post, Review review,
                               const std::string& comment) {
  const Instant now = parts_.clock.now();
  const auto world = parts_.directory.current();
  // Today's keys are fetched before the transaction, which must not wait for another connection.
  const auto day = static_cast<std::int32_t>(std::chrono::floor<std::chrono::days>(now).time_since_epoch().count());
  if (auto key = parts_.recorder.day_key(day, true); !key) return fail(std::move(key).error());
  if (auto key = parts_.keys.seal("", "warm"); !key) return fail(std::move(key).error());
  return store::repeat_conflicts([&] { return review_once(*world, reviewer, post, review, comment, now); });
}

Result<void> Publisher::review_once(const identity::World& world, const identity::Principal& reviewer, const Uuid& post,
                                    Review review, const std::string& comment, Instant now) {
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  auto held = held_targets(*tx, post);
  if (!held) return fail(std::move(held).error());
  std::vector<journal::NewCommand> to_send;
  std::vector<archive::Entry> entries;
  int record_lane = 0;
  for (const HeldTarget& target : *held) {
    auto parked = journal::find_parked(*tx, parts_.keys, target.command);
    if (!parked) return fail(std::move(parked).error());
    if (!*parked) continue;
    journal::Parked& p = **parked;
    auto may = decide_release(world, reviewer, p);
    if (!may) return fail(std::move(may).error());
    if (may->effect >= 3) return fail("approval.forbidden", may->pack + "/" + may->rule + ": " + may->reason);
    const identity::Connection& connection = *world.snapshot->connection(p.command.connection);
    record_lane = connection.lane;
    journal::DecisionRow decision = *may;
    if (review == Review::approve) {
      const identity::Principal& author = *world.snapshot->principal(p.author);
      auto today = decide_again(world, author, connection, p, target.hold_rule);
      if (!today) return fail(std::move(today).error());
      if (today->effect >= 3)
        return fail("approval.forbidden",
                    "under today's rules: " + today->pack + "/" + today->rule + ": " + today->reason);
      if (auto good = validate_again(world, p); !good) return good;
      auto sealed = parts_.keys.seal(p.body, journal::body_binding(p.command.id));
      if (!sealed) return fail(std::move(sealed).error());
      p.command.body = std::move(*sealed);
      p.command.decision = decision.id;
      to_send.push_back(p.command);
      if (auto done = journal::unpark(*tx, p); !done) return done;
    } else {
      decision.effect = 4;
      decision.rule = "review.rejected";
      decision.pack = "built-in";
      decision.reason = comment.empty() ? "rejected by " + reviewer.subject : comment;
      p.state = journal::ParkedState::dead;
      p.reason = "rejected by " + reviewer.subject;
      if (auto done = journal::repark(*tx, p); !done) return done;
    }
    if (auto done = journal::write_decisions(*tx, connection.lane, std::span(&decision, 1), now); !done) return done;
    entries.push_back({{archive::Kind::decision_made, connection.uuid, 0, now,
                        decision_json(decision, connection.name, reviewer.subject, comment), std::nullopt},
                       connection.id,
                       connection.unit});
  }
  auto records = parts_.recorder.prepare(entries);
  if (!records) return fail(std::move(records).error());
  if (auto done = journal::append_outbox(*tx, to_send, now); !done) return done;
  auto first =
      journal::take_numbers(*tx, journal::Stage::records, record_lane, static_cast<std::int64_t>(records->size()));
  if (!first) return fail(std::move(first).error());
  if (auto done = archive::Recorder::append(*tx, record_lane, *records, *first); !done) return done;
  if (auto done = tx->commit(); !done) return done;
  for (const journal::NewCommand& command : to_send) parts_.wake_delivery(command.lane);
  return {};
}

}  // namespace isthmus::publishing
