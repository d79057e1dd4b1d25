#include "api/house.h"

#include <algorithm>
#include <optional>

#include "api/views.h"
#include "base/crypto.h"
#include "base/json.h"
#include "engagement/conversations.h"
#include "journal/blobs.h"
#include "journal/books.h"

namespace isthmus::api {
namespace {

constexpr std::size_t kMediaBytesMax = 10U << 20U;

http::Response from_error(const Error& error) {
  const auto starts = [&](std::string_view prefix) { return error.code.starts_with(prefix); };
  int status = 500;
  if (starts("post.unknown") || starts("blob.unknown"))
    status = 404;
  else if (starts("approval.forbidden") || starts("policy.forbidden"))
    status = 403;
  else if (starts("approval."))
    status = 409;
  else if (starts("post.") || starts("idempotency.") || starts("json.") || starts("store.data"))
    status = 422;  // data: a text that no column takes
  else if (starts("store.unavailable") || starts("store.conflict"))
    status = 503;
  http::Response response = http::problem(status, error);
  if (status == 503) response.headers.add("Retry-After", "5");
  return response;
}

http::Response from_json(Result<std::string> json) {
  if (!json) return from_error(json.error());
  return http::json_response(200, std::move(*json));
}

/// type/subtype with optional parameters (RFC 9110 8.3.1), in printable ASCII, since it is stored as text and sent on.
bool is_media_type(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos || text.size() > 200) return false;
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c < 0x7f; });
  std::string_view subtype = text.substr(slash + 1, text.find(';', slash) - slash - 1);
  while (subtype.ends_with(' ')) subtype.remove_suffix(1);
  return printable && http::is_token(text.substr(0, slash)) && http::is_token(subtype);
}

std::string bearer(const http::Request& request) {
  const auto header = request.headers.only("Authorization");
  constexpr std::string_view scheme = "Bearer ";
  if (!header || !header->starts_with(scheme)) return {};
  return std::string(header->substr(scheme.size()));
}

http::Response forbidden(const char* right) {
  return http::problem(403, "access.right", std::string("this needs the right ") + right);
}

}  // namespace

http::Response House::handle(const http::Request& request) {
  if (request.path == "/healthz" || request.path == "/readyz" || request.path == "/metrics")
    return parts_.probe(request.path);
  const auto path = http::path_segments(request.path);
  if (!path || path->size() < 3 || (*path)[0] != "api" || (*path)[1] != "v1")
    return http::problem(404, "http.not-found", "there is nothing at this address");
  const auto world = parts_.directory.current();
  const identity::Principal* who = world->snapshot->holder_of(bearer(request));
  if (who == nullptr) {
    http::Response response = http::problem(401, "access.key", "the bearer key is missing, unknown or disabled");
    response.headers.add("WWW-Authenticate", "Bearer realm=\"isthmus\"");
    return response;
  }
  return route(*who, request, {path->begin() + 2, path->end()});
}

http::Response House::route(const identity::Principal& who, const http::Request& request,
                            const std::vector<std::string>& path) {
  if (request.method == "GET") {
    const auto query = http::parse_query(request.query);
    if (!query) return http::problem(400, query.error());
    return get(who, path, *query);
  }
  if (request.method != "POST") return http::problem(405, "http.method", "this address takes GET or POST");
  if (path.size() == 1 && path[0] == "media")
    return who.rights.contains("publish") ? post_media(request) : forbidden("publish");
  if (path.size() == 1 && path[0] == "posts") return post_post(who, request);
  if (path.size() == 1 && path[0] == "tracks") return post_track(who, request);
  if (path.size() == 3 && path[0] == "posts" && (path[2] == "approve" || path[2] == "reject"))
    return post_review(who, request, path[1], path[2]);
  return http::problem(404, "http.not-found", "there is nothing at this address");
}

