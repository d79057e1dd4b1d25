#include "publishing/parked_desk.h"

#include "base/json.h"
#include "events/events.h"
#include "journal/lanes.h"
#include "journal/release.h"
#include "publishing/target.h"
#include "store/repeat.h"

namespace isthmus::publishing {
namespace {

using journal::ParkedState;
using store::Param;

tl::unexpected<Error> unknown() {
  return fail("parked.unknown", "no parked command has this id", "isthmus parked list shows those there are");
}

std::string rule_of(const journal::DecisionRow& row) { return row.pack + "/" + row.rule; }

// Holds that do not hold again. A person's text: what another subject approved when it was made; a later hold of a
// release that was denied is nobody's approval. A route's command has no author who could not release it: whoever acts
// here knows the rule that the list shows.
Result<std::vector<std::string>> released_rules(store::Transaction& tx, const journal::Parked& parked) {
  auto rows = tx.exec(
      "SELECT DISTINCT pack || '/' || rule FROM decision WHERE command = $1 AND effect = 3 AND ($2 = 0 OR principal = "
      "$2)",
      {parked.command.id, Param::integer(parked.author)});
  if (!rows) return fail(std::move(rows).error());
  std::vector<std::string> rules;
  for (int i = 0; i < rows->size(); ++i) rules.emplace_back(rows->text(i, 0));
  return rules;
}

// A post waits for another subject, or was rejected by one: neither is the administrator's to send.
Result<void> not_for_review(store::Transaction& tx, const journal::Parked& parked) {
  if (parked.stage != 4 || parked.author == 0) return {};
  auto rows = tx.exec("SELECT post FROM post_target WHERE command = $1", {parked.command.id});
  if (!rows) return fail(std::move(rows).error());
  if (rows->empty()) return {};
  if (parked.state == ParkedState::dead)
    return fail("parked.rejected", "this post was rejected by a person", "what shall be said is a new post");
  return fail("parked.needs-approval", "a rule holds this post until another subject approves it",
              "POST /api/v1/posts/" + rows->uuid(0, 0).to_string() + "/approve with the key of somebody who may");
}

std::string denial(const journal::Parked& parked, const journal::DecisionRow& row) {
  static constexpr std::string_view kBefore = "; before: ";
  const std::string text = "not released: " + rule_of(row) + ": " + row.reason;
  if (parked.state != ParkedState::dead) return text;
  // The evidence of a dead letter stays, once.
  const auto before = parked.reason.starts_with("not released: ") ? parked.reason.find(kBefore) : std::string::npos;
  return text + std::string(kBefore) +
         (before == std::string::npos ? parked.reason : parked.reason.substr(before + kBefore.size()));
}

}  // namespace

Result<ParkedDesk::Retried> ParkedDesk::retry(const Uuid& command) {
  if (auto warm = warm_keys(); !warm) return fail(std::move(warm).error());
  return store::repeat_conflicts([&] { return retry_once(command); });
}

Result<ParkedDesk::Retried> ParkedDesk::retry_once(const Uuid& command) {
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  auto lane = tx->exec("SELECT lane FROM parked WHERE command = $1", {command});
  if (!lane) return fail(std::move(lane).error());
  if (lane->empty()) return unknown();
  if (auto still = journal::keep_still(*tx, static_cast<int>(lane->number(0, 0))); !still)
    return fail(std::move(still).error());
  auto parked = journal::find_parked(*tx, parts_.keys, command);
  if (!parked) return fail(std::move(parked).error());
  if (!*parked) return unknown();
  switch ((*parked)->state) {
    case ParkedState::retry:
    case ParkedState::ambiguous: {
      const int of_lane = (*parked)->command.lane;
      auto due = journal::make_due(*tx, command, parts_.clock.now());
      if (!due) return fail(std::move(due).error());
      if (auto done = record(*tx, of_lane, {act("parked.retry", command, (*parked)->command.connection, "due")}); !done)
        return fail(std::move(done).error());
      if (auto done = tx->commit(); !done) return fail(std::move(done).error());
      parts_.reread_delivery(of_lane);
      return Retried::due;
    }
    case ParkedState::behind:
      return fail("parked.behind", "an earlier command of the same object waits, and this one behind it",
                  "retry or drop the earlier one");
    case ParkedState::quarantined_call:
      return fail("parked.call", "this is a call that could not be read, not a command", "isthmus quarantine retry");
    case ParkedState::scheduled:
    case ParkedState::held:
    case ParkedState::dead:
      if ((*parked)->stage == 1)
        return fail("parked.call", "this is a call from outside, not a command", "isthmus quarantine list");
      return release(*tx, std::move(**parked));
  }
  return unknown();
}

Result<void> ParkedDesk::hold(const Uuid& command) { return change(command, "hold"); }
Result<void> ParkedDesk::drop(const Uuid& command) { return change(command, "drop"); }

Result<void> ParkedDesk::change(const Uuid& command, const std::string& what) {
  if (auto warm = warm_keys(); !warm) return warm;
  return store::repeat_conflicts([&] { return change_once(command, what); });
}

Result<void> ParkedDesk::change_once(const Uuid& command, const std::string& what) {
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  auto lane = tx->exec("SELECT lane FROM parked WHERE command = $1 AND stage <> 1", {command});
  if (!lane) return fail(std::move(lane).error());
  if (lane->empty()) return unknown();
  if (auto still = journal::keep_still(*tx, static_cast<int>(lane->number(0, 0))); !still) return still;
  auto place = what == "hold" ? journal::hold_parked(*tx, command) : journal::drop_parked(*tx, command);
  if (!place) return fail(std::move(place).error());
  if (!*place) {
    return fail("parked.state", what == "hold" ? "only what waits for another try, or behind one, can be held"
                                               : "it is a dead letter already");
  }
  if (auto done = record(*tx, (*place)->lane, {act("parked." + what, command, (*place)->connection, "done")}); !done)
    return done;
  if (auto done = tx->commit(); !done) return done;
  parts_.reread_delivery((*place)->lane);
  return {};
}

// Today's keys are fetched before a transaction, which must not wait for another connection.
Result<void> ParkedDesk::warm_keys() {
  const auto day = std::chrono::floor<std::chrono::days>(parts_.clock.now()).time_since_epoch().count();
  if (auto key = parts_.recorder.day_key(static_cast<std::int32_t>(day), true); !key)
    return fail(std::move(key).error());
  if (auto key = parts_.keys.seal("", "warm"); !key) return fail(std::move(key).error());
  return {};
}

Result<ParkedDesk::Retried> ParkedDesk::release(store::Transaction& tx, journal::Parked parked) {
  if (auto done = not_for_review(tx, parked); !done) return fail(std::move(done).error());
  const auto world = parts_.directory.current();
  auto judged = judge(tx, *world, parked);
  if (!judged) return fail(std::move(judged).error());
  const Uuid id = parked.command.id;
  const int lane = parked.command.lane;
  if (!judged->permitted) {
    if (auto done = keep(tx, parked, *judged); !done) return fail(std::move(done).error());
    return fail("parked.denied", parked.reason, "it stays parked; mend what the rule names and retry it");
  }
  const Instant now = parts_.clock.now();
  journal::NewCommand again = std::move(judged->permitted->command);
  auto sealed = parts_.keys.seal(judged->permitted->body, journal::body_binding(id));
  if (!sealed) return fail(std::move(sealed).error());
  again.body = std::move(*sealed);
  if (auto done = journal::write_decisions(tx, lane, judged->decisions, now); !done)
    return fail(std::move(done).error());
  if (auto done = journal::release(tx, parked, again, "released by an administrator", now); !done)
    return fail(std::move(done).error());
  judged->entries.push_back(act("parked.retry", id, again.connection, "released"));
  if (auto done = record(tx, lane, std::move(judged->entries)); !done) return fail(std::move(done).error());
  if (auto done = tx.commit(); !done) return fail(std::move(done).error());
  events::parked_command_released(parts_.log, {.connection = again.connection, .command = id.to_string()});
  parts_.wake_delivery(lane);
  return Retried::released;
}

Result<void> ParkedDesk::keep(store::Transaction& tx, journal::Parked& parked, Judged& judged) {
  const journal::DecisionRow& last = judged.decisions.back();
  parked.reason = denial(parked, last);
  if (!last.held_for.empty()) parked.held_for = last.held_for;
  if (auto done = journal::write_decisions(tx, parked.command.lane, judged.decisions, parts_.clock.now()); !done)
    return done;
  if (auto done = journal::keep_parked(tx, parked); !done) return done;
  judged.entries.push_back(act("parked.retry", parked.command.id, parked.command.connection, "denied"));
  if (auto done = record(tx, parked.command.lane, std::move(judged.entries)); !done) return done;
  if (auto done = tx.commit(); !done) return done;
  events::parked_release_denied(
      parts_.log,
      {.connection = parked.command.connection, .command = parked.command.id.to_string(), .rule = rule_of(last)});
  return {};
}

Result<ParkedDesk::Judged> ParkedDesk::judge(store::Transaction& tx, const identity::World& world,
                                             const journal::Parked& parked) {
  const identity::Connection* target = world.snapshot->connection(parked.command.connection);
  if (target == nullptr)
    return fail("parked.target", "the connection that it would go to was removed", "isthmus parked drop");
  if (parked.author != 0) return judge_authored(tx, world, *target, parked);
  if (parked.command.route.empty())
    return refused(*target, parked, "origin.unknown", "nothing tells which route or person made it");
  auto released = released_rules(tx, parked);
  if (!released) return fail(std::move(released).error());
  routing::Planner planner(parts_.installation_key, parts_.find_mapping, parts_.packs, parts_.random);
  routing::EventPlan plan = planner.plan_again(world, parked, std::move(*released), parts_.clock.now());
  Judged judged{std::move(plan.decisions), std::move(plan.entries), std::nullopt};
  if (!plan.commands.empty() && !plan.commands.front().held_for) judged.permitted = std::move(plan.commands.front());
  return judged;
}

// A person's or machine's own text: the same question as when it was made.
Result<ParkedDesk::Judged> ParkedDesk::judge_authored(store::Transaction& tx, const identity::World& world,
                                                      const identity::Connection& target,
                                                      const journal::Parked& parked) {
  const identity::Principal* author = world.snapshot->principal(parked.author);
  if (author == nullptr) return refused(target, parked, "author.gone", "its author was removed");
  if (const auto why = world.suspended.find(target.id); why != world.suspended.end())
    return refused(target, parked, "target.suspended", why->second);
  auto released = released_rules(tx, parked);
  if (!released) return fail(std::move(released).error());
  auto row = ask(*parts_.packs(), parts_.random, world, *author, action_of(parked.command), target, parked, *released);
  if (!row) return fail(std::move(row).error());
  row->principal = 0;  // nobody asked through the API: an administrator did
  Judged judged;
  if (row->effect < 3) {
    routing::PlannedCommand permitted;
    permitted.command = parked.command;
    permitted.command.decision = row->id;
    permitted.body = parked.body;
    judged.permitted = std::move(permitted);
  }
  judged.entries.push_back(
      {{archive::Kind::decision_made, target.uuid, 0, parts_.clock.now(),
        decision_json(*row, target.name, author->subject, "a release by an administrator"), std::nullopt},
       target.id,
       target.unit});
  judged.decisions.push_back(std::move(*row));
  return judged;
}

ParkedDesk::Judged ParkedDesk::refused(const identity::Connection& target, const journal::Parked& parked,
                                       const std::string& rule, const std::string& reason) {
  journal::DecisionRow row;
  row.id = Uuid::random(parts_.random);
  row.command = parked.command.id;
  row.connection = target.id;
  row.rule = rule;
  row.pack = "built-in";
  row.pack_version = "1";
  row.reason = reason;
  Judged judged;
  judged.entries.push_back({{archive::Kind::decision_made, target.uuid, 0, parts_.clock.now(),
                             decision_json(row, target.name, "", "a release by an administrator"), std::nullopt},
                            target.id,
                            target.unit});
  judged.decisions.push_back(std::move(row));
  return judged;
}

archive::Entry ParkedDesk::act(const std::string& what, const Uuid& command, std::int64_t connection,
                               const std::string& outcome) const {
  const auto world = parts_.directory.current();
  const identity::Connection* target = world->snapshot->connection(connection);
  JsonWriter w;
  w.begin_object().member("act", what).member("by", "administrator").member("command", command.to_string());
  w.member("connection", target == nullptr ? std::string() : target->name).member("outcome", outcome).end_object();
  return {{archive::Kind::act_done, target == nullptr ? std::nullopt : std::optional(target->uuid), 0,
           parts_.clock.now(), std::move(w).text(), std::nullopt},
          connection,
          target == nullptr ? 0 : target->unit};
}

Result<void> ParkedDesk::record(store::Transaction& tx, int lane, std::vector<archive::Entry> entries) {
  auto records = parts_.recorder.prepare(entries);
  if (!records) return fail(std::move(records).error());
  auto first = journal::take_numbers(tx, journal::Stage::records, lane, static_cast<std::int64_t>(records->size()));
  if (!first) return fail(std::move(first).error());
  return archive::Recorder::append(tx, lane, *records, *first);
}

}  // namespace isthmus::publishing
