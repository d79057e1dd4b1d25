// Sessions: one login at a time for a connection, shared by its tasks, ended when what it was made from changes.
#include <algorithm>

#include "adapter/hosts.h"
#include "base/crypto.h"
#include "events/events.h"
#include "host/detail/running.h"

namespace isthmus::host {
namespace {

constexpr std::size_t kSessionWaitersMax = 1000;
constexpr std::int64_t kExpiryMarginMs = 30'000;

}  // namespace

bool same_access(const identity::World& a, const identity::World& b, std::int64_t connection) {
  const identity::Connection* one = a.snapshot->connection(connection);
  const identity::Connection* other = b.snapshot->connection(connection);
  if (one == nullptr || other == nullptr || one->fields != other->fields) return false;
  const adapter::Secrets& secrets = a.secrets_of(connection);
  const adapter::Secrets& others = b.secrets_of(connection);
  return std::equal(secrets.begin(), secrets.end(), others.begin(), others.end(), [](const auto& x, const auto& y) {
    return x.first == y.first && crypto::constant_time_equal(x.second.reveal(), y.second.reveal());
  });
}

void Driver::Sessions::Entry::see(const std::shared_ptr<const identity::World>& brought, std::int64_t connection) {
  if (world && brought->snapshot->version() <= world->snapshot->version()) return;
  if (world && !same_access(*world, *brought, connection)) session.reset();
  world = brought;
}

void Driver::with_session(const std::shared_ptr<Running>& task, std::function<void()> ready) {
  const adapter::Authenticator* auth = task->adapter->authenticator();
  if (auth == nullptr || !auth->has_session()) return ready();
  enum class Next { go, wait, log_in, refuse };
  const std::int64_t now_ms = to_ms(clock_.now());
  const Next next = sessions_->entries.with([&](auto& all) {
    auto& entry = all[task->spec.connection];
    entry.see(task->spec.world, task->spec.connection);
    const bool good =
        entry.session && (entry.session->expires_ms == 0 || entry.session->expires_ms > now_ms + kExpiryMarginMs);
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

// The login is made from the newest world that any task brought, whatever the world of the task that asks for it.
void Driver::log_in(const std::shared_ptr<Running>& task, const adapter::Login& refused) {
  const adapter::Authenticator* auth = task->adapter->authenticator();
  std::shared_ptr<const identity::World> world;
  const auto before = sessions_->entries.with([&](auto& all) {
    const auto& entry = all[task->spec.connection];
    world = entry.world;
    return entry.session.value_or(adapter::Session());
  });
  adapter::Login failed;
  failed.verdict = adapter::Verdict::misconfigured;
  const identity::Connection* connection = world->snapshot->connection(task->spec.connection);
  if (connection == nullptr || world->adapter_of(task->spec.connection) == nullptr) {
    failed.reason = "host.suspended: the connection may not act any more";
    return logged_in(task, failed, world);
  }
  const auto& secrets = world->secrets_of(task->spec.connection);
  adapter::Context context = task->spec.context;
  context.now_ms = to_ms(clock_.now());
  context.connection = connection->fields;
  // A refused session is renewed by its refresh token where there is one; when that is refused too, by a login, once.
  const bool refresh = auth->has_refresh() && before.tokens.contains("refresh");
  auto request = refresh ? auth->refresh_request(context, secrets, before) : auth->login_request(context, secrets);
  if (!request) {
    if (refused.verdict == adapter::Verdict::reauth)
      return logged_in(task, refused, world);  // nothing to log in with: a person must consent again
    failed.reason = request.error().code + ": " + request.error().what;
    return logged_in(task, failed, world);
  }
  if (!adapter::host_allowed(request->url, connection->hosts)) {
    failed.reason = "host.not-approved: the login's address is not among the connection's hosts";
    return logged_in(task, failed, world);
  }
  auto plain = to_http(*task, *request);
  if (!plain) {
    failed.reason = plain.error().what;
    return logged_in(task, failed, world);
  }
  client_.send(std::move(*plain), [this, task, before, refresh, world, context](const http::ClientResult& result) {
    adapter::Login login;
    if (const auto* loss = std::get_if<http::Loss>(&result)) {
      login.verdict =
          loss->kind == http::LossKind::refused_by_guard ? adapter::Verdict::misconfigured : adapter::Verdict::retry;
      login.reason = "login: " + loss->what;
    } else {
      login = task->adapter->authenticator()->parse_login(
          context, detail::to_reply(std::get<http::ClientReply>(result)), before);
    }
    if (refresh && login.verdict == adapter::Verdict::reauth) {
      sessions_->entries.with([&](auto& all) { all[task->spec.connection].session.reset(); });
      return log_in(task, login);
    }
    logged_in(task, login, world);
  });
}

void Driver::logged_in(const std::shared_ptr<Running>& task, const adapter::Login& login,
                       const std::shared_ptr<const identity::World>& made_from) {
  const bool good = login.verdict == adapter::Verdict::delivered;
  bool outdated = false;
  auto waiting = sessions_->entries.with([&](auto& all) {
    auto& entry = all[task->spec.connection];
    // Another secret was set while this login was under way: whatever it gave, or was refused, counts no more.
    outdated = !same_access(*made_from, *entry.world, task->spec.connection) &&
               entry.world->adapter_of(task->spec.connection) != nullptr;
    if (outdated) return decltype(entry.waiting)();
    entry.logging_in = false;
    if (good) {
      entry.session = login.session;
      ++entry.number;
    } else if (login.verdict == adapter::Verdict::reauth) {
      entry.session.reset();
    }
    return std::exchange(entry.waiting, {});
  });
  if (outdated) return log_in(task, {});
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

}  // namespace isthmus::host
