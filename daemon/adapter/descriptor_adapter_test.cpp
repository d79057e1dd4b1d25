#include "adapter/descriptor_adapter.h"

#include <gtest/gtest.h>

namespace isthmus::adapter {
namespace {

constexpr std::string_view kGood = R"(adapter: demo
contract: 1
version: 1.0.0
kind: generic
connection:
  url: { type: url }
  key: { type: secret }
hosts: ["${connection.url}"]
http: { base_url: "${connection.url}" }
auth: { mode: header, apply: { header: Authorization, value: "Bearer ${secret.key}" } }
operations:
  make:
    verb: UPSERT
    input: lead/1
    request: POST /v1/items/${input.external_id}
    query: { note: "${input.message?}" }
    headers: { X-Note: "${input.campaign?}" }
    json: { mail: "${input.person.email}" }
    take: { id: "${$.id}" }
    remote_id: "${taken.id}"
streams:
  items:
    request: GET /v1/items
    records: "${$.items}"
    page: { by: url, next: "${$.next?}" }
    events: [item]
webhook:
  verify: { recipe: hmac_sha256, header: X-Signature, secret: key }
  records: "${$.items}"
  events: [item]
events:
  item:
    kind: item.made
    dedup: "${record.id}"
    at: "${record.at}"
    order_key: "${record.id}"
    format: metric/1
    purposes: []
    body: { action: "${record.id}" }
)";

std::string replaced(std::string_view what, std::string_view by) {
  std::string out(kGood);
  const std::size_t at = out.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return out.replace(at, what.size(), by);
}

std::unique_ptr<DescriptorAdapter> good() {
  Diagnostics diagnostics;
  auto adapter = read_descriptor(kGood, "demo.yaml", diagnostics);
  EXPECT_TRUE(adapter) << diagnostics.to_string();
  return adapter;
}

Context context() {
  Context out;
  out.now_ms = 1'795'514'400'000;
  out.connection = {{"url", "https://demo.example"}};
  return out;
}

Command lead(std::string id = "a", std::string extra = "") {
  Command out;
  out.id = "c1";
  out.operation = "make";
  out.body = R"({"external_id":")" + id + R"(","person":{"email":"a@b.example"})" + extra + "}";
  return out;
}

Step advance(const DescriptorAdapter& adapter, const Task& task, const Input& input, const Bytes& state = {}) {
  Result<Step> step = adapter.advance(context(), task, state, input);
  EXPECT_TRUE(step) << to_string(step.error());
  return step ? *std::move(step) : Step{};
}

Outcome outcome(const Step& step) {
  const auto* done = std::get_if<Done>(&step.move);
  if (done == nullptr || !std::holds_alternative<std::vector<Outcome>>(*done)) {
    ADD_FAILURE() << "no outcome";
    return {};
  }
  return std::get<std::vector<Outcome>>(*done).front();
}

struct Mistake {
  std::string_view what, by, code, named;
};

class DescriptorMistake : public testing::TestWithParam<Mistake> {};

TEST_P(DescriptorMistake, IsNamedAtItsPlace) {
  Diagnostics diagnostics;
  EXPECT_FALSE(read_descriptor(replaced(GetParam().what, GetParam().by), "demo.yaml", diagnostics));
  ASSERT_FALSE(diagnostics.list().empty());
  const Diagnostic& first = diagnostics.list().front();
  EXPECT_EQ(first.code, GetParam().code) << diagnostics.to_string();
  EXPECT_GT(first.line, 0);
  EXPECT_NE(to_string(first).find(GetParam().named), std::string::npos) << to_string(first);
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, DescriptorMistake,
    testing::Values(Mistake{"operations:", "operatoins:", "config.unknown-key", "operations"},
                    Mistake{"input.person.email", "input.person.emial", "expression.unknown-name", "email"},
                    Mistake{"verb: UPSERT", "verb: UPSRET", "descriptor.verb", "UPSERT"},
                    Mistake{"input: lead/1", "input: lead/2", "descriptor.format", "lead/1"},
                    Mistake{"connection.url}\" }", "connection.ulr}\" }", "expression.unknown-name", "url"},
                    Mistake{"request: GET /v1/items", "request: FETCH /v1/items", "descriptor.request", "GET"},
                    Mistake{"contract: 1", "contract: 2", "descriptor.contract", "1"},
                    Mistake{"${secret.key}", "${secret.kye}", "expression.unknown-name", "key"},
                    Mistake{"${taken.id}", "${taken.di}", "expression.unknown-name", "id"},
                    // A secret has no way into a request: the name exists in auth alone.
                    Mistake{"mail: \"${input.person.email}\"", "mail: \"${secret.key}\"", "expression.unknown-name",
                            "secret.key"},
                    Mistake{"mail: \"${input.person.email}\"", "mail: \"${connection.key}\"", "expression.unknown-name",
                            "connection.key"},
                    Mistake{"secret: key }", "secret: kye }", "descriptor.secret", "did you mean \"key\""},
                    Mistake{"    events: [item]\nwebhook", "    events: [itme]\nwebhook", "descriptor.event",
                            "did you mean \"item\""},
                    Mistake{"version: 1.0.0", "version: 1.0.0\nversion: 1.0.0", "yaml.repeated-key", "version"}));

TEST(DescriptorAdapter, TellsAllMistakesAtOnce) {
  Diagnostics diagnostics;
  std::string text = replaced("verb: UPSERT", "verb: NO");
  text.replace(text.find("request: GET"), 12, "request: GIT");
  EXPECT_FALSE(read_descriptor(text, "demo.yaml", diagnostics));
  EXPECT_GE(diagnostics.list().size(), 2u);
}

// An event that a stream and a webhook share is judged for each.
TEST(DescriptorAdapter, TellsAMistakeOnce) {
  Diagnostics diagnostics;
  EXPECT_FALSE(read_descriptor(replaced("kind: item.made", "knid: item.made"), "demo.yaml", diagnostics));
  const std::string told = diagnostics.to_string();
  EXPECT_NE(told.find("\"knid\" is not known here"), std::string::npos) << told;
  EXPECT_EQ(told.find("\"knid\" is not known here"), told.rfind("\"knid\" is not known here")) << told;
}

TEST(DescriptorAdapter, EncodesEachValueByItsPlace) {
  const auto adapter = good();
  const Step step = advance(*adapter, Deliver{{lead("a/../b?c", R"(,"message":"x&y=z")")}}, First{});
  const auto* request = std::get_if<HttpRequest>(&step.move);
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(request->url, "https://demo.example/v1/items/a%2F..%2Fb%3Fc?note=x%26y%3Dz");
  EXPECT_EQ(std::get<Bytes>(request->body), R"({"mail":"a@b.example"})");
}

TEST(DescriptorAdapter, RefusesAHeaderWithALineBreak) {
  const auto adapter = good();
  const Step step = advance(*adapter, Deliver{{lead("a", R"(,"campaign":"x\r\nX-Evil: 1")")}}, First{});
  EXPECT_EQ(outcome(step).verdict, Verdict::rejected);
}

TEST(DescriptorAdapter, RefusesAPathThatWouldBeResolvedAway) {
  const auto adapter = good();
  EXPECT_EQ(outcome(advance(*adapter, Deliver{{lead("..")}}, First{})).verdict, Verdict::rejected);
}

TEST(DescriptorAdapter, TakesALostReplyOfACreationForAmbiguousAndOfAReadForRetry) {
  const auto adapter = good();
  const Step sent = advance(*adapter, Deliver{{lead()}}, First{});
  EXPECT_EQ(outcome(advance(*adapter, Deliver{{lead()}}, Loss::timeout_sent, sent.state)).verdict, Verdict::ambiguous);
  EXPECT_EQ(outcome(advance(*adapter, Deliver{{lead()}}, Loss::connect, sent.state)).verdict, Verdict::retry);
  EXPECT_EQ(outcome(advance(*adapter, Collect{"items", "", 10}, Loss::timeout_sent)).verdict, Verdict::retry);
}

TEST(DescriptorAdapter, TakesASuccessThatCannotBeReadForAmbiguous) {
  const auto adapter = good();
  const Step sent = advance(*adapter, Deliver{{lead()}}, First{});
  for (const char* body : {"", "{", "[]", "<html>", "{\"id\":null}", "\xff"}) {
    EXPECT_EQ(outcome(advance(*adapter, Deliver{{lead()}}, HttpReply{200, {}, body}, sent.state)).verdict,
              Verdict::ambiguous)
        << body;
  }
  EXPECT_EQ(outcome(advance(*adapter, Deliver{{lead()}}, HttpReply{201, {}, R"({"id":"9"})"}, sent.state)).remote_id,
            "9");
}

TEST(DescriptorAdapter, StopsAtANextPageOfAnotherHost) {
  const auto adapter = good();
  for (const char* next : {"https://evil.example/v1", "http://demo.example/v1", "http://169.254.169.254/latest",
                           "//evil.example/", "ftp://demo.example/"}) {
    const Step step = advance(*adapter, Collect{"items", "", 10},
                              HttpReply{200, {}, R"({"items":[1],"next":")" + std::string(next) + "\"}"});
    EXPECT_EQ(outcome(step).verdict, Verdict::misconfigured) << next;
  }
}

