#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "http/server.h"

namespace isthmus::test {

/// The network behind FakeAdapter: a server on loopback that counts what every command did to it, so that a duplicate
/// is visible.
///
/// Not idempotent: whatever is accepted twice has two effects. Threads: any.
class FakeNetwork {
 public:
  struct Answer {
    int status = 200;
    bool takes_effect = true;   ///< what the sender cannot see when the reply is lost
    bool lost = false;          ///< no reply is ever sent
    std::string retry_after{};  ///< seconds
    std::vector<std::pair<std::string, std::string>> headers{};
  };
  /// What to answer to the nth (from 1) POST of a command.
  using Script = std::function<Answer(const std::string& command, const std::string& body, int nth)>;
  /// What to answer to a GET: 200 found, 404 absent, 300 unknown; the truth when empty.
  using Look = std::function<int(const std::string& command, bool truth)>;

  explicit FakeNetwork(Script script = {}, Look look = {}) : script_(std::move(script)), look_(std::move(look)) {
    http::ServerOptions options;
    options.io_threads = 1;
    auto opened = http::Server::open(
        options, clock_, [this](http::Request request, http::Responder respond) { handle(request, respond); });
    if (opened) server_ = std::move(*opened);
  }
  ~FakeNetwork() {
    state_.with([](State& s) { s.lost.clear(); });
    server_->stop(std::chrono::milliseconds(0));
  }

  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(server_->port()); }
  /// Bodies of what took effect, in order.
  [[nodiscard]] std::vector<std::string> effects() const {
    return state_.with([](const State& s) { return s.effects; });
  }
  [[nodiscard]] int sends() const {
    return state_.with([](const State& s) { return s.posts; });
  }
  [[nodiscard]] int looks() const {
    return state_.with([](const State& s) { return s.looks; });
  }
  void script(Script script) {
    state_.with([&](State&) { script_ = std::move(script); });
  }

 private:
  struct State {
    std::map<std::string, int> tried;
    std::map<std::string, int> taken;
    std::vector<std::string> effects;
    std::vector<http::Responder> lost;
    int posts = 0;
    int looks = 0;
  };

  void handle(const http::Request& request, const http::Responder& respond) {
    const std::string command = request.path.substr(request.path.rfind('/') + 1);
    state_.with([&](State& s) {
      if (request.method == "GET") {
        ++s.looks;
        const bool truth = s.taken.contains(command);
        return respond(http::text_response(look_ ? look_(command, truth) : (truth ? 200 : 404), "remote-" + command));
      }
      ++s.posts;
      const int nth = ++s.tried[command];
      const Answer answer = script_ ? script_(command, request.body, nth) : Answer();
      if (answer.takes_effect && (answer.status == 200 || answer.lost)) {
        ++s.taken[command];
        s.effects.push_back(request.body);
      }
      if (answer.lost) return s.lost.push_back(respond);
      http::Response response = http::text_response(answer.status, "remote-" + command);
      if (!answer.retry_after.empty()) response.headers.add("Retry-After", answer.retry_after);
      for (const auto& [name, value] : answer.headers) response.headers.add(name, value);
      respond(std::move(response));
    });
  }

  SystemClock clock_;
  Script script_;
  Look look_;
  mutable Guarded<State> state_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace isthmus::test
