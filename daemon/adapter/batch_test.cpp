#include <gtest/gtest.h>

#include "adapter/descriptor_adapter.h"
#include "expression/value.h"

namespace isthmus::adapter {
namespace {

constexpr std::string_view kDescriptor = R"(adapter: demo
contract: 1
version: 1.0.0
kind: crm
connection:
  url: { type: url }
  key: { type: secret }
hosts: ["${connection.url}"]
http: { base_url: "${connection.url}" }
auth:
  mode: session
  login:
    request: POST /token
    json: { key: "${secret.key}" }
    if: "$.at == connection.url"
    take: { access: "${$.access}" }
    expires: "${add_seconds(now, $.expires_in)}"
  apply: { header: Authorization, value: "Bearer ${token.access}" }
operations:
  make:
    verb: UPSERT
    input: lead/1
    replay_safe: true
    request: POST /v1/leads
    json: [{ $each: "${commands}", $as: c, $value: { mail: "${c.input.person.email}" } }]
    batch: { max: 10, items: "${$}", ok: item.ok, remote_id: "${item.id}", code: "${item.code?}" }
)";

std::unique_ptr<DescriptorAdapter> demo() {
  Diagnostics diagnostics;
  auto adapter = read_descriptor(kDescriptor, "demo.yaml", diagnostics);
  EXPECT_TRUE(adapter) << diagnostics.to_string();
  return adapter;
}

Context context() {
  Context out;
  out.now_ms = 1'795'514'400'000;
  out.connection = {{"url", "https://demo.example"}};
  return out;
}

Command lead(const std::string& id, const std::string& person) {
  Command out;
  out.id = id;
  out.operation = "make";
  out.body = R"({"source":"f","external_id":")" + id + R"(","person":)" + person + "}";
  return out;
}

std::vector<Outcome> outcomes_of(const Result<Step>& step) {
  EXPECT_TRUE(step && std::holds_alternative<Done>(step->move));
  return std::get<std::vector<Outcome>>(std::get<Done>(step->move));
}

TEST(Batch, LeavesOutTheCommandThatCannotBeBuiltAndSendsItsNeighbours) {
  const auto adapter = demo();
  const Deliver task{
      {lead("a", R"({"email":"a@x.example"})"), lead("b", "{}"), lead("c", R"({"email":"c@x.example"})")}};
  const Result<Step> asked = adapter->advance(context(), task, {}, First{});
  ASSERT_TRUE(asked && std::holds_alternative<HttpRequest>(asked->move));
  EXPECT_EQ(std::get<Bytes>(std::get<HttpRequest>(asked->move).body),
            R"([{"mail":"a@x.example"},{"mail":"c@x.example"}])");

  const HttpReply reply{200, {}, R"([{"ok":true,"id":"1"},{"ok":false,"code":"no"}])"};
  const std::vector<Outcome> outcomes = outcomes_of(adapter->advance(context(), task, asked->state, reply));
  ASSERT_EQ(outcomes.size(), 3u);
  EXPECT_EQ(outcomes[0].command_id, "b");
  EXPECT_EQ(outcomes[0].verdict, Verdict::rejected);
  EXPECT_EQ(outcomes[1].command_id, "a");
  EXPECT_EQ(outcomes[1].remote_id, "1");
  EXPECT_EQ(outcomes[2].command_id, "c");
  EXPECT_EQ(outcomes[2].verdict, Verdict::rejected);
}

TEST(Batch, AsksForNothingWhenNoCommandCanBeBuilt) {
  const std::vector<Outcome> outcomes =
      outcomes_of(demo()->advance(context(), Deliver{{lead("a", "{}"), lead("b", "{}")}}, {}, First{}));
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[0].verdict, Verdict::rejected);
  EXPECT_EQ(outcomes[1].verdict, Verdict::rejected);
}

TEST(Login, CountsTheExpiryFromNowAndKnowsItsConnection) {
  const auto adapter = demo();
  const Authenticator* auth = adapter->authenticator();
  const Login good =
      auth->parse_login(context(), {200, {}, R"({"at":"https://demo.example","access":"t","expires_in":1800})"}, {});
  EXPECT_EQ(good.verdict, Verdict::delivered);
  EXPECT_EQ(good.session.expires_ms, 1'795'514'400'000 + 1'800'000);
  const Login other =
      auth->parse_login(context(), {200, {}, R"({"at":"https://other.example","access":"t","expires_in":1800})"}, {});
  EXPECT_EQ(other.verdict, Verdict::reauth);
}

}  // namespace
}  // namespace isthmus::adapter
