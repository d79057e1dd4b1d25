#include "publishing/target.h"

#include "base/json.h"

namespace isthmus::publishing {

journal::DecisionRow to_row(const policy::Decision& decision, const Uuid& id, const Uuid& command,
                            std::int64_t connection, std::int64_t principal) {
  journal::DecisionRow row;
  row.id = id;
  row.command = command;
  row.connection = connection;
  row.effect = static_cast<int>(decision.effect) + 1;
  row.rule = decision.rule;
  row.pack = decision.pack;
  row.pack_version = decision.pack_version;
  row.reason = decision.reason_en;
  row.held_for = decision.held_for;
  row.principal = principal;
  if (decision.match) row.span = {decision.match->begin, decision.match->end};
  return row;
}

std::string decision_json(const journal::DecisionRow& row, const std::string& target, const std::string& principal,
                          const std::string& comment, const std::string& refused_body) {
  JsonWriter w;
  w.begin_object()
      .member("id", row.id.to_string())
      .member("effect", row.effect)
      .member("rule", row.rule)
      .member("pack", row.pack);
  w.member("version", row.pack_version)
      .member("reason", row.reason)
      .member("target", target)
      .member("principal", principal);
  if (row.command) w.member("command", row.command->to_string());
  if (!row.held_for.empty()) w.member("held_for", row.held_for);
  if (row.span)
    w.key("span")
        .begin_array()
        .value(std::uint64_t{row.span->first})
        .value(std::uint64_t{row.span->second})
        .end_array();
  if (!comment.empty()) w.member("comment", comment);
  if (!refused_body.empty()) w.key("body").raw(refused_body);
  w.end_object();
  return std::move(w).text();
}

std::string command_json(const journal::NewCommand& command, const std::string& target, const std::string& author,
                         const std::string& body) {
  JsonWriter w;
  w.begin_object().member("command", command.id.to_string()).member("target", target).member("author", author);
  w.member("verb", adapter::to_string(command.verb))
      .member("operation", command.operation)
      .member("format", command.body_format);
  w.key("body").raw(body).end_object();
  return std::move(w).text();
}

std::string with_created_at(const expression::Value& post, Instant now) {
  JsonWriter w;
  w.begin_object();
  for (const auto& [name, value] : post.members()) {
    w.key(name);
    value.to_json(w);
  }
  if (post.get("created_at").is_null()) w.member("created_at", to_rfc3339(now));
  w.end_object();
  return std::move(w).text();
}

std::string sentence_of(const adapter::Problem& problem) {
  const auto value = [&](const char* name) {
    const auto found = problem.values.find(name);
    return found == problem.values.end() ? std::string("?") : found->second;
  };
  const auto too_many = [&](const std::string& what) { return what + ", " + value("max") + " are allowed"; };
  std::string said;
  if (problem.code == "text.too-long") said = too_many("the text has " + value("found") + " characters");
  if (problem.code == "text.too-many-bytes") said = too_many("the text has " + value("found") + " bytes");
  if (problem.code == "media.too-many") said = too_many("the post has " + value("found") + " media");
  if (problem.code == "media.too-large") said = too_many("a medium has " + value("found") + " bytes");
  if (problem.code == "media.type") said = "media of type " + value("found") + " are not taken";
  if (problem.code == "field.required") said = problem.field + " is missing";
  if (!said.empty()) return said + " (" + problem.code + ")";
  said = problem.field + ": " + problem.code;
  for (const auto& [name, text] : problem.values) said += " " + name + "=" + text;
  return said;
}

}  // namespace isthmus::publishing
