// Webhooks whose sender cannot be who they say, or who says it twice, through the whole daemon.

#include <gtest/gtest.h>

#include <functional>

#include "support/eventually.h"
#include "system/forms.h"

namespace isthmus::test {
namespace {

class Signature : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_NO_FATAL_FAILURE(company.open()); }

  FormsCompany company;
};

struct Bad {
  std::string what;
  Hook hook;
  std::string code;
};

Bad bad(const std::string& what, const std::string& code, const std::function<void(Hook&)>& spoil) {
  Bad out{what, Hook::lead("bad"), code};
  spoil(out.hook);
  return out;
}

std::vector<Bad> bad_hooks() {
  using std::chrono::minutes;
  return {
      bad("one bit of the body", "webhook.signature", [](Hook& h) { h.body[h.body.size() - 3] ^= 1; }),
      // The same JSON, other bytes: it parses alike and was not signed.
      bad("one more space", "webhook.signature", [](Hook& h) { h.body.insert(1, " "); }),
      bad("an escape", "webhook.signature", [](Hook& h) { h.body.replace(h.body.find("Bonjour"), 1, "\\u0042"); }),
      bad("another id", "webhook.signature", [](Hook& h) { h.headers.set("webhook-id", "another"); }),
      bad("two signatures", "webhook.missing-header", [](Hook& h) { h.headers.add("webhook-signature", "v1,AAAA"); }),
      bad("no signature", "webhook.missing-header", [](Hook& h) { h.headers.remove("webhook-signature"); }),
      bad("an empty signature", "webhook.signature", [](Hook& h) { h.headers.set("webhook-signature", ""); }),
      bad("another scheme", "webhook.signature",
          [](Hook& h) {
            h.headers.set("webhook-signature", "v2" + std::string(*h.headers.only("webhook-signature")).substr(2));
          }),
      bad("no time", "webhook.timestamp", [](Hook& h) { h.headers.set("webhook-timestamp", "soon"); }),
      bad("six minutes ago", "webhook.stale",
          [](Hook& h) { h = Hook::signed_over("old", Hook::lead_json("bad"), minutes(6)); }),
      bad("in six minutes", "webhook.stale",
          [](Hook& h) { h = Hook::signed_over("new", Hook::lead_json("bad"), -minutes(6)); }),
  };
}

// Refused with its code, in no book, and the next good one goes through.
TEST_F(Signature, ThatDoesNotHoldIsRefusedWithTheReasonAndTheNextCallIsTaken) {
  std::int64_t good = 0;
  for (const Bad& one : bad_hooks()) {
    SCOPED_TRACE(one.what);
    const Socket::Reply reply = send(company.bridge.public_port(), one.hook);
    EXPECT_EQ(reply.status, 401) << reply.body;
    EXPECT_NE(reply.body.find("\"code\":\"" + one.code + "\""), std::string::npos) << reply.body;
    EXPECT_NE(reply.body.find("\"detail\":\""), std::string::npos) << reply.body;
    ASSERT_NO_FATAL_FAILURE(company.expect_flow("good-" + std::to_string(++good)));
  }
  EXPECT_EQ(company.bridge.books()["calls.inbox"], good);
  EXPECT_FALSE(company.crm.has_lead("bad"));
  EXPECT_NE(company.bridge.log().find("intake.call.refused"), std::string::npos);
  company.expect_settled();
}

TEST_F(Signature, OfFourMinutesAgoIsTaken) {
  const Hook hook = Hook::signed_over("old", Hook::lead_json("slow"), std::chrono::minutes(4));
  EXPECT_EQ(send(company.bridge.public_port(), hook).status, 204);
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] { return company.crm.has_lead("slow"); }));
}

TEST_F(Signature, ThatIsReplayedIsAnsweredAlikeAndCountsOnce) {
  const Hook hook = Hook::lead("once");
  for (int times = 0; times < 5; ++times) EXPECT_EQ(send(company.bridge.public_port(), hook).status, 204);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
  auto books = company.bridge.books();
  EXPECT_EQ(books["calls.inbox"], 2);
  EXPECT_EQ(books["commands.made"], 2);
  EXPECT_EQ(company.crm.leads()["once"].size(), 1U);
  company.expect_settled();
}

// Another call under an id that was used already: it is not lost, and what it tells is the same event.
TEST_F(Signature, OfAReplayedIdOverOtherBytesIsKeptAndItsLeadMadeOnce) {
  EXPECT_EQ(send(company.bridge.public_port(), Hook::signed_over("same", Hook::lead_json("once"))).status, 204);
  EXPECT_EQ(send(company.bridge.public_port(), Hook::signed_over("same", Hook::lead_json("once") + "\n")).status, 204);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
  auto books = company.bridge.books();
  EXPECT_EQ(books["calls.inbox"], 3);
  EXPECT_EQ(books["commands.made"], 2);
  EXPECT_EQ(company.crm.leads()["once"].size(), 1U);
  company.expect_settled();
}

TEST_F(Signature, AtAnUnknownConnectionIsAnsweredWithNotFound) {
  Hook hook = Hook::lead("bad");
  hook.target = "/in/nobody";
  EXPECT_EQ(send(company.bridge.public_port(), hook).status, 404);
}

}  // namespace
}  // namespace isthmus::test
