// Hundreds of events in one webhook: each becomes a lead once, and one that cannot be read does not take another call
// with it.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/crypto.h"
#include "support/eventually.h"
#include "system/forms.h"

namespace isthmus::test {
namespace {

constexpr const char* kKey = "a key of the trial network";

Hook list_of(const std::string& delivery, const std::string& body) {
  Hook hook;
  hook.target = "/in/trial";
  hook.body = body;
  hook.headers.add("X-Signature", "sha256=" + to_hex(crypto::hmac_sha256(kKey, body)));
  hook.headers.add("X-Delivery", delivery);
  return hook;
}

std::string leads(int count, int broken = -1) {
  std::string items;
  for (int n = 0; n < count; ++n) {
    items += n == 0 ? "" : ",";
    items += n == broken ? R"({"name":"nobody"})" : fmt::format(R"({{"external_id":"e{}","name":"N{}"}})", n, n);
  }
  return R"({"leads":[)" + items + "]}";
}

class Lists : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string url = "\"" + company.crm.url() + "\"";
    ASSERT_NO_FATAL_FAILURE(company.open(
        "  - { name: trial, unit: acme, adapter: trial, hosts: [" + url + "], internal: allow, fields: { url: " + url +
            " } }\n",
        "  - { name: trial-to-crm, from: trial, kinds: [lead.form], to: crm, operation: send_lead, mapping: "
        "lead-to-salesforce }\n"));
    ASSERT_NO_FATAL_FAILURE(company.bridge.secret("trial", "key", kKey));
  }

  FormsCompany company{{{std::string(ISTHMUS_SOURCE_DIR) + "/tests/system/adapters"}, {}}};
};

TEST_F(Lists, OfFiveHundredEventsInOneWebhookMakeEachLeadOnce) {
  const Hook hook = list_of("d1", leads(500));
  EXPECT_EQ(send(company.bridge.public_port(), hook).status, 204);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("beside"));
  EXPECT_EQ(send(company.bridge.public_port(), hook).status, 204) << "a repeated delivery is answered alike";
  EXPECT_EQ(send(company.bridge.public_port(), list_of("d2", leads(501))).status, 204);
  auto books = books_when(company.bridge, [](auto& b) { return b["commands.delivered"] == 502; });
  EXPECT_EQ(books["commands.made"], 502);
  EXPECT_EQ(books["commands.delivered"], 502);
  EXPECT_EQ(books["calls.inbox"], 3);
  const auto arrived = company.crm.leads();
  EXPECT_EQ(arrived.size(), 502U);
  for (const auto& [id, keys] : arrived) EXPECT_EQ(keys.size(), 1U) << id;
  company.expect_settled();
}

TEST_F(Lists, WithOneEventThatCannotBeReadWaitWholeWithItsNumberAndTheNextIsTaken) {
  EXPECT_EQ(send(company.bridge.public_port(), list_of("d1", leads(500, 250))).status, 204);
  EXPECT_EQ(send(company.bridge.public_port(), list_of("d2", leads(10))).status, 204);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("beside"));
  auto books = books_when(company.bridge, [](auto& b) { return b["commands.delivered"] == 11; });
  EXPECT_EQ(books["calls.quarantined"], 1);
  EXPECT_EQ(books["commands.delivered"], 11);
  const std::string aside = company.bridge.quarantine();
  EXPECT_NE(aside.find("record 250"), std::string::npos) << aside;
  EXPECT_NE(aside.find("external_id"), std::string::npos) << aside;
  company.expect_settled();
}

TEST_F(Lists, OfMoreThanACallMayHoldAreKeptAside) {
  EXPECT_EQ(send(company.bridge.public_port(), list_of("d1", leads(5001))).status, 204);
  auto books = books_when(company.bridge, [](auto& b) { return b["calls.quarantined"] == 1; });
  EXPECT_EQ(books["calls.quarantined"], 1);
  EXPECT_NE(company.bridge.quarantine().find("more than 5000 records"), std::string::npos)
      << company.bridge.quarantine();
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("beside"));
}

TEST_F(Lists, UnderAWrongKeyAreRefused) {
  Hook hook = list_of("d1", leads(2));
  hook.headers.set("X-Signature", "sha256=" + std::string(64, '0'));
  const Socket::Reply reply = send(company.bridge.public_port(), hook);
  EXPECT_EQ(reply.status, 401);
  EXPECT_NE(reply.body.find("webhook.signature"), std::string::npos) << reply.body;
}

}  // namespace
}  // namespace isthmus::test
