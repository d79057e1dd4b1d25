#pragma once

#include <memory>

#include "delivery/dispatcher.h"
#include "host/driver.h"
#include "support/fake_network.h"
#include "support/small_company.h"

namespace isthmus::delivery {

/// Counts the last words that reach later rooms.
class CountingSink final : public EndSink {
 public:
  Result<void> ended(store::Transaction&, int, const std::vector<Ended>& commands) override {
    if (refuse) return fail("store.data", "the database refuses this row");
    count += static_cast<int>(commands.size());
    return {};
  }
  std::atomic<int> count{0};
  std::atomic<bool> refuse{false};
};

/// What a node needs to deliver: built, and torn down in the order of a stop, or of a crash.
struct Node {
  explicit Node(test::SmallCompany& company)
      : client(std::move(*http::Client::open({}))),
        driver(*client, timers, programs, company.clock, company.log),
        dispatcher({company.pool, company.keys, company.recorder, company.directory, driver, sink, company.clock,
                    company.random, company.log, [&company](int lane) { return company.epoch(lane); }}) {}
  ~Node() {
    dispatcher.stop(patience);
    client->stop();
    timers.stop();
  }
  std::chrono::milliseconds patience{0};
  CountingSink sink;
  std::unique_ptr<http::Client> client;
  host::Timers timers;
  host::ProgramThreads programs;
  host::Driver driver;
  Dispatcher dispatcher;
};

class Delivery : public ::testing::Test {
 protected:
  static constexpr std::chrono::seconds kPatience{20};

  void connect(test::FakeNetwork& network, int lane = 5) {
    const std::int64_t id = company.add_connection("target", lane, network.url());
    company.refresh();
    target = company.directory.current()->snapshot->connection(id);
  }
  void start() { node = std::make_unique<Node>(company); }
  Uuid order(const std::string& operation, const std::string& key, const std::string& body) {
    const Uuid id = company.order(*target, operation, key, "\"" + body + "\"");
    if (node) node->dispatcher.wake(target->lane);
    return id;
  }
  [[nodiscard]] static std::vector<std::string> quoted(std::vector<std::string> bodies) {
    for (std::string& body : bodies) body = "\"" + body + "\"";
    return bodies;
  }
  bool soon(const std::function<bool()>& condition) { return test::eventually(kPatience, condition); }
  /// The books come to this many delivered and nothing under way, and they balance.
  bool delivered(int count) {
    return soon([&] {
             const journal::Books b = company.books();
             return b.delivered == count && b.waiting == 0 && b.in_flight == 0;
           }) &&
           company.books().balanced();
  }
  [[nodiscard]] std::string books() { return company.books().to_json(); }

  test::SmallCompany company;
  std::unique_ptr<Node> node;
  const identity::Connection* target = nullptr;
};

}  // namespace isthmus::delivery
