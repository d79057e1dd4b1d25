// The Nth reply is lost, late, cut or nonsense, N from 1 until a run has no Nth. The network did what it was asked
// before its reply was spoiled, and does it again when it is asked again: a command that is sent twice without looking
// shows as two messages.
#include <gtest/gtest.h>

#include "adapter/descriptor_adapter.h"
#include "delivery/dispatcher_fixture_test.h"
#include "support/faulty_server.h"

namespace isthmus::delivery {
namespace {

using std::chrono::seconds;
using test::FaultyServer;

// Two requests a command, the second without any protection against repeats. `post` can be looked for, `call` cannot.
const char* const kDescriptor = R"(
adapter: net
contract: 1
version: 1.0.0
kind: social
connection: { url: { type: url } }
hosts: ["${connection.url}"]
settling: 0s
http: { base_url: "${connection.url}", timeout: 1s }
operations:
  post:
    verb: PUBLISH
    input: post/1
    steps:
      - name: prepare
        request: POST /prepare
        replay_safe: true
        json: { text: "${input.text}" }
        take: { token: "${$.token}" }
      - name: send
        request: POST /messages
        json: { text: "${input.text}", token: "${taken.token}" }
        take: { id: "${$.id}" }
    remote_id: "${taken.id}"
    reconcile:
      request: GET /messages
      query: { text: "${input.text}" }
      found: "$.data"
      remote_id: "${$.data[0]}"
  call:
    verb: CALL
    input: post/1
    steps:
      - name: prepare
        request: POST /prepare
        replay_safe: true
        json: { text: "${input.text}" }
        take: { token: "${$.token}" }
      - name: send
        request: POST /messages
        json: { text: "${input.text}", token: "${taken.token}" }
        take: { id: "${$.id}" }
    remote_id: "${taken.id}"
)";

/// What reached the network, in order.
class Messages {
 public:
  std::string answer(const std::string& method, const std::string& target, const std::string& body) {
    const std::lock_guard lock(mutex_);
    if (target == "/prepare") return R"({"token":"t"})";
    if (method == "POST") {
      texts_.push_back(body.substr(body.find(":\"") + 2, 2));
      return R"({"id":")" + texts_.back() + "\"}";
    }
    const std::string text = target.substr(target.find('=') + 1);
    const bool there = std::find(texts_.begin(), texts_.end(), text) != texts_.end();
    return there ? R"({"data":[")" + text + "\"]}" : R"({"data":[]})";
  }
  std::vector<std::string> texts() {
    const std::lock_guard lock(mutex_);
    return texts_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> texts_;
};

struct Outcome {
  bool met = false;  ///< the run had an Nth reply
  journal::Books books;
  std::string held_reason;
};

Outcome run(const std::string& operation, const std::vector<std::string>& commands, int nth, FaultyServer::Spoil how) {
  const std::string which =
      operation + ", reply " + std::to_string(nth) + ", way " + std::to_string(static_cast<int>(how));
  Diagnostics diagnostics;
  const auto adapter = adapter::read_descriptor(kDescriptor, "net.yaml", diagnostics);
  EXPECT_NE(adapter, nullptr) << diagnostics.to_string();
  if (!adapter) return {};
  Messages messages;
  FaultyServer server([&](const std::string& method, const std::string& target, const std::string& body) {
    return messages.answer(method, target, body);
  });
  server.spoil(nth, how);
  test::SmallCompany company;
  const std::int64_t id = company.add_connection_of(*adapter, "target", 5, server.url(), {{"url", server.url()}});
  company.refresh();
  const identity::Connection& target = *company.directory.current()->snapshot->connection(id);
  for (const std::string& text : commands)
    company.order(target, operation, text.substr(0, 1), R"({"text":")" + text + "\"}");
  auto node = std::make_unique<Node>(company);
  EXPECT_TRUE(test::eventually(seconds(40),
                               [&] {
                                 company.clock.advance(seconds(1));
                                 const journal::Books books = company.books();
                                 return books.delivered + books.held == 3 && books.waiting + books.in_flight == 0;
                               }))
      << which << " " << company.books().to_json();
  node.reset();
  Outcome out{server.met(), company.books(), company.text("SELECT reason FROM parked WHERE state = 5")};
  EXPECT_TRUE(out.books.balanced()) << which << " " << out.books.to_json();
  EXPECT_EQ(out.books.dead, 0) << which;
  auto texts = messages.texts();
  EXPECT_LT(std::find(texts.begin(), texts.end(), "a1"), std::find(texts.begin(), texts.end(), "a2")) << which;
  std::sort(texts.begin(), texts.end());
  EXPECT_EQ(texts, commands) << which;
  EXPECT_EQ(company.count("record"), out.books.delivered) << which;
  return out;
}

TEST(ReplyFault, WhicheverReplyIsSpoiledEachMessageIsOnTheNetworkOnceAndTheBooksBalance) {
  for (const FaultyServer::Spoil how : test::kSpoils) {
    int n = 1;
    for (; n < 50 && !::testing::Test::HasFailure(); ++n) {
      const Outcome outcome = run("post", {"a1", "a2", "b1"}, n, how);
      EXPECT_EQ(outcome.books.delivered, 3);
      if (!outcome.met) break;
    }
    EXPECT_GT(n, 6) << "three commands of two requests";
  }
}

TEST(ReplyFault, WhatNobodyCanLookForIsHeldForAPersonAndNeverSentAgain) {
  for (const FaultyServer::Spoil how : test::kSpoils) {
    int n = 1, held = 0;
    for (; n < 50 && !::testing::Test::HasFailure(); ++n) {
      const Outcome outcome = run("call", {"a1", "a2", "a3"}, n, how);
      held += static_cast<int>(outcome.books.held);
      EXPECT_EQ(outcome.books.held, n % 2 == 0 && outcome.met ? 1 : 0)
          << "of each command the second reply, reply " << n;
      if (outcome.books.held > 0) {
        EXPECT_EQ(outcome.held_reason.find("AMBIGUOUS"), 0U) << outcome.held_reason;
      }
      if (!outcome.met) break;
    }
    EXPECT_EQ(held, 3) << "one run for each command's second reply";
  }
}

}  // namespace
}  // namespace isthmus::delivery
