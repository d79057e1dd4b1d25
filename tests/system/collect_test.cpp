// A network whose replies point inside: the next page at an internal address, at another host, behind a redirect. The
// address is never asked, the reason is told, and the neighbours flow.

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "system/forms.h"

namespace isthmus::test {
namespace {

http::Response page(const std::string& lead, const std::string& next) {
  std::string body = R"({"leads":[{"external_id":")" + lead + R"(","name":"N"}])";
  if (!next.empty()) body += R"(,"next":")" + next + "\"";
  return http::json_response(200, body + "}");
}

class Collect : public ::testing::Test {
 protected:
  /// The company, and one connection of the trial network that collects a stream from `network`.
  void open(const std::string& network, const std::string& stream, const std::string& internal = "allow") {
    const std::string url = "\"" + network + "\"";
    ASSERT_NO_FATAL_FAILURE(
        company.open("  - { name: trial, unit: acme, adapter: trial, hosts: [" + url + "], internal: " + internal +
                         ", fields: { url: " + url + " }, collect: { " + stream + ": 100ms } }\n",
                     "  - { name: trial-to-crm, from: trial, kinds: [lead.form], to: crm, operation: send_lead, "
                     "mapping: lead-to-salesforce }\n"));
  }
  void expect_stopped(const std::string& reason) {
    EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] {
      const std::string log = company.bridge.log();
      return log.find("collect.stream.failed") != std::string::npos && log.find(reason) != std::string::npos;
    })) << company.bridge.log();
    EXPECT_TRUE(inside.requests().empty()) << "the internal address was asked";
    ASSERT_NO_FATAL_FAILURE(company.expect_flow("beside"));
    company.expect_settled();
  }

  Receiver inside;  ///< what nobody approved
  FormsCompany company{{{std::string(ISTHMUS_SOURCE_DIR) + "/tests/system/adapters"}, {}}};
};

TEST_F(Collect, GoesOnToANextPageOfTheApprovedHost) {
  Receiver network([](const http::Request& request) {
    return request.query.empty() ? page("first", "/leads?page=2") : page("second", "");
  });
  ASSERT_NO_FATAL_FAILURE(open(network.url(), "leads"));
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] {
    return company.crm.has_lead("first") && company.crm.has_lead("second");
  })) << company.bridge.log();
  company.expect_settled();
}

TEST_F(Collect, AsksNoOtherPortOfTheSameMachine) {
  Receiver network([this](const http::Request&) { return page("first", inside.url() + "/leads?page=2"); });
  ASSERT_NO_FATAL_FAILURE(open(network.url(), "leads"));
  expect_stopped(inside.host());
}

TEST_F(Collect, AsksNoMetadataService) {
  Receiver network([](const http::Request&) { return page("first", "http://169.254.169.254/latest/meta-data/"); });
  ASSERT_NO_FATAL_FAILURE(open(network.url(), "leads"));
  expect_stopped("169.254.169.254");
}

TEST_F(Collect, AsksNoAddressOfALinkHeader) {
  Receiver network([this](const http::Request&) {
    http::Response response = page("first", "");
    response.headers.add("Link", "<" + inside.url() + "/linked?page=2>; rel=\"next\"");
    return response;
  });
  ASSERT_NO_FATAL_FAILURE(open(network.url(), "linked"));
  expect_stopped(inside.host());
}

TEST_F(Collect, FollowsNoRedirect) {
  Receiver network([this](const http::Request& request) {
    if (request.query.empty()) return page("first", "/leads?page=2");
    return http::Response{302, {{"Location", inside.url() + "/leads"}}, {}};
  });
  ASSERT_NO_FATAL_FAILURE(open(network.url(), "leads"));
  expect_stopped("302");
  EXPECT_TRUE(company.crm.has_lead("first")) << "the page before it was kept";
}

// The name of an approved host that leads inside: found out when connecting, before any packet.
TEST_F(Collect, AsksNoApprovedHostWhoseAddressIsInternalUnlessAllowed) {
  ASSERT_NO_FATAL_FAILURE(
      open("http://localhost:" + inside.host().substr(inside.host().find(':') + 1), "leads", "deny"));
  expect_stopped("refused_by_guard");
}

TEST_F(Collect, KeepsAPageThatItCannotReadAndAsksAgain) {
  std::atomic<int> asked{0};
  Receiver network([&](const http::Request&) {
    return ++asked == 1 ? http::json_response(200, R"({"leads":[{"name":"nobody"}]})") : page("good", "");
  });
  ASSERT_NO_FATAL_FAILURE(open(network.url(), "leads"));
  EXPECT_TRUE(eventually(std::chrono::seconds(20), [&] { return company.crm.has_lead("good"); }))
      << company.bridge.log();
  EXPECT_NE(company.bridge.quarantine().find("record 0"), std::string::npos) << company.bridge.quarantine();
  company.expect_settled();
}

}  // namespace
}  // namespace isthmus::test
