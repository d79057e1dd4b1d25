#include "api/control.h"

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>

#include "api/views.h"
#include "archive/stored_tree.h"
#include "base/crypto.h"
#include "base/json.h"
#include "journal/books.h"

namespace isthmus::api {
namespace {

http::Response from_error(const Error& error) {
  const bool later = error.code == "store.unavailable" || error.code == "store.conflict";
  return http::problem(later                                                                        ? 503
                       : error.code == "store.refused"                                              ? 500
                       : error.code.ends_with("unknown")                                            ? 404
                       : error.code.starts_with("parked.") || error.code.starts_with("quarantine.") ? 409
                                                                                                    : 422,
                       error);
}

/// Whether a query asks for a dry run: "", "dry_run=true" or "dry_run=false". Anything else must not end in a real
/// change.
Result<bool> asks_dry_run(const std::string& query) {
  if (query.empty() || query == "dry_run=false") return false;
  if (query == "dry_run=true") return true;
  return fail("control.query", "the query " + query + " is not known", "dry_run=true or dry_run=false");
}

http::Response from_diagnostics(const Diagnostics& diagnostics) {
  JsonWriter w;
  w.begin_object()
      .member("type", "urn:isthmus:problem:apply.refused")
      .member("title", "Unprocessable Content")
      .member("status", 422);
  w.member("detail", "the file has mistakes; nothing was changed")
      .member("code", "apply.refused")
      .key("diagnostics")
      .begin_array();
  for (const Diagnostic& d : diagnostics.list()) {
    w.begin_object()
        .member("file", d.file)
        .member("line", d.line)
        .member("column", d.column)
        .member("code", d.code)
        .member("path", d.path);
    w.member("message", d.message)
        .member("severity", d.severity == Diagnostic::Severity::error ? "error" : "warning")
        .end_object();
  }
  w.end_array().end_object();
  http::Response response = http::json_response(422, std::move(w).text());
  response.headers.set("Content-Type", "application/problem+json");
  return response;
}

std::string changes_json(const std::vector<config::ApplyChange>& changes, bool dry_run) {
  using Kind = config::ApplyChange::Kind;
  JsonWriter w;
  w.begin_object().member("dry_run", dry_run).key("changes").begin_array();
  for (const config::ApplyChange& change : changes) {
    w.begin_object().member("action", change.kind == Kind::add      ? "add"
                                      : change.kind == Kind::change ? "change"
                                                                    : "remove");
    w.member("section", change.section).member("name", change.name).key("attributes").begin_array();
    for (const auto& attribute : change.attributes) {
      w.begin_object()
          .member("name", attribute.name)
          .member("before", attribute.before)
          .member("after", attribute.after)
          .end_object();
    }
    w.end_array().end_object();
  }
  w.end_array().end_object();
  return std::move(w).text();
}

Result<std::string> read_file(const std::filesystem::path& file) {
  std::error_code ignored;
  std::ifstream in(file, std::ios::binary);
  if (!in || !std::filesystem::is_regular_file(file, ignored))
    return fail("export.unknown", "the bag has no such file");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

http::Response Control::handle(const http::Request& request) {
  const auto segments = http::path_segments(request.path);
  if (!segments || segments->size() < 3 || (*segments)[0] != "control" || (*segments)[1] != "v1")
    return http::problem(404, "control.unknown", "there is nothing at this address");
  const std::vector<std::string> path(segments->begin() + 2, segments->end());
  const std::string& method = request.method;
  if (method == "GET") return get(path, request.query);
  if (method == "POST" && path == std::vector<std::string>{"apply"}) return apply(request);
  if (method == "POST" && path == std::vector<std::string>{"reload"}) {
    auto done = parts_.reload();
    return done ? http::json_response(200, std::move(*done)) : from_error(done.error());
  }
  if (method == "PUT" && path.size() == 4 && path[0] == "connections" && path[2] == "secrets")
    return put_secret(request, path[1], path[3]);
  if (method == "POST" && path.size() == 3 && path[0] == "parked") return parked_act(path[1], path[2]);
  if (method == "POST" && path.size() == 3 && path[0] == "quarantine") return quarantine_act(path[1], path[2]);
  if (method == "POST" && path == std::vector<std::string>{"archive", "export"}) return archive_export();
  if (method == "DELETE" && path.size() == 3 && path[0] == "archive" && path[1] == "export" && Uuid::parse(path[2])) {
    std::error_code ignored;  // what is gone already needs no removal
    std::filesystem::remove_all(parts_.exports / path[2], ignored);
    return {204, {}, {}};
  }
  return http::problem(404, "control.unknown", "there is nothing at this address");
}

http::Response Control::get(const std::vector<std::string>& path, const std::string& query) {
  if (path == std::vector<std::string>{"status"}) return http::json_response(200, parts_.status());
  if (path == std::vector<std::string>{"export"}) return export_yaml();
  if (path == std::vector<std::string>{"archive", "key"}) return http::text_response(200, parts_.log_key + "\n");
  if (path.size() == 4 && path[0] == "archive" && path[1] == "export" && path[3] == "file")
    return archive_file(path[2], query);
  auto db = parts_.pool.take();
  if (!db) return from_error(db.error());
  if (path == std::vector<std::string>{"books"}) {
    auto books = journal::read_books(**db);
    return books ? http::json_response(200, books->to_json()) : from_error(books.error());
  }
  if (path == std::vector<std::string>{"parked"}) {
    auto parked = view_parked(**db);
    return parked ? http::json_response(200, std::move(*parked)) : from_error(parked.error());
  }
  if (path == std::vector<std::string>{"quarantine"}) {
    auto calls = view_quarantine(**db);
    return calls ? http::json_response(200, std::move(*calls)) : from_error(calls.error());
  }
  return http::problem(404, "control.unknown", "there is nothing at this address");
}

http::Response Control::apply(const http::Request& request) {
  const std::string name(request.headers.only("X-File-Name").value_or("apply.yaml"));
  const auto dry_run = asks_dry_run(request.query);
  if (!dry_run) return http::problem(400, dry_run.error());
  Diagnostics diagnostics;
  const auto file = config::ApplyFile::parse(request.body, name, diagnostics);
  if (file) identity::check_against_installed(*file, name, parts_.installed, diagnostics);
  if (!file || diagnostics.has_errors()) return from_diagnostics(diagnostics);
  auto db = parts_.pool.take();
  if (!db) return from_error(db.error());
  if (*dry_run) {
    auto now = identity::export_administration(**db);
    if (!now) return from_error(now.error());
    return http::json_response(200, changes_json(config::difference(*now, *file), true));
  }
  auto changes = identity::apply(**db, *file, parts_.installed, parts_.random);
  if (!changes) return from_error(changes.error());
  parts_.changed();
  return http::json_response(200, changes_json(*changes, false));
}

http::Response Control::export_yaml() {
  auto db = parts_.pool.take();
  if (!db) return from_error(db.error());
  auto file = identity::export_administration(**db);
  if (!file) return from_error(file.error());
  http::Response response{200, {}, file->write()};
  response.headers.add("Content-Type", "application/yaml");
  return response;
}

http::Response Control::put_secret(const http::Request& request, const std::string& name, const std::string& field) {
  const auto world = parts_.directory.current();
  const identity::Connection* connection = world->snapshot->connection(name);
  if (connection == nullptr) return http::problem(404, "connection.unknown", "there is no connection named " + name);
  const adapter::Adapter* adapter = parts_.installed.adapter(connection->adapter);
  const auto known = adapter == nullptr ? std::vector<std::string>() : adapter->describe().secrets;
  const std::string plain_field = field.ends_with("_old") ? field.substr(0, field.size() - 4) : field;
  if (std::find(known.begin(), known.end(), plain_field) == known.end()) {
    std::string list;
    for (const std::string& one : known) list += (list.empty() ? "" : ", ") + one;
    return http::problem(422, "connection.field",
                         "the adapter " + connection->adapter + " has no secret " + field + "; it has: " + list);
  }
  std::string text = request.body;
  if (text.ends_with('\n')) text.pop_back();  // what an editor adds
  auto db = parts_.pool.take();
  if (!db) return from_error(db.error());
  auto tx = store::Transaction::begin(**db);
  if (!tx) return from_error(tx.error());
  if (auto moved = tx->exec("UPDATE administration SET version = version + 1"); !moved)
    return from_error(moved.error());
  if (auto done = parts_.vault.put(*tx, *connection, field, Secret(std::move(text))); !done)
    return from_error(done.error());
  if (auto done = tx->commit(); !done) return from_error(done.error());
  parts_.changed();
  return {204, {}, {}};
}

http::Response Control::parked_act(const std::string& command, const std::string& act) {
  const auto id = Uuid::parse(command);
  if (!id || (act != "retry" && act != "hold" && act != "drop"))
    return http::problem(404, "control.unknown", "there is nothing at this address");
  if (act == "retry") {
    auto done = parts_.parked.retry(*id);
    if (!done) return from_error(done.error());
    const bool due = *done == publishing::ParkedDesk::Retried::due;
    return http::json_response(200, due ? R"({"outcome":"due"})" : R"({"outcome":"released"})");
  }
  auto done = act == "hold" ? parts_.parked.hold(*id) : parts_.parked.drop(*id);
  if (!done) return from_error(done.error());
  return http::json_response(200, act == "hold" ? R"({"outcome":"held"})" : R"({"outcome":"dropped"})");
}

http::Response Control::quarantine_act(const std::string& call, const std::string& act) {
  const auto id = Uuid::parse(call);
  if (!id || (act != "retry" && act != "drop"))
    return http::problem(404, "control.unknown", "there is nothing at this address");
  if (act == "drop") {
    auto done = parts_.parked.drop_call(*id);
    return done ? http::json_response(200, R"({"outcome":"dropped"})") : from_error(done.error());
  }
  auto done = parts_.parked.retry_call(*id);
  if (!done) return from_error(done.error());
  const bool routed = *done == publishing::ParkedDesk::Reread::routed;
  return http::json_response(200, routed ? R"({"outcome":"routed"})" : R"({"outcome":"waits"})");
}

// What was done before the export was asked for belongs into it: the sequencer has a moment to give it a leaf. When it
// does not, the bag's gaps say how many records waited.
void Control::wait_for_sequencer() {
  std::mutex mutex;
  std::condition_variable never;
  std::unique_lock lock(mutex);
  for (int looks = 0; looks < 100; ++looks) {
    auto db = parts_.pool.take();
    const auto waiting = db ? archive::unsequenced(**db) : fail(db.error());
    if (!waiting || *waiting == 0) return;
    never.wait_for(lock, std::chrono::milliseconds(50));
  }
}

http::Response Control::archive_export() {
  wait_for_sequencer();
  const std::string id = Uuid::random(parts_.random).to_string();
  const std::filesystem::path bag = parts_.exports / id;
  auto summary = parts_.exporter.write(bag, {});
  if (!summary) return from_error(summary.error());
  JsonWriter w;
  w.begin_object()
      .member("id", id)
      .member("records", summary->records)
      .member("log_size", summary->log_size)
      .key("files")
      .begin_array();
  for (const auto& entry : std::filesystem::recursive_directory_iterator(bag)) {
    if (!entry.is_regular_file()) continue;
    auto bytes = read_file(entry.path());
    if (!bytes) return from_error(bytes.error());
    w.begin_object().member("path", std::filesystem::relative(entry.path(), bag).generic_string());
    w.member("bytes", static_cast<std::int64_t>(bytes->size()))
        .member("sha256", to_hex(crypto::sha256(*bytes)))
        .end_object();
  }
  w.end_array().end_object();
  return http::json_response(201, std::move(w).text());
}

http::Response Control::archive_file(const std::string& id, const std::string& query) {
  const auto parameters = http::parse_query(query);
  if (!Uuid::parse(id) || !parameters || !parameters->contains("path"))
    return http::problem(404, "export.unknown", "there is no such export");
  const std::filesystem::path relative(parameters->at("path"));
  const bool inside = relative.is_relative() &&
                      std::none_of(relative.begin(), relative.end(), [](const auto& part) { return part == ".."; });
  if (!inside) return http::problem(404, "export.unknown", "the bag has no such file");
  auto bytes = read_file(parts_.exports / id / relative);
  if (!bytes) return from_error(bytes.error());
  return {200, {{"Content-Type", "application/octet-stream"}}, std::move(*bytes)};
}

}  // namespace isthmus::api
