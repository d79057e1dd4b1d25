// The Nth statement fails, N from 1 until a run meets none. The network is not idempotent, so a command that is sent
// twice without looking shows as two effects.
#include <gtest/gtest.h>

#include "delivery/dispatcher_fixture_test.h"

namespace isthmus::delivery {
namespace {

using std::chrono::seconds;
using test::FakeNetwork;

/// One run in a database of its own; whether the fault was met.
bool run_with_fault(std::int64_t n, bool crash) {
  test::SmallCompany company;
  FakeNetwork network([](const std::string&, const std::string& body, int nth) {
    return FakeNetwork::Answer{body == "\"a1\"" && nth == 1 ? 503 : 200};
  });
  const std::int64_t id = company.add_connection("target", 5, network.url());
  company.refresh();
  const identity::Connection& target = *company.directory.current()->snapshot->connection(id);
  for (const char* body : {"a1", "a2", "b1"})
    company.order(target, "post", std::string(1, body[0]), "\"" + std::string(body) + "\"");
  auto node = std::make_unique<Node>(company);
  company.fault.fail_at(n);
  if (crash) {
    // The process dies where the statement failed, or at the end.
    EXPECT_TRUE(test::eventually(seconds(10), [&] { return company.fault.met() || company.books().delivered == 1; }));
    const bool met = company.fault.met();
    node.reset();
    company.fault.fail_at(0);
    company.take_lanes();
    node = std::make_unique<Node>(company);
    company.clock.advance(seconds(60));
    EXPECT_TRUE(test::eventually(seconds(20),
                                 [&] {
                                   company.clock.advance(seconds(1));
                                   return company.books().delivered == 3;
                                 }))
        << "N = " << n << " " << company.books().to_json();
    EXPECT_TRUE(company.books().balanced()) << "N = " << n << " " << company.books().to_json();
    EXPECT_EQ(network.effects().size(), 3U) << "N = " << n;
    return met;
  }
  EXPECT_TRUE(test::eventually(seconds(20),
                               [&] {
                                 company.clock.advance(seconds(1));
                                 return company.books().delivered == 3;
                               }))
      << "N = " << n << " " << company.books().to_json();
  const journal::Books books = company.books();
  EXPECT_TRUE(books.balanced()) << "N = " << n << " " << books.to_json();
  EXPECT_EQ(books.dead + books.held + books.waiting + books.in_flight, 0) << "N = " << n << " " << books.to_json();
  std::vector<std::string> of_a;
  for (const std::string& body : network.effects()) {
    if (body.starts_with("\"a")) of_a.push_back(body);
  }
  EXPECT_EQ(network.effects().size(), 3U) << "N = " << n;
  EXPECT_EQ(of_a, (std::vector<std::string>{"\"a1\"", "\"a2\""})) << "N = " << n;
  EXPECT_EQ(company.count("record"), 3) << "N = " << n;
  return company.fault.met();
}

constexpr std::int64_t kEnough = 500;  // far more statements than a run has before its work is done

TEST(DeliveryFault, WhicheverStatementFailsEachCommandHasOneEffectInOrderAndTheBooksBalance) {
  std::int64_t n = 1;
  for (; n < kEnough && !::testing::Test::HasFailure(); ++n) {
    if (!run_with_fault(n, false)) break;
  }
  EXPECT_GT(n, 20) << "a run has more statements than that";
  RecordProperty("statements", static_cast<int>(n));
}

TEST(DeliveryFault, WhicheverStatementANodeDiesAtItsSuccessorLosesAndDoublesNothing) {
  std::int64_t n = 1;
  for (; n < kEnough && !::testing::Test::HasFailure(); ++n) {
    if (!run_with_fault(n, true)) break;
  }
  EXPECT_GT(n, 10);
}

}  // namespace
}  // namespace isthmus::delivery
