#include "host/driver.h"

#include <algorithm>

#include "adapter/hosts.h"
#include "http/multipart.h"
#include "events/events.h"

namespace isthmus::host {
namespace {

constexpr std::size_t kReplyBytesMax = 8U << 20U;
constexpr std::size_t kSessionWaitersMax = 1000;

adapter::Loss loss_of(http::LossKind kind) {
  switch (kind) {
    case http::LossKind::refused_by_guard:
      return adapter::Loss::refused_by_guard;
    case http::LossKind::tls:
      return adapter::Loss::tls;
    case http::LossKind::timeout_sent:
    case http::LossKind::cancelled_sent:
      return adapter::Loss::timeout_sent;
    case http::LossKind::reset_sent:
      return adapter::Loss::reset_sent;
    case http::LossKind::too_large:
      return adapter::Loss::too_large;
    case http::LossKind::timeout_unsent:
    case http::LossKind::cancelled_unsent:
      return adapter::Loss::timeout_unsent;
    default:
      return adapter::Loss::connect;
  }
}

adapter::HttpReply to_reply(const http::ClientReply& reply) {
  adapter::HttpReply out;
  out.status = reply.status;
  for (const http::Header& header : reply.headers) out.headers.push_back({header.name, header.value});
  out.body = reply.body;
  return out;
}

}  // namespace

struct Driver::Running {
  TaskSpec spec;
  TaskHooks hooks;
  std::function<void(TaskEnd)> ended;
  const identity::Connection* connection = nullptr;
  const adapter::Adapter* adapter = nullptr;
  Bytes state;
  int moves = 0;
  bool session_renewed = false;  // once a task: a network that refuses a fresh session is told by the adapter's verdict
  std::uint64_t signed_with = 0;  // the number of the session that the last request was signed with
  TaskEnd end;
};

// Sessions by connection, with those who wait for the one login that is under way.
struct Driver::Sessions {
  struct Entry {
    std::optional<adapter::Session> session;
    std::uint64_t number = 0;  // of the session: a refusal of an older one says nothing about this one
    bool logging_in = false;
    std::vector<std::pair<std::shared_ptr<Running>, std::function<void()>>> waiting;
  };
  Guarded<std::map<std::int64_t, Entry>> entries;

