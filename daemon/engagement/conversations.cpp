#include "engagement/conversations.h"

#include <simdjson.h>

#include "base/json.h"
#include "journal/outbox.h"
#include "journal/text.h"

namespace isthmus::engagement {
namespace {

using store::Param;

std::string text_at(const simdjson::dom::element& root, std::string_view pointer) {
  std::string_view text;
  return root.at_pointer(pointer).get_string().get(text) == simdjson::SUCCESS ? std::string(text) : std::string();
}

std::string first_of(std::initializer_list<std::string> candidates) {
  for (const std::string& candidate : candidates) {
    if (!candidate.empty()) return candidate;
  }
  return {};
}

}  // namespace

Result<void> Conversations::received(store::Transaction& tx, int lane, const std::vector<routing::NewEvent>& events) {
  simdjson::dom::parser parser;
  for (const routing::NewEvent& event : events) {
    if (event.event->format != "activity/1") continue;
    simdjson::dom::element body;
    if (parser.parse(event.event->body).get(body) != simdjson::SUCCESS)
      return fail("adapter.poison", "an activity is not JSON");
    Message m;
    m.connection = event.connection;
    m.kind = event.event->kind;
    m.id = first_of({text_at(body, "/object/id"), text_at(body, "/id"), event.event->dedup_key});
    m.root = text_at(body, "/isthmus/root");
    m.author =
        first_of({text_at(body, "/actor/preferredUsername"), text_at(body, "/actor/name"), text_at(body, "/actor/id")});
    m.text = text_at(body, "/object/content");
    m.url = text_at(body, "/object/url");
    m.reply_to = text_at(body, "/object/inReplyTo");
    m.record = event.record;
    m.at = from_ms(event.event->occurred_ms);
    if (auto done = add(tx, lane, std::move(m)); !done) return done;
  }
  return {};
}

Result<void> Conversations::ended(store::Transaction& tx, int lane, const std::vector<delivery::Ended>& commands) {
  simdjson::dom::parser parser;
  for (const delivery::Ended& command : commands) {
    if (command.body_format != "post/1" || command.remote_id.empty()) continue;
    simdjson::dom::element body;
    if (parser.parse(command.body).get(body) != simdjson::SUCCESS) continue;
    Message m;
    m.connection = command.connection;
    m.kind = command.verb == adapter::Verb::reply ? "social.reply" : "social.post";
    m.id = command.remote_id;
    m.reply_to = text_at(body, "/reply_to/id");
    m.root = text_at(body, "/reply_to/root");
    m.author = command.connection->name;
    m.text = text_at(body, "/text");
    m.url = command.remote_url;
    m.direction = 2;
    m.record = command.record;
    m.at = command.at;
    if (auto done = add(tx, lane, std::move(m)); !done) return done;
  }
  return {};
}

// Some networks name only the message that is answered. Its conversation is ours, or, when we do not know it, it begins
// one.
Result<std::string> Conversations::find_root(store::Transaction& tx, int lane, const Message& m) const {
  if (!m.root.empty()) return m.root;
  if (m.reply_to.empty()) return m.id;
  auto rows = tx.exec(
      "SELECT v.root FROM message m JOIN conversation v ON v.lane = m.lane AND v.id = m.conversation WHERE m.lane = $1 "
      "AND m.id = $2 AND v.connection = $3 "
      "ORDER BY m.at, v.id LIMIT 1",
      {Param::small(lane), m.reply_to, Param::integer(m.connection->id)});
  if (!rows) return fail(std::move(rows).error());
  return rows->empty() ? m.reply_to : std::string(rows->text(0, 0));
}

Result<void> Conversations::add(store::Transaction& tx, int lane, Message m) {
  // A text column takes no NUL, which JSON may hold: one odd message must not undo what else happened in this
  // transaction.
  for (std::string* text : {&m.root, &m.id, &m.kind, &m.author, &m.text, &m.url, &m.reply_to})
    *text = journal::storable(std::move(*text));
  auto root = find_root(tx, lane, m);
  if (!root) return fail(std::move(root).error());
  m.root = std::move(*root);
  const Uuid id = journal::command_id(key_, {"conversation", m.connection->uuid.bytes(), m.root});
  auto conversation = tx.exec(
      "INSERT INTO conversation (lane, id, connection, root, at) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (lane, id) DO "
      "UPDATE SET at = greatest(conversation.at, EXCLUDED.at)",
      {Param::small(lane), id, Param::integer(m.connection->id), m.root, m.at});
  if (!conversation) return fail(std::move(conversation).error());
  auto message = tx.exec(
      "INSERT INTO message (lane, conversation, id, kind, direction, author, text, url, reply_to, record, at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, nullif($8, ''), nullif($9, ''), $10, $11) ON CONFLICT DO NOTHING",
      {Param::small(lane), id, m.id, m.kind, Param::small(m.direction), m.author, m.text, m.url, m.reply_to, m.record,
       m.at});
  if (!message) return fail(std::move(message).error());
  return {};
}

Result<std::string> list_conversations(store::Connection& db, const std::string& connection, int rows_max) {
  auto rows = db.exec(
      "SELECT v.id, c.name, v.root, m.id, m.kind, m.author, m.text, coalesce(m.url, ''), coalesce(m.reply_to, ''), "
      "m.direction, m.at "
      "FROM (SELECT v.* FROM conversation v JOIN connection c ON c.id = v.connection WHERE $1 = '' OR c.name = $1 "
      "ORDER BY v.at DESC LIMIT $2) v "
      "JOIN connection c ON c.id = v.connection JOIN message m ON m.lane = v.lane AND m.conversation = v.id ORDER BY "
      "v.at DESC, v.id, m.at, m.id",
      {connection, rows_max});
  if (!rows) return fail(std::move(rows).error());
  JsonWriter w;
  w.begin_object().key("items").begin_array();
  std::optional<Uuid> open;
  for (int i = 0; i < rows->size(); ++i) {
    const Uuid id = rows->uuid(i, 0);
    if (open != id) {
      if (open) w.end_array().end_object();
      w.begin_object()
          .member("id", id.to_string())
          .member("connection", rows->text(i, 1))
          .member("root", rows->text(i, 2))
          .key("messages")
          .begin_array();
      open = id;
    }
    w.begin_object()
        .member("id", rows->text(i, 3))
        .member("kind", rows->text(i, 4))
        .member("author", rows->text(i, 5))
        .member("text", rows->text(i, 6));
    w.member("url", rows->text(i, 7))
        .member("reply_to", rows->text(i, 8))
        .member("direction", rows->number(i, 9) == 1 ? "in" : "out");
    w.member("at", to_rfc3339(rows->instant(i, 10))).end_object();
  }
  if (open) w.end_array().end_object();
  w.end_array().end_object();
  return std::move(w).text();
}

}  // namespace isthmus::engagement
