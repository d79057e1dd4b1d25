#include "intake/door.h"

#include "base/crypto.h"
#include "intake/verify.h"
#include "journal/codec.h"
#include "events/events.h"

namespace isthmus::intake {
namespace {

adapter::Call to_call(const adapter::WebhookRecipe& recipe, const http::Request& request, Instant now) {
  const bool shared_secret = recipe.kind == adapter::WebhookRecipe::Kind::secret_in_header;
  adapter::Call call;
  call.kind = "webhook";
  call.method = request.method;
  call.path = request.path;
  call.query = request.query;
  for (const http::Header& header : request.headers) {
    // What authenticates the sender proves nothing later and must not lie in a journal.
    if (http::equal_ignoring_case(header.name, "Authorization") || http::equal_ignoring_case(header.name, "Cookie"))
      continue;
    if (shared_secret && http::equal_ignoring_case(header.name, recipe.header)) continue;
    call.headers.push_back({header.name, header.value});
  }
  call.body = request.body;
  call.received_ms = to_ms(now);
  return call;
}

// Where the sender believes it calls: the connection's own public address when it is known, for vendors that sign the
// URL.
std::string called_url(const identity::Connection& connection, const http::Request& request) {
  const auto base = connection.fields.find("public_url");
  std::string url = base == connection.fields.end() ? std::string() : base->second;
  if (url.empty()) url = "https://" + std::string(request.headers.only("Host").value_or("")) + request.path;
  return request.query.empty() ? url : url + "?" + request.query;
}

}  // namespace

void Door::handle(http::Request request, const http::Responder& respond) {
  const auto segments = http::path_segments(request.path);
  if (!segments || segments->size() != 2 || (*segments)[0] != "in")
    return respond(http::problem(404, "http.not-found", "there is nothing at this address"));
  const auto world = directory_.current();
  const identity::Connection* connection = world->snapshot->connection((*segments)[1]);
  const adapter::Adapter* adapter = connection == nullptr ? nullptr : world->adapter_of(connection->id);
  if (adapter == nullptr || adapter->describe().webhook.kind == adapter::WebhookRecipe::Kind::none) {
    return respond(http::problem(404, "intake.unknown-connection", "no connection of this name takes webhooks"));
  }
  if (request.method == "GET") return challenge(world, *connection, *adapter, request, respond);
  if (request.method != "POST") return respond(http::problem(405, "http.method", "webhooks are sent with POST"));
  accept(*world, *connection, *adapter, std::move(request), respond);
}

void Door::challenge(const std::shared_ptr<const identity::World>& world, const identity::Connection& connection,
                     const adapter::Adapter& adapter, const http::Request& request, const http::Responder& respond) {
  const Instant now = clock_.now();
  // The world keeps what the connection and the adapter are part of, however long a program takes.
  const auto ask = [world, &adapter, respond, context = world->context_of(connection, now),
                    call = to_call(adapter.describe().webhook, request, now)] {
    auto answer = adapter.challenge(context, call);
    if (!answer && answer.error().code == "adapter.unavailable")
      return respond(http::problem(503, "intake.unavailable", "nobody can answer this now; ask again later"));
    if (!answer) return respond(http::problem(404, "http.not-found", "there is nothing to be read at this address"));
    http::Response response{answer->status, {}, std::move(answer->body)};
    for (adapter::Header& header : answer->headers)
      response.headers.add(std::move(header.name), std::move(header.value));
    respond(std::move(response));
  };
  if (!adapter.is_program()) return ask();
  if (!programs_.run(adapter, ask))
    respond(http::problem(503, "intake.unavailable", "too many ask this at once; ask again later"));
}

void Door::accept(const identity::World& world, const identity::Connection& connection, const adapter::Adapter& adapter,
                  http::Request request, const http::Responder& respond) {
  const Instant now = clock_.now();
  const adapter::WebhookRecipe& recipe = adapter.describe().webhook;
  auto delivery =
      verify_webhook(recipe, world.secrets_of(connection.id), request, called_url(connection, request), now);
  if (!delivery) return refuse(connection, delivery.error(), respond);
  Submission submission;
  journal::Exchange& exchange = submission.exchange;
  exchange.lane = connection.lane;
  exchange.connection = connection.id;
  exchange.kind = journal::ExchangeKind::webhook;
  exchange.descriptor_sha256 = adapter.describe().sha256;
  exchange.context = journal::encode(world.context_of(connection, now));
  exchange.received = now;
  if (!delivery->empty())
    exchange.delivery_key = crypto::sha256(std::to_string(delivery->size()) + ":" + *delivery + request.body);
  submission.call = to_call(recipe, request, now);
  submission.done = [respond, status = recipe.answer_status](Accepted accepted) {
    if (accepted != Accepted::unavailable) return respond(http::Response{status, {}, {}});
    http::Response busy = http::problem(503, "intake.unavailable", "the call was not stored; send it again later");
    busy.headers.add("Retry-After", "5");
    respond(std::move(busy));
  };
  committer_.submit(std::move(submission));
}

void Door::refuse(const identity::Connection& connection, const Error& why, const http::Responder& respond) {
  events::intake_call_refused(log_, {.connection = connection.name, .reason = why.code});
  const int status = why.code == "webhook.no-secret" || why.code == "webhook.secret" ? 503 : 401;
  respond(http::problem(status, why.code, why.what));
}

}  // namespace isthmus::intake
