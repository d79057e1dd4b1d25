// The public door on a real server and a real database.
#include "intake/door.h"

#include <gtest/gtest.h>

#include "base/crypto.h"
#include "http/client.h"
#include "http/standard_webhooks.h"
#include "journal/codec.h"
#include "support/company.h"
#include "support/eventually.h"

namespace isthmus::intake {
namespace {

using namespace std::chrono_literals;
using Kind = adapter::WebhookRecipe::Kind;

class DoorTest : public testing::Test {
 protected:
  DoorTest() {
    signed_.description.webhook.kind = Kind::standard_webhooks;
    signed_.description.webhook.secret_field = "webhook_secret";
    signed_.description.webhook.answer_status = 204;
    shared_.description.webhook.kind = Kind::secret_in_header;
    shared_.description.webhook.header = "X-Shared-Token";
    shared_.description.webhook.secret_field = "webhook_secret";
    shared_.description.webhook.answer_status = 200;
    company_.connect("forms", signed_, "https://forms.example", 3);
    company_.connect("shared", shared_, "https://shared.example", 4);
    company_.connect("silent", silent_, "https://silent.example", 5);
    company_.connect("keyless", signed_, "https://forms.example", 6);
    company_.set_secret("forms", "webhook_secret", secret_text());
    company_.set_secret("shared", "webhook_secret", "s3cret");
    http::ServerOptions options;
    server_ = std::move(*http::Server::open(
        std::move(options), clock_,
        [this](http::Request request, http::Responder respond) { door_.handle(std::move(request), respond); }));
    client_ = std::move(*http::Client::open({}));
  }
  ~DoorTest() override { server_->stop(1s); }

  static std::string secret_text() { return "whsec_" + to_base64(std::string(32, 'w')); }
  static http::Headers sign(const std::string& body, const std::string& id, Instant at, char key = 'w') {
    const std::vector<Secret> keys = {Secret(std::string(32, key))};
    return http::sign_standard_webhook(keys, id, at, body);
  }
  http::ClientReply post(const std::string& path, const std::string& body, http::Headers headers,
                         const std::string& method = "POST") {
    http::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + path;
    request.headers = std::move(headers);
    request.body = body;
    request.guard.internal_hosts = {"127.0.0.1:" + std::to_string(server_->port())};
    auto result = client_->call(std::move(request));
    const auto* reply = std::get_if<http::ClientReply>(&result);
    EXPECT_NE(reply, nullptr) << std::get<http::Loss>(result).what;
    return reply == nullptr ? http::ClientReply() : *reply;
  }
  int status(const std::string& body, http::Headers headers) {
    return post("/in/forms", body, std::move(headers)).status;
  }
  std::int64_t rows() { return company_.count("SELECT count(*) FROM inbox"); }