  std::optional<adapter::Session> of(std::int64_t connection) {
    return entries.with([&](auto& all) { return all[connection].session; });
  }
};

Driver::Driver(http::Client& client, Timers& timers, const Clock& clock, Log& log)
    : client_(client), timers_(timers), clock_(clock), log_(log), sessions_(std::make_unique<Sessions>()) {}
Driver::~Driver() = default;

void Driver::run(TaskSpec spec, TaskHooks hooks, std::function<void(TaskEnd)> ended) {
  auto task = std::make_shared<Running>();
  task->spec = std::move(spec);
  task->hooks = std::move(hooks);
  task->ended = std::move(ended);
  task->connection = task->spec.world->snapshot->connection(task->spec.connection);
  task->adapter = task->spec.world->adapter_of(task->spec.connection);
  if (task->connection == nullptr || task->adapter == nullptr) {
    const auto why = task->spec.world->suspended.find(task->spec.connection);
    finish(task, fail("host.suspended",
                      why == task->spec.world->suspended.end() ? "the connection was removed" : why->second));
    return;
  }
  with_session(task, [this, task] { step(task, adapter::First{}); });
}

void Driver::step(const std::shared_ptr<Running>& task, const adapter::Input& input) {
  if (++task->moves > adapter::kMovesMax) {
    return finish(task, fail("adapter.fault", "the adapter made more than 64 moves for one task"));
  }
  task->spec.context.now_ms = to_ms(clock_.now());
  if (auto session = sessions_->of(task->spec.connection)) task->spec.context.auth = session->kept;
  auto step = task->adapter->advance(task->spec.context, task->spec.task, task->state, input);
  if (!step) return finish(task, fail(std::move(step).error()));
  if (step->state.size() > adapter::kStateBytesMax)
    return finish(task, fail("adapter.fault", "the adapter's state is over 4 KiB"));
  task->state = std::move(step->state);
  if (auto* request = std::get_if<adapter::HttpRequest>(&step->move)) {
    send(task, std::move(*request));
  } else if (auto* wait = std::get_if<adapter::Wait>(&step->move)) {
    const int ms = std::clamp(wait->ms, 0, 600'000);
    timers_.after(std::chrono::milliseconds(ms), [this, task] { this->step(task, adapter::Waited{}); });
  } else {
    finish(task, std::move(std::get<adapter::Done>(step->move)));
  }
}

void Driver::send(const std::shared_ptr<Running>& task, adapter::HttpRequest request) {
  if (!adapter::host_allowed(request.url, task->connection->hosts)) {
    const std::string origin = adapter::origin_of(request.url).value_or("an address that is no http or https URL");
    return finish(task, fail("host.not-approved",
                             "the adapter asked for " + origin + ", which nobody approved for this connection",
                             "add it to the connection's hosts if it is right"));
  }
  send_signed(task, request);
}

Result<http::ClientRequest> Driver::to_http(const Running& task, const adapter::HttpRequest& request) const {
  http::ClientRequest out;
  out.method = request.method;
  out.url = request.url;
  for (const adapter::Header& header : request.headers) out.headers.add(header.name, header.value);
  const auto blob = [&](const adapter::BlobRange& range) -> Result<Bytes> {
    const auto found = task.spec.blobs.find(range.blob);
    if (found == task.spec.blobs.end())
      return fail("adapter.fault", "the adapter asked for a medium that the command does not have");
    const auto size = static_cast<std::int64_t>(found->second.size());
    // Fewer bytes than asked for would be sent as if they were all: a chunk of an upload with a hole behind it.
    if (range.offset < 0 || range.offset > size || range.length > size - range.offset) {
      return fail("adapter.fault", "the adapter asked for bytes beyond a medium's end");
    }
    return found->second.substr(static_cast<std::size_t>(range.offset),
                                range.length < 0 ? std::string::npos : static_cast<std::size_t>(range.length));
  };
  if (const auto* bytes = std::get_if<Bytes>(&request.body)) {
    out.body = *bytes;
  } else if (const auto* range = std::get_if<adapter::BlobRange>(&request.body)) {
    auto data = blob(*range);
    if (!data) return fail(std::move(data).error());
    out.body = std::move(*data);
  } else {
    std::vector<http::Part> parts;
    for (const adapter::Part& part : std::get<std::vector<adapter::Part>>(request.body)) {
      http::Part p{part.name, part.filename.empty() ? std::nullopt : std::optional(part.filename),
                   part.content_type.empty() ? std::nullopt : std::optional(part.content_type), part.data};
      if (part.range) {
        auto data = blob(*part.range);
        if (!data) return fail(std::move(data).error());
        p.data = std::move(*data);
      }
      parts.push_back(std::move(p));
    }
    auto encoded = http::encode_multipart(parts);
    out.headers.set("Content-Type", encoded.content_type);
    out.body = std::move(encoded.body);
  }
  out.total_timeout = std::chrono::milliseconds(std::clamp(request.timeout_ms, 1, 120'000));
  out.reply_bytes_max = kReplyBytesMax;
  if (task.connection->internal) {
    for (const std::string& host : task.connection->hosts) {
      if (const auto origin = adapter::origin_of(host))
        out.guard.internal_hosts.push_back(origin->substr(origin->find("://") + 3));
    }
  }
  return out;
}

void Driver::send_signed(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request) {
  // Bodies made of media are put together before they are signed: a signature covers the bytes that go out.
  auto plain = to_http(*task, request);
  if (!plain) return finish(task, fail(std::move(plain).error()));
  const adapter::Authenticator* auth = task->adapter->authenticator();
  if (auth != nullptr) {
    adapter::HttpRequest whole = request;
    whole.headers.clear();
    for (const http::Header& header : plain->headers) whole.headers.push_back({header.name, header.value});
    whole.body = plain->body;
    const auto session = sessions_->entries.with([&](auto& all) {
      const auto& entry = all[task->spec.connection];
      task->signed_with = entry.number;
      return entry.session.value_or(adapter::Session());
    });
    auto applied =
        auth->apply(std::move(whole), task->spec.context, task->spec.world->secrets_of(task->spec.connection), session);
    if (!applied)
      return end_with(task, adapter::Verdict::misconfigured, applied.error().code + ": " + applied.error().what, 0);
    plain->url = applied->url;
    plain->headers = {};
    for (const adapter::Header& header : applied->headers) plain->headers.add(header.name, header.value);
    plain->body = std::get<Bytes>(applied->body);
  }
  task->end.sent = true;
  client_.send(std::move(*plain),
               [this, task, request](const http::ClientResult& result) { replied(task, request, result); });
}

void Driver::replied(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request,
                     const http::ClientResult& result) {
  if (const auto* loss = std::get_if<http::Loss>(&result)) return step(task, loss_of(loss->kind));
  const adapter::HttpReply reply = to_reply(std::get<http::ClientReply>(result));
  task->end.last_status = reply.status;
  const adapter::Authenticator* auth = task->adapter->authenticator();
  if (auth != nullptr && auth->has_session() && !task->session_renewed && auth->session_refused(reply)) {
    task->session_renewed = true;
    sessions_->entries.with([&](auto& all) {
      auto& entry = all[task->spec.connection];
      // Tasks that were refused together renew it once. The session's refresh token stays.
      if (entry.session && entry.number == task->signed_with) entry.session->expires_ms = 1;
    });
    return with_session(task, [this, task, request] { send_signed(task, request); });
  }
  if (task->hooks.on_reply) task->hooks.on_reply(request, reply);
  step(task, reply);
}

void Driver::with_session(const std::shared_ptr<Running>& task, std::function<void()> ready) {
  const adapter::Authenticator* auth = task->adapter->authenticator();
  if (auth == nullptr || !auth->has_session()) return ready();
  enum class Next { go, wait, log_in, refuse };
  const std::int64_t now_ms = to_ms(clock_.now());
  const Next next = sessions_->entries.with([&](auto& all) {
    auto& entry = all[task->spec.connection];
    const bool good = entry.session && (entry.session->expires_ms == 0 || entry.session->expires_ms > now_ms + 30'000);
    if (good && !entry.logging_in) return Next::go;
    if (entry.waiting.size() >= kSessionWaitersMax) return Next::refuse;
    entry.waiting.emplace_back(task, ready);
    if (entry.logging_in) return Next::wait;
    entry.logging_in = true;
    return Next::log_in;
  });
  if (next == Next::go) return ready();
  if (next == Next::refuse) return end_with(task, adapter::Verdict::retry, "too many tasks wait for one login", 0);
  if (next == Next::log_in) log_in(task, {});
}

void Driver::log_in(const std::shared_ptr<Running>& task, const adapter::Login& refused) {
  const adapter::Authenticator* auth = task->adapter->authenticator();
  const auto& secrets = task->spec.world->secrets_of(task->spec.connection);
  const auto before = sessions_->of(task->spec.connection).value_or(adapter::Session());
  task->spec.context.now_ms = to_ms(clock_.now());
  // A refused session is renewed by its refresh token where there is one; when that is refused too, by a login, once.
  const bool refresh = auth->has_refresh() && before.tokens.contains("refresh");
  auto request = refresh ? auth->refresh_request(task->spec.context, secrets, before)
                         : auth->login_request(task->spec.context, secrets);
  adapter::Login failed;
  failed.verdict = adapter::Verdict::misconfigured;
  if (!request) {
    if (refused.verdict == adapter::Verdict::reauth)
      return logged_in(task, refused);  // nothing to log in with: a person must consent again
    failed.reason = request.error().code + ": " + request.error().what;
    return logged_in(task, failed);
  }
  if (!adapter::host_allowed(request->url, task->connection->hosts)) {
    failed.reason = "host.not-approved: the login's address is not among the connection's hosts";
    return logged_in(task, failed);
  }
  auto plain = to_http(*task, *request);
  if (!plain) {
    failed.reason = plain.error().what;
    return logged_in(task, failed);
  }
  client_.send(std::move(*plain), [this, task, before, refresh](const http::ClientResult& result) {
    adapter::Login login;
    if (const auto* loss = std::get_if<http::Loss>(&result)) {
      login.verdict =
          loss->kind == http::LossKind::refused_by_guard ? adapter::Verdict::misconfigured : adapter::Verdict::retry;
      login.reason = "login: " + loss->what;
    } else {
      login = task->adapter->authenticator()->parse_login(task->spec.context,
                                                          to_reply(std::get<http::ClientReply>(result)), before);
    }
    if (refresh && login.verdict == adapter::Verdict::reauth) {
      sessions_->entries.with([&](auto& all) { all[task->spec.connection].session.reset(); });
      return log_in(task, login);
    }
    logged_in(task, login);
  });
}

void Driver::logged_in(const std::shared_ptr<Running>& task, const adapter::Login& login) {
  const bool good = login.verdict == adapter::Verdict::delivered;
  auto waiting = sessions_->entries.with([&](auto& all) {
    auto& entry = all[task->spec.connection];
    entry.logging_in = false;
    if (good) {
      entry.session = login.session;
      ++entry.number;
    } else if (login.verdict == adapter::Verdict::reauth) {
      entry.session.reset();
    }
    return std::exchange(entry.waiting, {});
  });
  if (!good) {
    events::host_login_failed(
        log_,
        {.connection = task->connection->name, .verdict = adapter::to_string(login.verdict), .reason = login.reason});
  }
  for (auto& [waiter, ready] : waiting) {
    if (good) {
      ready();
    } else {
      end_with(waiter, login.verdict, login.reason, login.not_before_ms);
    }
  }
}

void Driver::end_with(const std::shared_ptr<Running>& task, adapter::Verdict verdict, const std::string& reason,
                      std::int64_t not_before_ms) {
  std::vector<adapter::Outcome> outcomes;
  adapter::Outcome outcome;
  outcome.verdict = verdict;
  outcome.reason = reason;
  outcome.not_before_ms = not_before_ms;
  if (const auto* deliver = std::get_if<adapter::Deliver>(&task->spec.task)) {
    for (const adapter::Command& command : deliver->commands) {
      outcome.command_id = command.id;
      outcomes.push_back(outcome);
    }
  } else {
    if (const auto* reconcile = std::get_if<adapter::Reconcile>(&task->spec.task))
      outcome.command_id = reconcile->command.id;
    outcomes.push_back(outcome);
  }
  finish(task, adapter::Done(std::move(outcomes)));
}

void Driver::finish(const std::shared_ptr<Running>& task, Result<adapter::Done> done) {
  task->end.done = std::move(done);
  task->end.auth = task->spec.context.auth;
  // The callback may run another task: release this one's first.
  auto ended = std::exchange(task->ended, nullptr);
  if (ended) ended(std::move(task->end));
}

}  // namespace isthmus::host
