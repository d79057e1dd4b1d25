// The Nth reply to a collector is lost, late, cut or nonsense, N from 1 until a run has no Nth: afterwards every page
// stands in the journal once, and the cursor is at the end.
#include <gtest/gtest.h>

#include "adapter/descriptor_adapter.h"
#include "base/check.h"
#include "intake/collector.h"
#include "journal/codec.h"
#include "support/company.h"
#include "support/eventually.h"
#include "support/faulty_server.h"

namespace isthmus::intake {
namespace {

using namespace std::chrono_literals;
using test::FaultyServer;

constexpr int kLane = 3;
constexpr int kPages = 4;

const char* const kDescriptor = R"(
adapter: net
contract: 1
version: 1.0.0
kind: social
connection: { url: { type: url } }
hosts: ["${connection.url}"]
http: { base_url: "${connection.url}", timeout: 1s }
streams:
  s:
    every: 60s
    request: GET /list
    query: { page: "${cursor.page?}" }
    records: "${$.data}"
    page: { by: token, next: "${$.next?}" }
    cursor: { mark: "${record.id}", compare: number, order: oldest_first }
    events: [thing]
events:
  thing:
    kind: social.mention
    dedup: "thing:${record.id}"
    at: "${now}"
    order_key: "${record.id}"
    format: activity/1
    purposes: [engagement]
    body: { type: Create }
)";

class AheadClock final : public Clock {
 public:
  [[nodiscard]] Instant now() const override { return system_.now() + std::chrono::seconds(ahead_s.load()); }
  [[nodiscard]] std::chrono::microseconds since_boot() const override { return system_.since_boot(); }
  std::atomic<int> ahead_s{0};

 private:
  SystemClock system_;
};

std::string page(const std::string& target) {
  const auto at = target.find("page=");
  const int number = at == std::string::npos ? 1 : std::stoi(target.substr(at + 5));
  const std::string next = number < kPages ? R"(,"next":")" + std::to_string(number + 1) + "\"" : "";
  return R"({"data":[{"id":)" + std::to_string(number) + "}]" + next + "}";
}

/// Bodies of what was journaled, in order.
std::vector<std::string> journaled(test::Company& company, journal::Keys& keys) {
  std::vector<std::string> out;
  const std::vector<journal::InboxRow> rows = *journal::read_inbox(**company.pool.take(), kLane, 0, 100);
  for (const journal::InboxRow& row : rows) {
    const journal::Exchange& e = row.exchange;
    out.push_back(
        journal::decode_call(*keys.open(e.call.key, e.call.bytes, journal::call_binding(e.connection, e.received)))
            ->body);
  }
  return out;
}

bool run(const adapter::Adapter& adapter, int nth, FaultyServer::Spoil how) {
  FaultyServer server([](const std::string&, const std::string& target, const std::string&) { return page(target); });
  server.spoil(nth, how);
  test::Company company;
  const std::int64_t epoch = journal::take_lanes(**company.pool.take(), "n", 60s)->at(kLane).epoch;
  company.connect("net", adapter, server.url(), kLane, R"({"s": 86400000})");
  company.refresh();
  AheadClock clock;
  SystemRandom random;
  archive::MasterKey master = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  journal::Keys keys(company.pool, master, clock, random);
  auto client = std::move(*http::Client::open({}));
  host::Timers timers;
  host::ProgramThreads programs;
  host::Driver driver(*client, timers, programs, clock, company.log);
  {
    Collector collector(
        company.pool, keys, company.directory, driver, clock, company.log,
        [epoch](int lane) { return lane == kLane ? epoch : 0; }, [](int) {});
    EXPECT_TRUE(test::eventually(20s,
                                 [&] {
                                   ++clock.ahead_s;
                                   return company.count("SELECT count(*) FROM inbox") >= kPages;
                                 }))
        << "reply " << nth << ", way " << static_cast<int>(how);
  }
  client->stop();
  std::vector<std::string> expected;
  for (int i = 1; i <= kPages; ++i) expected.push_back(page("page=" + std::to_string(i)));
  EXPECT_EQ(journaled(company, keys), expected) << "reply " << nth << ", way " << static_cast<int>(how);
  EXPECT_EQ(company.count("SELECT count(*) FROM stream_cursor WHERE fails = 0 AND due > now() + interval '1 h'"), 1);
  return server.met();
}

TEST(CollectorReplyFault, WhicheverReplyIsSpoiledEveryPageIsJournaledOnceAndInOrder) {
  Diagnostics diagnostics;
  const auto adapter = adapter::read_descriptor(kDescriptor, "net.yaml", diagnostics);
  ASSERT_NE(adapter, nullptr) << diagnostics.to_string();
  for (const FaultyServer::Spoil how : test::kSpoils) {
    int n = 1;
    for (; n < 50 && !HasFailure(); ++n) {
      if (!run(*adapter, n, how)) break;
    }
    EXPECT_EQ(n, kPages + 1) << "a run without a fault has a reply a page";
  }
}

}  // namespace
}  // namespace isthmus::intake
