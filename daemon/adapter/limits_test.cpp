// Limits as the shipped descriptors declare them, and what replies tell of them.
#include "adapter/limits.h"

#include <gtest/gtest.h>

#include "adapter/descriptor_adapter.h"
#include "adapter/detail/load_program.h"
#include "base/clock.h"

namespace isthmus::adapter {
namespace {

std::int64_t ms(std::string_view rfc3339) { return to_ms(*from_rfc3339(rfc3339)); }
const std::int64_t kNow = ms("2026-11-24T10:00:00Z");

LimitSpec shipped(const std::string& name) {
  Diagnostics diagnostics;
  const auto adapter =
      load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/" + name + "/descriptor.yaml", diagnostics);
  EXPECT_NE(adapter, nullptr) << diagnostics.to_string();
  return adapter ? adapter->describe().limits : LimitSpec();
}

std::string bucket(const LimitSpec& limits, const std::string& method, const std::string& path) {
  HttpRequest request;
  request.method = method;
  request.url = "https://net.example:8443" + path;
  const BucketSpec* found = bucket_of(limits, request);
  return found == nullptr ? "none" : found->name;
}

TEST(Limits, ARequestCountsAgainstTheFirstBucketWhoseMethodAndPathMatch) {
  const LimitSpec mastodon = shipped("mastodon");
  EXPECT_EQ(bucket(mastodon, "POST", "/api/v2/media"), "media");
  EXPECT_EQ(bucket(mastodon, "GET", "/api/v2/media"), "account");
  EXPECT_EQ(bucket(mastodon, "POST", "/api/v2/media/1"), "account");
  EXPECT_EQ(bucket(mastodon, "POST", "/api/v/media"), "account") << "a star is one character at least";
  EXPECT_EQ(bucket(mastodon, "DELETE", "/api/v1/statuses/103?x=/y"), "remove");
  EXPECT_EQ(bucket(mastodon, "DELETE", "/api/v1/statuses/103/x"), "account") << "a star stays in its segment";
  const LimitSpec bluesky = shipped("bluesky");
  EXPECT_EQ(bucket(bluesky, "POST", "/xrpc/com.atproto.repo.putRecord"), "write");
  EXPECT_EQ(bucket(bluesky, "POST", "/xrpc/com.atproto.repo.uploadBlob"), "requests");
  const LimitSpec x = shipped("x");
  EXPECT_EQ(bucket(x, "GET", "/2/users/2244994945/mentions?max_results=100"), "mentions");
  EXPECT_EQ(bucket(x, "GET", "/2/users/me"), "none");
}

TEST(Limits, ARequestMayNameItsBucket) {
  LimitSpec limits;
  limits.buckets = {{"all", "", "", 10, 1000, 1}, {"media", "POST", "/m", 5, 1000, 2}};
  HttpRequest request;
  request.method = "GET";
  request.url = "https://net.example/m";
  EXPECT_EQ(bucket_of(limits, request)->name, "all");
  request.bucket = "media";
  EXPECT_EQ(bucket_of(limits, request)->cost, 2);
  request.bucket = "another";
  EXPECT_EQ(bucket_of(limits, request), nullptr) << "one that nobody declared is still a bucket, without a rate";
}

// docs.joinmastodon.org/api/rate-limits, docs.x.com/fundamentals/rate-limits, docs.bsky.app/docs/advanced-guides/
// rate-limits, developers.hubspot.com/docs/guides/apps/api-usage/usage-details, read 2026-11-24.
TEST(Limits, ReadsWhatEachVendorTellsInItsOwnForm) {
  const LimitReading mastodon = read_limits(shipped("mastodon"),
                                            {200,
                                             {{"X-RateLimit-Limit", "300"},
                                              {"X-RateLimit-Remaining", "299"},
                                              {"X-RateLimit-Reset", "2026-11-24T10:05:00.123456Z"}},
                                             ""},
                                            kNow);
  EXPECT_EQ(mastodon.limit, 300);
  EXPECT_EQ(mastodon.remaining, 299);
  EXPECT_EQ(mastodon.reset_ms, ms("2026-11-24T10:05:00.123Z"));
  EXPECT_FALSE(mastodon.refused);
  const LimitReading x = read_limits(shipped("x"),
                                     {200,
                                      {{"x-rate-limit-limit", "900"},
                                       {"x-rate-limit-remaining", "0"},
                                       {"x-rate-limit-reset", std::to_string(kNow / 1000 + 900)}},
                                      ""},
                                     kNow);
  EXPECT_EQ(x.remaining, 0);
  EXPECT_EQ(x.reset_ms, kNow + 900'000);
  const LimitReading bluesky = read_limits(
      shipped("bluesky"),
      {429, {{"ratelimit-remaining", "1"}, {"ratelimit-reset", std::to_string(kNow / 1000 + 60)}}, ""}, kNow);
  EXPECT_EQ(bluesky.remaining, 1);
  EXPECT_EQ(bluesky.reset_ms, kNow + 60'000);
  EXPECT_TRUE(bluesky.refused);
  const LimitReading hubspot = read_limits(shipped("hubspot"),
                                           {200,
                                            {{"X-HubSpot-RateLimit-Max", "100"},
                                             {"X-HubSpot-RateLimit-Remaining", "98"},
                                             {"X-HubSpot-RateLimit-Interval-Milliseconds", "10000"}},
                                            ""},
                                           kNow);
  EXPECT_EQ(hubspot.limit, 100);
  EXPECT_EQ(hubspot.remaining, 98);
  EXPECT_EQ(hubspot.reset_ms, kNow + 10'000);
}

TEST(Limits, WhatCannotBeReadSaysNothingAndWhatIsFarIsBounded) {
  const LimitSpec limits = shipped("mastodon");
  const LimitReading nonsense = read_limits(
      limits, {200, {{"X-RateLimit-Remaining", "-1"}, {"X-RateLimit-Reset", "soon"}, {"Retry-After", "5"}}, ""}, kNow);
  EXPECT_EQ(nonsense.remaining, std::nullopt);
  EXPECT_EQ(nonsense.reset_ms, std::nullopt);
  EXPECT_EQ(nonsense.retry_after_ms, std::nullopt) << "of a 429 only";
  const LimitReading far = read_limits(limits, {200, {{"X-RateLimit-Reset", "2099-01-01T00:00:00Z"}}, ""}, kNow);
  EXPECT_EQ(far.reset_ms, kNow + std::int64_t{7} * 24 * 3600 * 1000);
}

std::string problems(const std::string& limits) {
  Diagnostics diagnostics;
  const std::string yaml =
      "adapter: a\ncontract: 1\nversion: 1.0.0\nkind: generic\nhosts: [\"https://a.example\"]\nlimits: " + limits +
      "\n";
  (void)read_descriptor(yaml, "a.yaml", diagnostics);
  return diagnostics.to_string();
}

TEST(Limits, ARateAndAPathAreJudgedAtLoad) {
  EXPECT_EQ(problems("{ buckets: [{ name: a, method: GET, path: /a/*, rate: 300/5m, cost: 3 }] }"), "");
  for (const char* rate : {"300", "300/", "/5m", "0/5m", "-1/5m", "300/5", "300/1ms", "300 / 5m"}) {
    EXPECT_NE(problems("{ buckets: [{ name: a, rate: \"" + std::string(rate) + "\" }] }"), "") << rate;
  }
  EXPECT_NE(problems("{ buckets: [{ name: a, path: a }] }").find("begins with /"), std::string::npos);
  EXPECT_NE(problems("{ buckets: [{ rate: 300/5m }] }").find("name"), std::string::npos);
  EXPECT_NE(problems("{ bucket: [] }").find("buckets"), std::string::npos) << "the nearest name";
}

// The host keeps to the limits of a program as to those of a file.
TEST(Limits, AProgramDescribesItsLimitsFactsAndTimesLikeAFile) {
  Diagnostics diagnostics;
  const auto program = detail::load_program(
      R"({"adapter":"a","contract":1,"version":"1","kind":"generic","hosts":["https://a.example"],"settling":"2s",)"
      R"("limits":{"remaining_header":"X-Left","buckets":[{"name":"all","rate":"3/1m"}]},"facts":{"every":"2h"},)"
      R"("operations":{"post":{"verb":"PUBLISH","input":"post/1","timeout":"7s"},)"
      R"("usual":{"verb":"PUBLISH","input":"post/1"}}})",
      "a", diagnostics);
  ASSERT_NE(program, nullptr) << diagnostics.to_string();
  const Description& description = program->description;
  EXPECT_EQ(description.settling_ms, 2000);
  EXPECT_EQ(description.facts_every_ms, 2 * 3600 * 1000);
  EXPECT_EQ(description.limits.remaining, "X-Left");
  ASSERT_EQ(description.limits.buckets.size(), 1U);
  EXPECT_EQ(description.limits.buckets[0].window_ms, 60'000);
  EXPECT_EQ(description.operations[0].timeout_ms, 7000);
  EXPECT_EQ(description.operations[1].timeout_ms, 20000);
  EXPECT_EQ(detail::load_program(R"({"adapter":"a","contract":1,"version":"1","kind":"generic",)"
                                 R"("hosts":["https://a.example"],"settling":"soon"})",
                                 "a", diagnostics),
            nullptr);
}

TEST(Limits, TheLongestRequestOfAnOperationIsKnownFromItsSteps) {
  Diagnostics diagnostics;
  const auto mastodon =
      load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/mastodon/descriptor.yaml", diagnostics);
  const auto tryton =
      load_descriptor(std::string(ISTHMUS_SOURCE_DIR) + "/adapters/tryton/descriptor.yaml", diagnostics);
  ASSERT_TRUE(mastodon && tryton) << diagnostics.to_string();
  for (const OperationSpec& operation : mastodon->describe().operations) {
    EXPECT_EQ(operation.timeout_ms, operation.name == "remove" ? 20'000 : 120'000) << operation.name << ": an upload";
  }
  EXPECT_EQ(tryton->describe().operations[0].timeout_ms, 10'000);
  EXPECT_EQ(tryton->describe().settling_ms, 2000);
  EXPECT_EQ(mastodon->describe().settling_ms, 5000);
}

}  // namespace
}  // namespace isthmus::adapter
