// Bodies that no decent sender makes, through the whole daemon: each is answered, kept with its evidence where it was
// signed, and its neighbours reach the CRM.

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "system/forms.h"

namespace isthmus::test {
namespace {

std::string member(const std::string& name, const std::string& json) {
  std::string body = Hook::lead_json("odd-1");
  const std::string before = "\"message\":\"Bonjour\"";
  return body.replace(body.find(before), before.size(), "\"" + name + "\":" + json);
}

TEST(Body, OfTwentyMegabytesIsRefusedUnreadAndItsSenderToldSo) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  const Socket::Reply reply = send(company.bridge.public_port(), Hook::signed_over("huge", std::string(20 << 20, ' ')));
  EXPECT_EQ(reply.status, 413);
  EXPECT_NE(reply.body.find("http.body-too-large"), std::string::npos) << reply.body;
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
  EXPECT_EQ(company.bridge.books()["calls.inbox"], 1) << "what was refused is in no book";
  company.expect_settled();
}

TEST(Body, OfTwentyMegabytesInChunksIsRefusedToo) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  Socket socket(company.bridge.public_port());
  socket.send("POST /in/forms HTTP/1.1\r\nHost: forms.example\r\nTransfer-Encoding: chunked\r\n\r\n");
  const std::string chunk = "100000\r\n" + std::string(1 << 20, ' ') + "\r\n";
  for (int megabytes = 0; megabytes < 20; ++megabytes) socket.send(chunk);
  EXPECT_EQ(socket.receive().status, 413);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
}

TEST(Body, OfAlmostTheLimitIsTaken) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  std::string body = Hook::lead_json("large");
  body += std::string((4 << 20) - body.size(), ' ');
  EXPECT_EQ(send(company.bridge.public_port(), Hook::signed_over("large", body)).status, 204);
  EXPECT_EQ(send(company.bridge.public_port(), Hook::signed_over("larger", body + " ")).status, 413);
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] { return company.crm.has_lead("large"); }));
  company.expect_settled();
}

struct Odd {
  std::string what;
  std::string body;
  std::string reason;
};

std::vector<Odd> odd_bodies() {
  std::string objects;
  for (int level = 0; level < 10'000; ++level) objects += "{\"a\":";
  objects += "1" + std::string(10'000, '}');
  return {
      {"10,000 lists in one another", member("message", std::string(10'000, '[') + std::string(10'000, ']')),
       "it nests deeper than 64 levels"},
      {"10,000 objects in one another", member("message", objects), "it nests deeper than 64 levels"},
      {"invalid UTF-8", member("message", "\"caf\xe9\""), "it is not UTF-8"},
      {"a lone surrogate", member("message", "\"\\ud800\""), "half of a surrogate pair"},
      {"a repeated key", member("external_id", "\"odd-2\""), "the key external_id twice"},
      {"a repeated key deep inside", member("social", R"({"network":"a","id":"1","id":"2"})"), "the key id twice"},
      {"no JSON", std::string("\0\1\2", 3) + " neither", "it is not JSON"},
      {"half of one", Hook::lead_json("odd-1").substr(0, 60), "cannot be read"},
      {"nothing", "", "it is empty"},
      {"another shape", R"({"type":"lead.created","data":"odd-1"})", "record 0"},
  };
}

// Signed, so it is accepted as evidence; no adapter can read it, so it waits for a person, with the reason.
TEST(Body, ThatNoAdapterCanReadIsQuarantinedWithTheReasonAndItsNeighboursFlow) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  std::int64_t sent = 0;
  for (const Odd& odd : odd_bodies()) {
    SCOPED_TRACE(odd.what);
    const std::string number = std::to_string(++sent);
    EXPECT_EQ(send(company.bridge.public_port(), Hook::signed_over("odd-" + number, odd.body)).status, 204);
    ASSERT_NO_FATAL_FAILURE(company.expect_flow("beside-" + number));
    auto books = books_when(company.bridge, [&](auto& b) { return b["calls.quarantined"] == sent; });
    EXPECT_EQ(books["calls.quarantined"], sent) << company.bridge.log();
    const std::string aside = company.bridge.quarantine();
    EXPECT_NE(aside.find("\"state\":\"quarantined\""), std::string::npos) << aside;
    EXPECT_NE(aside.find(odd.reason), std::string::npos) << aside;
  }
  EXPECT_FALSE(company.crm.has_lead("odd-1") || company.crm.has_lead("odd-2"));
  auto books = company.bridge.books();
  EXPECT_EQ(books["calls.routed"], sent);
  EXPECT_EQ(books["calls.inbox"], 2 * sent);
  company.expect_settled();
}

}  // namespace
}  // namespace isthmus::test
