#include "api/house.h"

#include "api/api_fixture_test.h"

namespace isthmus::api {
namespace {

class HouseTest : public ApiTest {
 protected:
  http::Response ask(const std::string& who, const std::string& method, const std::string& target, Bytes body = {},
                     const std::string& idempotency = {}, const std::string& type = "application/json") {
    http::Request r = request(method, "/api/v1" + target, std::move(body));
    if (!who.empty()) r.headers.add("Authorization", "Bearer key-" + who);
    if (!idempotency.empty()) r.headers.add("Idempotency-Key", idempotency);
    r.headers.add("Content-Type", type);
    return house_.handle(r);
  }
  static std::string post_of(const std::string& text) {
    return R"({"targets":["net"],"post":{"text":")" + text + R"(","language":"en"}})";
  }
  std::int64_t posts() { return company_.count("SELECT count(*) FROM post"); }

  House house_{{company_.pool, keys_, company_.directory, publisher_,
                [](const std::string& path) { return http::text_response(200, path); }}};
};

TEST_F(HouseTest, ProbesNeedNoKeyAndEverythingElseDoes) {
  for (const char* path : {"/healthz", "/readyz", "/metrics"})
    EXPECT_EQ(house_.handle(request("GET", path)).body, path);
  const std::vector<std::pair<std::string, std::string>> routes = {
      {"GET", "/posts/00000000-0000-4000-8000-000000000000"},
      {"GET", "/conversations"},
      {"GET", "/commands"},
      {"GET", "/decisions"},
      {"GET", "/books"},
      {"POST", "/posts"},
      {"POST", "/media"},
      {"POST", "/tracks"},
      {"POST", "/posts/00000000-0000-4000-8000-000000000000/approve"},
      {"GET", "/nothing"}};
  for (const auto& [method, path] : routes) {
    const auto response = ask("", method, path);
    EXPECT_EQ(outcome(response), "401 access.key") << path;
    EXPECT_TRUE(response.headers.find("WWW-Authenticate"));
    EXPECT_EQ(outcome(ask("stranger", method, path)), "401 access.key") << path;
  }
  http::Request twice = request("GET", "/api/v1/books");
  twice.headers.add("Authorization", "Bearer key-rita");
  twice.headers.add("Authorization", "Bearer key-rita");
  EXPECT_EQ(house_.handle(twice).status, 401) << "whoever verifies must not choose";
  company_.exec("UPDATE principal SET disabled_at = now() WHERE subject = 'rita'");
  company_.exec("UPDATE administration SET version = version + 1");
  company_.refresh();
  EXPECT_EQ(ask("rita", "GET", "/books").status, 401);
}

TEST_F(HouseTest, ReadingNeedsTheRightToRead) {
  for (const char* path : {"/conversations", "/commands", "/decisions", "/books", "/posts/x"}) {
    EXPECT_EQ(outcome(ask("nobody", "GET", path)), "403 access.right") << path;
  }
  for (const char* path : {"/conversations", "/commands", "/decisions", "/books"})
    EXPECT_EQ(outcome(ask("rita", "GET", path)), "200") << path;
  EXPECT_EQ(outcome(ask("rita", "GET", "/posts/x")), "404 post.unknown");
  EXPECT_EQ(outcome(ask("rita", "GET", "/posts/00000000-0000-4000-8000-000000000000")), "404 post.unknown");
  EXPECT_EQ(outcome(ask("rita", "GET", "/nothing")), "404 http.not-found");
  EXPECT_EQ(outcome(ask("rita", "DELETE", "/books")), "405 http.method");
  EXPECT_EQ(outcome(house_.handle(request("GET", "/api/v2/books"))), "404 http.not-found");
  EXPECT_EQ(outcome(house_.handle(request("GET", "/api/v1/../../etc"))), "404 http.not-found");
}

TEST_F(HouseTest, AQueryThatIsNoTextIsTheCallersMistake) {
  EXPECT_EQ(outcome(ask("rita", "GET", "/commands?state=%FF")).substr(0, 3), "422");
  EXPECT_EQ(outcome(ask("rita", "GET", "/commands?state=%00")).substr(0, 3), "422");
  EXPECT_EQ(outcome(ask("rita", "GET", "/commands?state=%f")).substr(0, 3), "400");
  EXPECT_EQ(outcome(ask("rita", "GET", "/commands?state=a&state=b")).substr(0, 3), "400");
  EXPECT_EQ(outcome(ask("rita", "GET", "/commands?connection=';DROP%20TABLE%20post")), "200");
}

TEST_F(HouseTest, ATimeAfterWhichAPostIsWorthNothingIsATimeThatIsNotOver) {
  const auto with = [](const std::string& time) {
    return R"({"post":{"text":"hello"},"targets":["net"],"not_after":)" + time + "}";
  };
  EXPECT_EQ(outcome(ask("marie", "POST", "/posts", with(R"("2226-11-24T18:00:00Z")"))), "201");
  EXPECT_EQ(company_.count("SELECT count(*) FROM outbox WHERE not_after = '2226-11-24 18:00Z'"), 1);
  EXPECT_EQ(outcome(ask("marie", "POST", "/posts", with("null"))), "201");
  for (const char* time : {R"("2016-11-24T18:00:00Z")", R"("tomorrow")", "1800000000", R"("")"})
    EXPECT_EQ(outcome(ask("marie", "POST", "/posts", with(time))), "422 post.invalid") << time;
}

TEST_F(HouseTest, APostIsQueuedAndReadBack) {
  const auto made = ask("marie", "POST", "/posts", post_of("hello"));
  ASSERT_EQ(outcome(made), "201") << made.body;
  EXPECT_EQ(text_in(made, "targets", "state"), "queued");
  EXPECT_EQ(text_in(made, "targets", "connection"), "net");
  EXPECT_EQ(ask("rita", "GET", "/posts/" + text_at(made, "id")).body, made.body);
  const auto commands = ask("rita", "GET", "/commands?connection=net&state=queued");
  EXPECT_EQ(text_in(commands, "items", "command"), text_in(made, "targets", "command"));
  EXPECT_EQ(text_in(ask("rita", "GET", "/commands?state=dead"), "items", "command"), "");
  EXPECT_EQ(text_in(ask("rita", "GET", "/decisions?effect=permit"), "items", "rule"), "publish.right");
}

TEST_F(HouseTest, WithoutTheRightToPublishNothingIsQueued) {
  const auto made = ask("rita", "POST", "/posts", post_of("hello"));
  EXPECT_EQ(text_in(made, "targets", "state"), "forbidden");
  EXPECT_EQ(text_in(made, "targets", "rule"), "default.deny");
  EXPECT_EQ(company_.count("SELECT count(*) FROM outbox"), 0);
  EXPECT_EQ(outcome(ask("rita", "POST", "/media", "x", "", "image/png")), "403 access.right");
  const std::string metric =
      R"({"connection":"stats","metric":{"action":"click","url":"https://a.example/","occurred_at":"2026-11-24T17:00:00Z"}})";
  EXPECT_EQ(outcome(ask("rita", "POST", "/tracks", metric)), "403 policy.forbidden");
  EXPECT_EQ(outcome(ask("marie", "POST", "/tracks", metric)), "202");
  EXPECT_EQ(company_.count("SELECT count(*) FROM outbox"), 1);
}

TEST_F(HouseTest, RefusesBodiesThatAreNoPostAndSaysWhy) {
  for (const char* body :
       {"", "{", "[]", "null", R"({"targets":["net"]})", R"({"targets":["net"],"post":"text"})",
        R"({"targets":["net"],"post":{}})", R"({"targets":[],"post":{"text":"x"}})",
        R"({"targets":["no"],"post":{"text":"x"}})", R"({"targets":["net","net"],"post":{"text":"x"}})",
        R"({"targets":["stats"],"post":{"text":"x"}})", R"({"targets":[7],"post":{"text":"x"}})",
        R"({"targets":"net","post":{"text":"x"}})", R"({"targets":["net"],"post":{"text":7}})",
        R"({"targets":["net"],"post":{"text":"\ud800"}})", "{\"targets\":[\"net\"],\"post\":{\"text\":\"\xff\"}}"}) {
    const auto response = ask("marie", "POST", "/posts", body);
    EXPECT_EQ(response.status, 422) << body << " -> " << response.body;
    (void)outcome(response);
  }
  EXPECT_EQ(ask("marie", "POST", "/posts", std::string(10'000, '[')).status, 422);
  EXPECT_EQ(posts(), 0);
  net_.on_validate = [](const adapter::Command&) {
    return std::vector<adapter::Problem>{{"text.too-long", "text", {{"found", "301"}, {"max", "300"}}}};
  };
  const auto long_text = ask("marie", "POST", "/posts", post_of("x"));
  EXPECT_EQ(outcome(long_text), "422 post.invalid");
  EXPECT_NE(long_text.body.find("the text has 301 characters, 300 are allowed"), std::string::npos) << long_text.body;
}

TEST_F(HouseTest, TheSameIdempotencyKeyMakesOnePostAndAnotherBodyIsRefused) {
  const auto first = ask("marie", "POST", "/posts", post_of("hello"), "k1");
  EXPECT_EQ(ask("marie", "POST", "/posts", post_of("hello"), "k1").body, first.body);
  EXPECT_EQ(posts(), 1);
  EXPECT_EQ(outcome(ask("marie", "POST", "/posts", post_of("other"), "k1")), "422 idempotency.mismatch");
  EXPECT_EQ(outcome(ask("marie", "POST", "/posts", post_of("hello"), "k2")), "201");
  EXPECT_EQ(posts(), 2);
  EXPECT_EQ(company_.count("SELECT count(*) FROM outbox"), 2);
}

TEST_F(HouseTest, OnlySomebodyElseWithTheRightReleasesWhatIsHeld) {
  const auto made = ask("marie", "POST", "/posts", post_of("this is confidential"));
  const std::string post = "/posts/" + text_at(made, "id");
  EXPECT_EQ(text_in(made, "targets", "state"), "held");
  EXPECT_EQ(text_in(made, "targets", "held_for"), "compliance");
  EXPECT_EQ(outcome(ask("marie", "POST", post + "/approve")), "403 approval.forbidden");
  EXPECT_EQ(outcome(ask("rita", "POST", post + "/approve")), "403 approval.forbidden");
  EXPECT_EQ(text_in(ask("rita", "GET", post), "targets", "state"), "held");
  EXPECT_EQ(outcome(ask("paul", "POST", post + "/burn")), "404 http.not-found");
  EXPECT_EQ(outcome(ask("paul", "POST", post + "/approve", "{")).substr(0, 3), "422");
  EXPECT_EQ(text_in(ask("paul", "POST", post + "/approve", R"({"comment":"fine"})"), "targets", "state"), "queued");
  EXPECT_EQ(outcome(ask("paul", "POST", post + "/approve")), "409 approval.nothing-held");
  EXPECT_EQ(outcome(ask("paul", "POST", "/posts/00000000-0000-4000-8000-000000000000/approve")), "404 post.unknown");
  const auto rejected = ask("marie", "POST", "/posts", post_of("confidential too"));
  EXPECT_EQ(text_in(ask("paul", "POST", "/posts/" + text_at(rejected, "id") + "/reject"), "targets", "state"),
            "rejected");
  EXPECT_EQ(outcome(ask("rita", "GET", "/books")), "200");
  EXPECT_NE(ask("rita", "GET", "/books").body.find("\"balanced\":true"), std::string::npos)
      << ask("rita", "GET", "/books").body;
}

TEST_F(HouseTest, AForbiddenPostNamesItsRuleAndGoesNowhere) {
  const auto made = ask("marie", "POST", "/posts", post_of("pay with 4111 1111 1111 1111"));
  EXPECT_EQ(text_in(made, "targets", "state"), "forbidden");
  EXPECT_EQ(text_in(made, "targets", "rule"), "card-number");
  EXPECT_EQ(company_.count("SELECT count(*) FROM outbox"), 0);
}

TEST_F(HouseTest, MediaHaveATypeAndASize) {
  const auto stored = ask("marie", "POST", "/media", "picture", "", "image/png");
  EXPECT_EQ(outcome(stored), "201");
  EXPECT_EQ(text_at(stored, "blob"), to_hex(crypto::sha256("picture")));
  EXPECT_EQ(outcome(ask("marie", "POST", "/media", Bytes(10U << 20U, 'x'), "", "image/svg+xml; charset=utf-8")), "201");
  EXPECT_EQ(outcome(ask("marie", "POST", "/media", Bytes((10U << 20U) + 1, 'x'), "", "image/png")), "413 media.size");
  EXPECT_EQ(outcome(ask("marie", "POST", "/media", "", "", "image/png")), "413 media.size");
  for (const char* type : {"png", "image/", "/png", "image/p ng", "image/png\xff", "ima\x01ge/png"}) {
    EXPECT_EQ(outcome(ask("marie", "POST", "/media", "x", "", type)), "415 media.type") << type;
  }
}

TEST_F(HouseTest, WithoutADatabaseItAnswers503AndWhenToComeBack) {
  test::Postgres::instance().stop();
  const auto response = ask("rita", "GET", "/books");
  EXPECT_EQ(outcome(response), "503 store.unavailable");
  EXPECT_TRUE(response.headers.find("Retry-After"));
  EXPECT_EQ(outcome(ask("marie", "POST", "/posts", post_of("hello"))), "503 store.unavailable");
  test::Postgres::instance().start();
  EXPECT_EQ(posts(), 0);
}

}  // namespace
}  // namespace isthmus::api
