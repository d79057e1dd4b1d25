#include "publishing/publisher.h"

#include <algorithm>
#include <map>

#include "base/crypto.h"
#include "journal/lanes.h"
#include "mapping/format.h"
#include "publishing/target.h"
#include "store/repeat.h"

namespace isthmus::publishing {
namespace {

using store::Param;

bool carries(const adapter::OperationSpec& operation, adapter::Verb verb, const std::string& format) {
  return operation.verb == verb && operation.format == format;
}

}  // namespace

Result<void> Publisher::check_body(const expression::Value& body, const std::string& format) const {
  const mapping::Format* known = mapping::find_format(format);
  const std::string problem = known == nullptr ? "the format is unknown" : known->problem_with_body(body);
  if (!problem.empty()) return fail("post.invalid", format + ": " + problem);
  return {};
}

Result<std::vector<Publisher::Target>> Publisher::find_targets(const identity::World& world,
                                                               const std::vector<std::string>& names,
                                                               adapter::Verb verb, const std::string& format) const {
  std::vector<Target> targets;
  if (names.empty()) return fail("post.target", "targets is empty", "name at least one connection");
  for (const std::string& name : names) {
    Target target;
    target.connection = world.snapshot->connection(name);
    if (target.connection == nullptr) return fail("post.target", "targets: there is no connection named " + name);
    const bool twice =
        std::any_of(targets.begin(), targets.end(), [&](const Target& t) { return t.connection == target.connection; });
    if (twice) return fail("post.target", "targets: " + name + " is named twice");
    target.adapter = world.adapter_of(target.connection->id);
    if (target.adapter == nullptr)
      return fail("post.target", "targets: " + name + " may not act: " + world.suspended.at(target.connection->id));
    for (const adapter::OperationSpec& operation : target.adapter->describe().operations) {
      if (carries(operation, verb, format)) target.operation = &operation;
    }
    if (target.operation == nullptr)
      return fail("post.target", "targets: " + name + " (" + target.connection->adapter + ") takes no " + format +
                                     " to " + std::string(adapter::to_string(verb)));
    targets.push_back(target);
  }
  // Lanes are locked in rising order.
  std::sort(targets.begin(), targets.end(), [](const Target& a, const Target& b) {
    return std::pair(a.connection->lane, a.connection->id) < std::pair(b.connection->lane, b.connection->id);
  });
  return targets;
}

Result<void> Publisher::validate(const identity::World& world, const Target& target, const std::string& body) const {
  adapter::Command command;
  command.verb = target.operation->verb;
  command.operation = target.operation->name;
  command.format = target.operation->format;
  command.body = body;
  auto problems = target.adapter->validate(world.context_of(*target.connection, parts_.clock.now()), command);
  if (!problems) return fail(std::move(problems).error());
  if (problems->empty()) return {};
  std::string detail;
  for (const adapter::Problem& problem : *problems) {
    detail += (detail.empty() ? target.connection->name + ": " : "; ") + sentence_of(problem);
  }
  return fail("post.invalid", detail, "the network would refuse it");
}

void Publisher::decide(const identity::World& world, const identity::Principal& author, const std::string& action,
                       const expression::Value& body, const std::string& format, Target& target) {
  const std::vector<policy::Text> texts = policy::content_texts(format, body);
  const std::vector<std::string> rights(author.rights.begin(), author.rights.end());
  const std::string author_unit = world.snapshot->unit_name(author.unit);
  const std::string unit = world.snapshot->unit_name(target.connection->unit);
  policy::Request request;
  request.principal = {author.subject, author.kind, author_unit, rights};
  request.action = action;
  request.resource.connection = target.connection->name;
  request.resource.adapter = target.connection->adapter;
  request.resource.unit = unit;
  request.resource.operation = target.operation->name;
  request.resource.format = format;
  request.resource.author = author.subject;
  request.resource.texts = texts;
  request.resource.body = body;
  target.decision = to_row(parts_.packs()->decide(request), Uuid::random(parts_.random), target.command,
                           target.connection->id, author.id);
}

Result<void> Publisher::write(const identity::Principal& author, const std::string& body, const std::string& format,
                              const std::string& remote_id, std::vector<Target>& targets,
                              const std::function<Result<bool>(store::Transaction&)>& first) {
  const Instant now = parts_.clock.now();
  std::vector<journal::NewCommand> made;
  std::map<int, std::vector<archive::Entry>> entries;
  for (Target& target : targets) {
    const identity::Connection& c = *target.connection;
    auto& lane_entries = entries[c.lane];
    lane_entries.push_back({{archive::Kind::decision_made, c.uuid, 0, now,
                             decision_json(target.decision, c.name, author.subject, {},
                                           target.decision.effect == 4 ? body : std::string()),
                             std::nullopt},
                            c.id,
                            c.unit});
    if (target.decision.effect == 4) continue;
    journal::NewCommand command;
    command.id = target.command;
    command.lane = c.lane;
    command.connection = c.id;
    command.verb = target.operation->verb;
    command.operation = target.operation->name;
    command.order_key = crypto::hmac_sha256(parts_.installation_key.reveal(), "command/" + target.command.to_string());
    command.remote_id = remote_id;
    command.decision = target.decision.id;
    command.body_format = format;
    command.author = author.id;
    command.not_after = target.not_after;
    auto sealed = parts_.keys.seal(body, journal::body_binding(command.id));
    if (!sealed) return fail(std::move(sealed).error());
    command.body = std::move(*sealed);
    lane_entries.push_back({{archive::Kind::command_made, c.uuid, 0, now,
                             command_json(command, c.name, author.subject, body), std::nullopt},
                            c.id,
                            c.unit});
    made.push_back(std::move(command));
  }
  std::map<int, std::vector<archive::Prepared>> records;
  for (const auto& [lane, list] : entries) {
    auto prepared = parts_.recorder.prepare(list);
    if (!prepared) return fail(std::move(prepared).error());
    records.emplace(lane, std::move(*prepared));
  }
  return store::repeat_conflicts([&] { return write_once(author, body, made, records, targets, first, now); });
}

Result<void> Publisher::write_once(const identity::Principal& author, const std::string& body,
                                   const std::vector<journal::NewCommand>& made,
                                   const std::map<int, std::vector<archive::Prepared>>& records,
                                   const std::vector<Target>& targets,
                                   const std::function<Result<bool>(store::Transaction&)>& first, Instant now) {
  auto db = parts_.pool.take();
  if (!db) return fail(std::move(db).error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return fail(std::move(tx).error());
  auto go_on = first(*tx);
  if (!go_on) return fail(std::move(go_on).error());
  if (!*go_on) return {};
  for (const Target& target : targets) {
    if (auto done = journal::write_decisions(*tx, target.connection->lane, std::span(&target.decision, 1), now); !done)
      return done;
  }
  auto entered = journal::enter_ledger(*tx, made, now);
  if (!entered) return fail(std::move(entered).error());
  std::vector<journal::NewCommand> to_send;
  std::int64_t number = to_us(parts_.clock.now());  // another one when it is tried again: this may be taken
  for (const journal::NewCommand& command : made) {
    const auto target =
        std::find_if(targets.begin(), targets.end(), [&](const Target& t) { return t.command == command.id; });
    if (target->decision.effect != 3) {
      to_send.push_back(command);
      continue;
    }
    journal::Parked parked{
        number++,  4,   command, journal::ParkedState::held, now, 0, target->decision.reason, target->decision.held_for,
        author.id, body};
    if (auto done = journal::park(*tx, parts_.keys, parked); !done) return done;
  }
  if (auto done = journal::append_outbox(*tx, to_send, now); !done) return done;
  for (const auto& [lane, list] : records) {
    auto first_number =
        journal::take_numbers(*tx, journal::Stage::records, lane, static_cast<std::int64_t>(list.size()));
    if (!first_number) return fail(std::move(first_number).error());
    if (auto done = archive::Recorder::append(*tx, lane, list, *first_number); !done) return done;
  }
  if (auto done = tx->commit(); !done) return done;
  for (const journal::NewCommand& command : to_send) parts_.wake_delivery(command.lane);
  return {};
}

Result<Publisher::Created> Publisher::create(const identity::Principal& author, const expression::Value& post,
                                             const std::vector<std::string>& target_names,
                                             const std::string& idempotency_key, std::optional<Instant> not_after) {
  const Instant now = parts_.clock.now();
  if (not_after && *not_after <= now) return fail("post.invalid", "not_after: " + to_rfc3339(*not_after) + " is over");
  const std::string body = with_created_at(post, now);
  auto document = expression::Document::parse(body);
  if (!document) return fail("post.invalid", "post is not JSON");
  if (auto good = check_body(document->root(), "post/1"); !good) return fail(std::move(good).error());
  const auto world = parts_.directory.current();
  const bool is_reply = !document->root().get("reply_to").is_null();
  auto targets = find_targets(*world, target_names, is_reply ? adapter::Verb::reply : adapter::Verb::publish, "post/1");
  if (!targets) return fail(std::move(targets).error());
  std::string asked = post.to_json();
  for (const Target& target : *targets)
    asked += "\n" + target.connection->name;  // in the order of lanes, whatever the order asked
  if (not_after) asked += "\nnot after " + to_rfc3339(*not_after);
  const std::string fingerprint = crypto::sha256(asked);
  Created created{Uuid::random(parts_.random), false};
  for (Target& target : *targets) {
    if (auto good = validate(*world, target, body); !good) return fail(std::move(good).error());
    target.not_after = not_after;
    target.command = journal::command_id(
        parts_.installation_key, {created.post.bytes(), target.connection->uuid.bytes(), target.operation->name, "1"});
    decide(*world, author, is_reply ? "reply" : "publish", document->root(), "post/1", target);
  }
  const std::optional<Bytes> key =
      idempotency_key.empty() ? std::nullopt
                              : std::optional(crypto::sha256(std::to_string(author.id) + "/" + idempotency_key));
  const auto first = [&](store::Transaction& tx) -> Result<bool> {
    auto inserted = tx.exec(
        "INSERT INTO post (id, author, at, idempotency_key, fingerprint) VALUES ($1, $2, $3, $4, $5) ON CONFLICT "
        "(idempotency_key) DO NOTHING RETURNING id",
        {created.post, Param::integer(author.id), now, key ? Param::bytes(*key) : Param::null(),
         Param::bytes(fingerprint)});
    if (!inserted) return fail(std::move(inserted).error());
    if (inserted->empty()) {
      auto known = tx.exec("SELECT id, fingerprint FROM post WHERE idempotency_key = $1", {Param::bytes(*key)});
      if (!known) return fail(std::move(known).error());
      if (known->empty() || known->bytes(0, 1) != fingerprint) {
        return fail("idempotency.mismatch", "this Idempotency-Key was used for another post",
                    "use a new key for a new post");
      }
      created = {known->uuid(0, 0), true};
      return false;
    }
    for (const Target& target : *targets) {
      auto row = tx.exec(
          "INSERT INTO post_target (post, connection, lane, command) VALUES ($1, $2, $3, $4)",
          {created.post, Param::integer(target.connection->id), Param::small(target.connection->lane), target.command});
      if (!row) return fail(std::move(row).error());
    }
    return true;
  };
  const std::string remote_id(document->root().get("reply_to").get("id").as_text().value_or(""));
  if (auto done = write(author, body, "post/1", remote_id, *targets, first); !done)
    return fail(std::move(done).error());
  return created;
}

Result<Uuid> Publisher::track(const identity::Principal& author, const std::string& connection,
                              const expression::Value& metric) {
  if (auto good = check_body(metric, "metric/1"); !good) return fail(std::move(good).error());
  const auto world = parts_.directory.current();
  auto targets = find_targets(*world, {connection}, adapter::Verb::track, "metric/1");
  if (!targets) return fail(std::move(targets).error());
  Target& target = targets->front();
  const std::string body = metric.to_json();
  if (auto good = validate(*world, target, body); !good) return fail(std::move(good).error());
  target.command = Uuid::random(parts_.random);
  decide(*world, author, "track", metric, "metric/1", target);
  if (auto done =
          write(author, body, "metric/1", {}, *targets, [](store::Transaction&) -> Result<bool> { return true; });
      !done)
    return fail(std::move(done).error());
  if (target.decision.effect == 4)
    return fail("policy.forbidden", target.decision.rule + ": " + target.decision.reason);
  return target.command;
}

}  // namespace isthmus::publishing