TEST(DescriptorAdapter, GoesOnToANextPageOfTheSameHostAndNotTwiceToTheSame) {
  const auto adapter = good();
  const HttpReply reply{200, {}, R"({"items":[1],"next":"/v1/items?p=2"})"};
  const Step first = advance(*adapter, Collect{"items", "", 10}, reply);
  const Page page = std::get<Page>(std::get<Done>(first.move));
  EXPECT_TRUE(page.more);
  const Step asked = advance(*adapter, Collect{"items", page.next_cursor, 10}, First{});
  EXPECT_EQ(std::get<HttpRequest>(asked.move).url, "https://demo.example/v1/items?p=2");
  EXPECT_FALSE(
      std::get<Page>(std::get<Done>(advance(*adapter, Collect{"items", page.next_cursor, 10}, reply).move)).more);
}

TEST(DescriptorAdapter, NeverSeesASecretThatTheHostHandsOverByMistake) {
  Diagnostics diagnostics;
  const auto adapter =
      read_descriptor(replaced("mail: \"${input.person.email}\"", "mail: \"${connection}\""), "demo.yaml", diagnostics);
  ASSERT_TRUE(adapter) << diagnostics.to_string();
  Context with_secret = context();
  with_secret.connection["key"] = "s3cret";
  const Result<Step> step = adapter->advance(with_secret, Deliver{{lead()}}, "", First{});
  ASSERT_TRUE(step);
  EXPECT_EQ(std::get<Bytes>(std::get<HttpRequest>(step->move).body).find("s3cret"), std::string::npos);
}