http::Response House::get(const identity::Principal& who, const std::vector<std::string>& path, const Query& query) {
  if (!who.rights.contains("read")) return forbidden("read");
  const auto parameter = [&](const char* name) {
    const auto found = query.find(name);
    return found == query.end() ? std::string() : found->second;
  };
  if (path.size() == 2 && path[0] == "posts") return show_post(path[1], 200);
  auto db = parts_.pool.take();
  if (!db) return from_error(db.error());
  if (path.size() == 1 && path[0] == "conversations")
    return from_json(engagement::list_conversations(**db, parameter("connection"), 200));
  if (path.size() == 1 && path[0] == "commands")
    return from_json(view_commands(**db, parameter("connection"), parameter("state")));
  if (path.size() == 1 && path[0] == "decisions") return from_json(view_decisions(**db, parameter("effect")));
  if (path.size() == 1 && path[0] == "books") {
    auto books = journal::read_books(**db);
    return books ? http::json_response(200, books->to_json()) : from_error(books.error());
  }
  return http::problem(404, "http.not-found", "there is nothing at this address");
}

http::Response House::show_post(const std::string& id, int status) {
  const auto uuid = Uuid::parse(id);
  if (!uuid) return http::problem(404, "post.unknown", "there is no post with this id");
  auto db = parts_.pool.take();
  if (!db) return from_error(db.error());
  auto view = view_post(**db, *uuid);
  if (!view) return from_error(view.error());
  if (view->empty()) return http::problem(404, "post.unknown", "there is no post with this id");
  return http::json_response(status, std::move(*view));
}

http::Response House::post_media(const http::Request& request) {
  const auto mime = request.headers.only("Content-Type");
  if (!mime || !is_media_type(*mime))
    return http::problem(415, "media.type", "Content-Type must name the medium's type");
  if (request.body.empty() || request.body.size() > kMediaBytesMax)
    return http::problem(413, "media.size", "a medium has 1 byte to 10 MiB");
  const journal::Blob blob{to_hex(crypto::sha256(request.body)), std::string(*mime), request.body};
  auto db = parts_.pool.take();
  if (!db) return from_error(db.error());
  if (auto done = journal::put_blob(**db, parts_.keys, blob); !done) return from_error(done.error());
  JsonWriter w;
  w.begin_object()
      .member("blob", blob.hash)
      .member("bytes", static_cast<std::int64_t>(blob.bytes.size()))
      .member("mime", blob.mime)
      .end_object();
  return http::json_response(201, std::move(w).text());
}

http::Response House::post_post(const identity::Principal& who, const http::Request& request) {
  auto body = expression::Document::parse(request.body);
  if (!body) return from_error(body.error());
  std::vector<std::string> targets;
  for (const expression::Value& target : body->root().get("targets").items())
    targets.emplace_back(target.as_text().value_or(""));
  const expression::Value post = body->root().get("post");
  if (!post.is_object()) return http::problem(422, "post.invalid", "post must be an object of the format post/1");
  std::optional<Instant> not_after;
  if (const expression::Value given = body->root().get("not_after"); !given.is_null()) {
    auto at = from_rfc3339(given.as_text().value_or(""));
    if (!at) return http::problem(422, "post.invalid", "not_after must be a time as 2026-11-24T18:00:00Z");
    not_after = *at;
  }
  auto created = parts_.publisher.create(who, post, targets,
                                         std::string(request.headers.only("Idempotency-Key").value_or("")), not_after);
  if (!created) return from_error(created.error());
  return show_post(created->post.to_string(), 201);
}

http::Response House::post_review(const identity::Principal& who, const http::Request& request, const std::string& post,
                                  const std::string& act) {
  const auto id = Uuid::parse(post);
  if (!id) return http::problem(404, "post.unknown", "there is no post with this id");
  std::string comment;
  if (!request.body.empty()) {
    auto body = expression::Document::parse(request.body);
    if (!body) return from_error(body.error());
    comment = body->root().get("comment").as_text().value_or("");
  }
  using Review = publishing::Publisher::Review;
  auto done = parts_.publisher.review(who, *id, act == "approve" ? Review::approve : Review::reject, comment);
  if (!done) return from_error(done.error());
  return show_post(post, 200);
}

http::Response House::post_track(const identity::Principal& who, const http::Request& request) {
  auto body = expression::Document::parse(request.body);
  if (!body) return from_error(body.error());
  const std::string connection(body->root().get("connection").as_text().value_or(""));
  auto command = parts_.publisher.track(who, connection, body->root().get("metric"));
  if (!command) return from_error(command.error());
  JsonWriter w;
  w.begin_object().member("command", command->to_string()).end_object();
  return http::json_response(202, std::move(w).text());
}

}  // namespace isthmus::api
