#include "host/driver.h"

#include <algorithm>

#include "adapter/hosts.h"
#include "host/detail/running.h"
#include "http/multipart.h"

namespace isthmus::host {
namespace {

constexpr std::size_t kReplyBytesMax = 8U << 20U;
constexpr std::chrono::milliseconds kLimitWaitMin{50};
constexpr std::chrono::seconds kLimitWaitMax{60};  // of one task in its middle: its intent is open all the while

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

}  // namespace

Driver::Driver(http::Client& client, Timers& timers, ProgramThreads& programs, const Clock& clock, Log& log)
    : client_(client),
      timers_(timers),
      programs_(programs),
      clock_(clock),
      log_(log),
      sessions_(std::make_unique<Sessions>()),
      limits_(std::make_unique<Limits>()) {}
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

void Driver::step(const std::shared_ptr<Running>& task, adapter::Input input) {
  if (!task->adapter->is_program()) return ask(task, input);
  auto kept = std::make_shared<const adapter::Input>(std::move(input));
  if (!programs_.run(*task->adapter, [this, task, kept] { ask(task, *kept); }))
    finish(task, fail("adapter.unavailable", "too many tasks wait for the adapter's program"));
}

void Driver::ask(const std::shared_ptr<Running>& task, const adapter::Input& input) {
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
    std::shared_ptr<const identity::World> world;
    const auto session = sessions_->entries.with([&](auto& all) {
      auto& entry = all[task->spec.connection];
      entry.see(task->spec.world, task->spec.connection);
      world = entry.world;
      task->signed_with = entry.number;
      return entry.session;
    });
    // What it was signed with was taken from us since the task began: a session of the old secret is used no more.
    if (!session && auth->has_session()) {
      return with_session(task, [this, task, request] { send_signed(task, request); });
    }
    auto applied = auth->apply(std::move(whole), task->spec.context, world->secrets_of(task->spec.connection),
                               session.value_or(adapter::Session()));
    if (!applied)
      return end_with(task, adapter::Verdict::misconfigured, applied.error().code + ": " + applied.error().what, 0);
    plain->url = applied->url;
    plain->headers = {};
    for (const adapter::Header& header : applied->headers) plain->headers.add(header.name, header.value);
    plain->body = std::get<Bytes>(applied->body);
  }
  if (!may_go(task, request)) return;
  task->end.sent = true;
  task->end.over_by = clock_.now() + plain->total_timeout;
  client_.send(std::move(*plain),
               [this, task, request](const http::ClientResult& result) { replied(task, request, result); });
}

bool Driver::may_go(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request) {
  const adapter::LimitSpec& limits = task->adapter->describe().limits;
  const bool collects = std::holds_alternative<adapter::Collect>(task->spec.task) ||
                        std::holds_alternative<adapter::Check>(task->spec.task);
  task->slot = Limits::slot_of(task->spec.connection, limits, request,
                               collects ? Bucket::Use::background : Bucket::Use::interactive);
  task->end.bucket = task->slot.bucket;
  const Instant now = clock_.now();
  const std::optional<Instant> later = limits_->take(task->slot, limits, task->spec.kind, now);
  if (!later) return true;
  const std::string reason =
      "the network's limit" + (task->slot.bucket.empty() ? "" : " " + task->slot.bucket) + " is used up";
  if (!task->end.sent) {
    task->end.held_back = true;
    end_with(task, adapter::Verdict::throttled, reason, to_ms(*later));
    return false;
  }
  const auto wait = std::max(*later - now, std::chrono::microseconds(kLimitWaitMin));
  if (task->waited_for_limit + wait <= kLimitWaitMax) {
    task->waited_for_limit += wait;
    timers_.after(std::chrono::ceil<std::chrono::milliseconds>(wait),
                  [this, task, request] { send_signed(task, request); });
    return false;
  }
  // The adapter alone knows what it means for what it did already.
  adapter::HttpReply refusal;
  refusal.status = 429;
  refusal.headers.push_back({"Retry-After", std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count())});
  task->end.last_status = refusal.status;
  step(task, refusal);
  return false;
}

std::int64_t Driver::room(std::int64_t connection, const std::string& kind) const {
  return limits_->room(connection, kind, clock_.now());
}

void Driver::replied(const std::shared_ptr<Running>& task, const adapter::HttpRequest& request,
                     const http::ClientResult& result) {
  if (const auto* loss = std::get_if<http::Loss>(&result)) {
    loss->maybe_sent() ? limits_->lost(task->slot, clock_.now()) : limits_->unsent(task->slot);
    return step(task, loss_of(loss->kind));
  }
  const adapter::HttpReply reply = detail::to_reply(std::get<http::ClientReply>(result));
  const Instant now = clock_.now();
  limits_->replied(task->slot, adapter::read_limits(task->adapter->describe().limits, reply, to_ms(now)), now);
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
  // What the adapter read out of the refusal (a daily limit, told in the body) holds for the limit, not for this task
  // alone.
  const auto* outcomes = done && task->end.sent ? std::get_if<std::vector<adapter::Outcome>>(&*done) : nullptr;
  for (std::size_t i = 0; outcomes != nullptr && i < outcomes->size(); ++i) {
    if ((*outcomes)[i].verdict == adapter::Verdict::throttled && (*outcomes)[i].not_before_ms > 0)
      limits_->block(task->slot, from_ms((*outcomes)[i].not_before_ms));
  }
  task->end.done = std::move(done);
  task->end.auth = task->spec.context.auth;
  // The callback may run another task: release this one's first.
  auto ended = std::exchange(task->ended, nullptr);
  if (ended) ended(std::move(task->end));
}

}  // namespace isthmus::host
