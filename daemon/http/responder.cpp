#include <atomic>
#include <utility>

#include "http/server.h"

namespace isthmus::http {

struct Responder::State {
  explicit State(std::function<void(Response)> to) : deliver(std::move(to)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    if (!answered.exchange(true)) deliver(problem(500, "http.unanswered", "the request was dropped without an answer"));
  }

  const std::function<void(Response)> deliver;
  std::atomic<bool> answered{false};
};

Responder::Responder(std::function<void(Response)> deliver) : state_(std::make_shared<State>(std::move(deliver))) {}

void Responder::operator()(Response response) const {
  if (!state_->answered.exchange(true)) state_->deliver(std::move(response));
}

}  // namespace isthmus::http
