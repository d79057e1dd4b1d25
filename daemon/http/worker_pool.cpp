#include "http/worker_pool.h"

#include <memory>
#include <utility>

namespace isthmus::http {
namespace {

constexpr std::chrono::seconds kLookInterval{60};  // how often an idle worker wakes for nothing

Response busy() {
  Response response = problem(503, "http.busy", "too many requests wait already");
  response.headers.add("Retry-After", "1");
  return response;
}

}  // namespace

WorkerPool::WorkerPool(std::size_t threads, std::size_t waiting_max) : queue_(waiting_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { run(); });
}

WorkerPool::~WorkerPool() { stop(); }

Handler WorkerPool::blocking(BlockingHandler handler) {
  auto shared = std::make_shared<const BlockingHandler>(std::move(handler));
  return [this, shared](Request request, Responder respond) {
    // std::function must be copyable, and a request must not be copied with it.
    auto held = std::make_shared<const Request>(std::move(request));
    if (queue_.push([shared, held, respond] { respond((*shared)(*held)); }) != Push::taken) respond(busy());
  };
}

void WorkerPool::run() {
  while (true) {
    if (auto job = queue_.pop(kLookInterval)) {
      (*job)();
    } else if (queue_.closed()) {
      return;
    }
  }
}

void WorkerPool::stop() {
  queue_.close();
  threads_.clear();  // joins
}

}  // namespace isthmus::http
