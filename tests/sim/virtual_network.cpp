#include "sim/virtual_network.h"

#include <algorithm>

namespace isthmus::sim {
namespace {

std::string short_name(const adapter::HttpRequest& request) {
  return request.url.substr(request.url.rfind('/') + 1, 8);
}

// What a network refuses it refuses each time: about one command in thirty.
bool refuses(const std::string& command) { return command.starts_with("0") && command[1] < '8'; }

std::string as_word(const adapter::Input& input) {
  if (const auto* reply = std::get_if<adapter::HttpReply>(&input)) return std::to_string(reply->status);
  const auto* loss = std::get_if<adapter::Loss>(&input);
  return loss == nullptr ? "nothing" : std::string(adapter::to_string(*loss));
}

}  // namespace

void VirtualNetwork::Port::run(host::TaskSpec spec, host::TaskHooks, std::function<void(host::TaskEnd)> ended) {
  auto task = std::make_shared<Task>();
  task->adapter = spec.world->adapter_of(spec.connection);
  task->spec = std::move(spec);
  task->ended = std::move(ended);
  task->life = life_;
  network_.start(std::move(task));
}

void VirtualNetwork::start(std::shared_ptr<Task> task) { step(task, adapter::First{}); }

void VirtualNetwork::step(const std::shared_ptr<Task>& task, const adapter::Input& input) {
  task->spec.context.now_ms = to_ms(clock_.now());
  auto step = task->adapter->advance(task->spec.context, task->spec.task, task->state, input);
  if (step) {
    task->state = std::move(step->state);
    if (const auto* request = std::get_if<adapter::HttpRequest>(&step->move)) return send(task, *request);
    task->end.done = std::get<adapter::Done>(std::move(step->move));
  } else {
    task->end.done = fail(std::move(step).error());
  }
  task->ended(std::move(task->end));
}

void VirtualNetwork::run_due() {
  while (!due_.empty() && due_.begin()->first <= clock_.now()) {
    const auto what = std::move(due_.begin()->second);
    due_.erase(due_.begin());
    what();
  }
}

std::optional<Instant> VirtualNetwork::next() const {
  if (due_.empty()) return std::nullopt;
  return std::max(due_.begin()->first, clock_.now());
}

int VirtualNetwork::taken(const std::string& command) const {
  const auto found = taken_.find(command);
  return found == taken_.end() ? 0 : found->second;
}

std::chrono::microseconds VirtualNetwork::some_ms(std::uint64_t most) {
  return std::chrono::milliseconds(1 + static_cast<std::int64_t>(random_.below(most)));
}

VirtualNetwork::Fate VirtualNetwork::draw_fate() {
  const std::uint64_t drawn = calm_ ? 99 : random_.below(100);
  if (drawn < 6) return Fate::unreachable;
  if (drawn < 14) return Fate::reply_lost;
  if (drawn < 18) return Fate::never_arrives;
  if (drawn < 22) return Fate::throttled;
  if (drawn < 25) return Fate::broken;
  if (drawn < 26) return Fate::unauthorised;
  return Fate::answered;
}

// A request arrives, or not, before its sender gives it up; that is what "timeout" means to those who look later.
void VirtualNetwork::send(const std::shared_ptr<Task>& task, const adapter::HttpRequest& request) {
  task->end.sent = true;
  const Fate fate = draw_fate();
  trace_(request.method + " " + short_name(request) + " is sent");
  const Instant given_up = clock_.now() + std::chrono::milliseconds(request.timeout_ms);
  const Instant arrives = clock_.now() + some_ms(static_cast<std::uint64_t>(request.timeout_ms) / 2);
  if (fate == Fate::unreachable) return reply(task, arrives, adapter::Loss::connect);
  if (fate == Fate::never_arrives) return reply(task, given_up, adapter::Loss::timeout_sent);
  at(arrives, [this, task, request, fate, given_up] {
    adapter::HttpReply answer = take(request, fate);
    trace_(request.method + " " + short_name(request) + " arrives: " + std::to_string(answer.status));
    if (fate == Fate::reply_lost) return reply(task, given_up, adapter::Loss::timeout_sent);
    reply(task, clock_.now() + some_ms(30), std::move(answer));
  });
}

adapter::HttpReply VirtualNetwork::take(const adapter::HttpRequest& request, Fate fate) {
  const std::string command = request.url.substr(request.url.rfind('/') + 1);
  adapter::HttpReply answer;
  answer.body = "remote-" + command;
  switch (fate) {
    case Fate::throttled:
      answer.status = 429;
      answer.headers.push_back({"Retry-After", std::to_string(1 + random_.below(30))});
      return answer;
    case Fate::unauthorised:
      answer.status = 401;
      return answer;
    case Fate::broken:
      answer.status = 500;
      return answer;
    default:
      break;
  }
  if (refuses(command)) {
    answer.status = request.method == "GET" ? 404 : 422;
    return answer;
  }
  if (request.method == "GET") {
    answer.status = taken_.contains(command) ? 200 : 404;
    return answer;
  }
  answer.status = 200;
  ++taken_[command];
  effects_.push_back({command, std::get<Bytes>(request.body)});
  return answer;
}

void VirtualNetwork::reply(const std::shared_ptr<Task>& task, Instant when, adapter::Input input) {
  at(when, [this, task, given = std::move(input)] {
    if (task->life.expired()) return;  // its node died
    trace_("a sender learns " + as_word(given));
    if (const auto* answer = std::get_if<adapter::HttpReply>(&given)) task->end.last_status = answer->status;
    step(task, given);
  });
}

}  // namespace isthmus::sim