TEST(DescriptorAdapter, SignsWhatTheHostSends) {
  const auto adapter = good();
  Secrets secrets;
  secrets.emplace("key", Secret("s3cret"));
  const Result<HttpRequest> request = adapter->authenticator()->apply({}, context(), secrets, {});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->headers.front().value, "Bearer s3cret");
  EXPECT_EQ(adapter->authenticator()->apply({}, context(), {}, {}).error().code, "auth.secret-missing");
}

// The vector of the Standard Webhooks specification's own libraries (libraries/javascript, webhook.test.ts, read
// 2026-11-24).
TEST(DescriptorAdapter, SignsAWebhookAsTheSpecificationDoes) {
  Diagnostics diagnostics;
  std::string text =
      replaced(R"(auth: { mode: header, apply: { header: Authorization, value: "Bearer ${secret.key}" } })",
               "auth: { mode: standard_webhooks, secret: key }");
  const auto adapter = read_descriptor(text, "demo.yaml", diagnostics);
  ASSERT_TRUE(adapter) << diagnostics.to_string();
  Secrets secrets;
  secrets.emplace("key", Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  Context at = context();
  at.now_ms = 1'614'265'330'000;
  HttpRequest request;
  request.headers.push_back({"webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"});
  request.body = Bytes(R"({"test": 2432232314})");
  const Result<HttpRequest> signed_request = adapter->authenticator()->apply(request, at, secrets, {});
  ASSERT_TRUE(signed_request);
  EXPECT_EQ(signed_request->headers.back().value, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

}  // namespace
}  // namespace isthmus::adapter