  test::ScriptedAdapter signed_{"signed"}, shared_{"shared"}, silent_{"silent"};
  test::Company company_;
  SystemClock clock_;
  SystemRandom random_;
  archive::MasterKey master_ = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  journal::Keys keys_{company_.pool, master_, clock_, random_};
  Committer committer_{company_.pool, keys_, company_.log, [](int) {}};
  host::ProgramThreads programs_;
  Door door_{company_.directory, committer_, programs_, clock_, company_.log};
  std::unique_ptr<http::Server> server_;
  std::unique_ptr<http::Client> client_;
};

TEST_F(DoorTest, JournalsASignedCallAsItCame) {
  const std::string body = "{\"a\": 1.0,\r\n \"a\":\"\\u001B\"}";
  auto headers = sign(body, "msg_1", clock_.now());
  headers.add("Authorization", "Basic c2VjcmV0");
  headers.add("X-Trace", "t1");
  EXPECT_EQ(post("/in/forms?x=1", body, headers).status, 204);
  const auto read = *journal::read_inbox(**company_.pool.take(), 3, 0, 10);
  ASSERT_EQ(read.size(), 1U);
  const journal::Exchange& e = read[0].exchange;
  EXPECT_EQ(e.kind, journal::ExchangeKind::webhook);
  const auto call =
      *journal::decode_call(*keys_.open(e.call.key, e.call.bytes, journal::call_binding(e.connection, e.received)));
  EXPECT_EQ(call.body, body);
  EXPECT_EQ(call.path, "/in/forms");
  EXPECT_EQ(call.query, "x=1");
  const auto has = [&](std::string_view name) {
    return std::any_of(call.headers.begin(), call.headers.end(),
                       [&](const auto& h) { return http::equal_ignoring_case(h.name, name); });
  };
  EXPECT_TRUE(has("X-Trace"));
  EXPECT_FALSE(has("Authorization")) << "a credential does not lie in the journal";
  EXPECT_EQ(journal::decode_context(e.context)->connection.at("url"), "https://forms.example");
}

TEST_F(DoorTest, ASecretThatCameInAHeaderDoesNotLieInTheJournal) {
  EXPECT_EQ(post("/in/shared", "{}", {{"X-Shared-Token", "s3cret"}}).status, 200);
  EXPECT_EQ(post("/in/shared", "{}", {{"X-Shared-Token", "s3cre"}}).status, 401);
  EXPECT_EQ(post("/in/shared", "{}", {{"X-Shared-Token", "s3cret"}, {"X-Shared-Token", "s3cret"}}).status, 401);
  const auto read = *journal::read_inbox(**company_.pool.take(), 4, 0, 10);
  ASSERT_EQ(read.size(), 1U);
  const journal::Exchange& e = read[0].exchange;
  EXPECT_EQ(keys_.open(e.call.key, e.call.bytes, journal::call_binding(e.connection, e.received))->find("s3cret"),
            std::string::npos);
}

class AT17 : public DoorTest {};

TEST_F(AT17, WhatIsUnsignedOldOrTamperedIs401AndNoRow) {
  const std::string body = R"({"name":"Zo\u00e9"})";
  const Instant now = clock_.now();
  const auto good = sign(body, "msg_1", now);
  EXPECT_EQ(status(body, {}), 401);
  EXPECT_EQ(status(body, sign(body, "msg_1", now, 'x')), 401);
  EXPECT_EQ(status(body, sign(body, "msg_1", now - 302s)), 401);
  EXPECT_EQ(status(body, sign(body, "msg_1", now + 310s)), 401);
  for (std::size_t i = 0; i < body.size(); ++i) {
    std::string mutated = body;
    mutated[i] = static_cast<char>(mutated[i] ^ 1);
    EXPECT_EQ(status(mutated, good), 401) << "byte " << i;
  }
  EXPECT_EQ(status("{\"name\":\"Zoé\"}", good), 401) << "the same value in other bytes";
  auto other_id = good;
  other_id.set("webhook-id", "msg_2");
  EXPECT_EQ(status(body, other_id), 401);
  auto twice = good;
  twice.add("webhook-id", "msg_1");
  EXPECT_EQ(status(body, twice), 401);
  EXPECT_EQ(rows(), 0);
  EXPECT_EQ(status(body, good), 204);
  EXPECT_EQ(rows(), 1);
}

TEST_F(AT17, TheOldSecretVerifiesWhileTheNewOneIsRolledOut) {
  company_.set_secret("forms", "webhook_secret_old", "whsec_" + to_base64(std::string(32, 'o')));
  EXPECT_EQ(status("{}", sign("{}", "msg_1", clock_.now(), 'o')), 204);
  EXPECT_EQ(status("{}", sign("{}", "msg_2", clock_.now(), 'w')), 204);
  EXPECT_EQ(status("{}", sign("{}", "msg_3", clock_.now(), 'p')), 401);
}

TEST_F(DoorTest, AReplayedIdIsAnsweredLikeTheFirstAndStoredOnce) {
  EXPECT_EQ(status("{}", sign("{}", "msg_1", clock_.now())), 204);
  EXPECT_EQ(status("{}", sign("{}", "msg_1", clock_.now() - 5s)), 204) << "another attempt at the same event";
  EXPECT_EQ(rows(), 1);
  EXPECT_EQ(status("{}", sign("{}", "msg_2", clock_.now())), 204);
  EXPECT_EQ(rows(), 2);
}

TEST_F(DoorTest, BytesThatDifferAreAnotherCallThoughTheyParseAlike) {
  EXPECT_EQ(status(R"({"a":"\u001B"})", sign(R"({"a":"\u001B"})", "msg_1", clock_.now())), 204);
  EXPECT_EQ(status(R"({"a":"\u001b"})", sign(R"({"a":"\u001b"})", "msg_1", clock_.now())), 204);
  EXPECT_EQ(rows(), 2);
}

// Whatever a signed body holds is journaled; what it means is for parse() to say, and its neighbours flow.
TEST_F(DoorTest, TakesSignedNonsenseBesideItsNeighbours) {
  const std::string deep = std::string(10'000, '[') + std::string(10'000, ']');
  int n = 0;
  for (const std::string& body : {deep, std::string("\xff\xfe\0{", 4), std::string(R"({"a":1,"a":2})"),
                                  std::string(R"("\ud800")"), std::string()}) {
    EXPECT_EQ(status(body, sign(body, "msg_" + std::to_string(n++), clock_.now())), 204);
  }
  EXPECT_EQ(rows(), 5);
}

TEST_F(DoorTest, KnowsNobodyButConnectionsThatTakeWebhooks) {
  const auto headers = sign("{}", "msg_1", clock_.now());
  EXPECT_EQ(post("/in/nobody", "{}", headers).status, 404);
  EXPECT_EQ(post("/in/silent", "{}", headers).status, 404);
  EXPECT_EQ(post("/in/forms/more", "{}", headers).status, 404);
  EXPECT_EQ(post("/in/%2e%2e", "{}", headers).status, 404);
  EXPECT_EQ(post("/in/", "{}", headers).status, 404);
  EXPECT_EQ(post("/in/forms", "{}", headers, "PUT").status, 405);
  EXPECT_EQ(post("/in/forms", "", {}, "GET").status, 404) << "this adapter answers no challenge";
  const auto keyless = post("/in/keyless", "{}", headers);
  EXPECT_EQ(keyless.status, 503) << "ours to repair: the sender keeps it";
  EXPECT_NE(keyless.body.find("webhook.no-secret"), std::string::npos);
  EXPECT_EQ(rows(), 0);
}

TEST_F(DoorTest, TwentyMegabytesAre413AndTheNextCallIsServed) {
  http::ClientRequest request;
  request.method = "POST";
  request.url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/in/forms";
  request.body = Bytes(20U << 20U, 'x');
  request.guard.internal_hosts = {"127.0.0.1"};
  const auto result = client_->call(std::move(request));
  // The server answers and closes without reading 20 MB: the client sees the answer, or its writing cut off.
  if (const auto* reply = std::get_if<http::ClientReply>(&result)) {
    EXPECT_EQ(reply->status, 413);
  } else {
    EXPECT_EQ(std::get<http::Loss>(result).kind, http::LossKind::reset_sent);
  }
  EXPECT_EQ(status("{}", sign("{}", "msg_1", clock_.now())), 204);
  EXPECT_EQ(rows(), 1);
}

TEST_F(DoorTest, AConnectionThatWasRemovedOrWhoseAdapterChangedTakesNothing) {
  company_.exec("UPDATE connection SET descriptor_sha256 = '\\x00' WHERE name = 'forms'");
  company_.exec("UPDATE administration SET version = version + 1");
  company_.refresh();
  EXPECT_EQ(status("{}", sign("{}", "msg_1", clock_.now())), 404);
  EXPECT_EQ(rows(), 0);
}

TEST_F(DoorTest, WithoutADatabaseTheAnswerIs503AndLater204) {
  EXPECT_EQ(status("{}", sign("{}", "msg_1", clock_.now())), 204);
  test::Postgres::instance().stop();
  EXPECT_EQ(status("{}", sign("{}", "msg_2", clock_.now())), 503);
  test::Postgres::instance().start();
  EXPECT_TRUE(test::eventually(20s, [&] { return status("{}", sign("{}", "msg_2", clock_.now())) == 204; }));
  EXPECT_EQ(rows(), 2);
}

}  // namespace
}  // namespace isthmus::intake
