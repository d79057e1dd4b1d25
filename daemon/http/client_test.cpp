#include "http/client.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>

#include "base/guarded.h"
#include "http/detail/test_peer.h"
#include "http/server.h"

namespace isthmus::http {
namespace {

using detail::TestPeer;
using std::chrono::milliseconds;
constexpr std::chrono::seconds kWait{20};
const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class ClientTest : public testing::Test {
 protected:
  void SetUp() override { open({}); }
  void open(ClientOptions options) {
    auto opened = Client::open(std::move(options));
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    client_ = std::move(*opened);
  }
  void serve(Handler handler) {
    auto opened = Server::open({}, clock_, std::move(handler));
    ASSERT_TRUE(opened.has_value());
    server_ = std::move(*opened);
  }
  [[nodiscard]] std::string url(std::string_view path) const {
    return "http://127.0.0.1:" + std::to_string(server_->port()) + std::string(path);
  }
  static ClientRequest request(std::string method, std::string url, Bytes body = {}) {
    return {.method = std::move(method), .url = std::move(url), .body = std::move(body), .guard = {{"127.0.0.1"}}};
  }
  SystemClock clock_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<Client> client_;
};

const ClientReply& reply(const ClientResult& result) {
  static const ClientReply kNone;
  const auto* got = std::get_if<ClientReply>(&result);
  if (got == nullptr) ADD_FAILURE() << to_string(std::get<Loss>(result).kind) << ": " << std::get<Loss>(result).what;
  return got != nullptr ? *got : kNone;
}
std::string loss(const ClientResult& result) {
  const auto* lost = std::get_if<Loss>(&result);
  return lost != nullptr ? std::string(to_string(lost->kind))
                         : "reply " + std::to_string(std::get<ClientReply>(result).status);
}

TEST_F(ClientTest, SendsWhatItIsGivenAndReturnsWhatCame) {
  serve([](const Request& got, const Responder& respond) {
    std::string seen = got.method + " " + got.path + "?" + got.query + "\n";
    for (const Header& field : got.headers) seen += field.name + "=" + field.value + "\n";
    respond({418, {{"X-Two", "a"}, {"X-Two", "b"}}, seen + "\n" + got.body});
  });
  const Bytes body("\0\r\n\xff{}", 6);
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    ClientRequest one = request(method, url("/a/../b%2fc?x=1&y=%20"), body);
    one.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
    const ClientReply got = reply(client_->call(one));
    EXPECT_EQ(got.status, 418);
    EXPECT_EQ(got.headers.count("x-two"), 2U);
    EXPECT_EQ(got.body,
              std::string(method) + " /a/../b%2fc?x=1&y=%20\nHost=127.0.0.1:" + std::to_string(server_->port()) +
                  "\nUser-Agent=isthmus\nAccept=*/*\nContent-Type=application/json\nX-Empty=\nContent-Length=6\n\n" +
                  body);
  }
  EXPECT_EQ(reply(client_->call(request("GET", url("/")))).body.find("Content-"), std::string::npos);
  EXPECT_NE(reply(client_->call(request("POST", url("/")))).body.find("Content-Length=0\n"), std::string::npos);
  EXPECT_EQ(reply(client_->call(request("HEAD", url("/")))).body, "");
  EXPECT_EQ(server_->counts().connections_accepted, 1U);  // kept alive
}

TEST_F(ClientTest, CarriesManyRequestsAtATime) {
  Guarded<std::vector<Responder>> held;
  constexpr std::size_t kMany = 50;
  serve([&](Request, Responder respond) {
    // All are answered at once, when the last is there: so all were open together.
    held.with([&](auto& all) {
      all.push_back(std::move(respond));
      if (all.size() == kMany) {
        for (const Responder& one : all) one(text_response(200, "ok"));
      }
    });
  });
  std::counting_semaphore<kMany> done{0};
  std::atomic<int> good{0};
  for (std::size_t i = 0; i < kMany; ++i) {
    client_->send(request("POST", url("/"), "x"), [&](const ClientResult& result) {
      if (std::holds_alternative<ClientReply>(result)) ++good;
      done.release();
    });
  }
  for (std::size_t i = 0; i < kMany; ++i) ASSERT_TRUE(done.try_acquire_for(kWait));
  EXPECT_EQ(good, static_cast<int>(kMany));
  EXPECT_EQ(client_->in_flight(), 0U);
}

TEST_F(ClientTest, TellsWhetherARequestThatTimedOutMayHaveBeenSent) {
  TestPeer peer([](TestPeer::Connection& connection, int) { connection.hang(); });
  ClientRequest sent = request("POST", peer.url(), "x");
  sent.total_timeout = milliseconds(200);
  EXPECT_EQ(loss(client_->call(sent)), "timeout_sent");
  // TCP stands, TLS never does: nothing of the request went out.
  ClientRequest unsent = request("POST", "https://127.0.0.1:" + std::to_string(peer.port()), "x");
  unsent.total_timeout = milliseconds(200);
  EXPECT_EQ(loss(client_->call(unsent)), "timeout_unsent");
  unsent.total_timeout = kWait;
  unsent.connect_timeout = milliseconds(200);
  EXPECT_EQ(loss(client_->call(unsent)), "timeout_unsent");
}

TEST_F(ClientTest, TimesOutUnsentWhileItWaitsForAConnection) {
  TestPeer peer([](TestPeer::Connection& connection, int) { connection.hang(); });
  open({.connections_per_host_max = 1});
  std::promise<ClientResult> first;
  ClientRequest one = request("POST", peer.url(), "x");
  one.total_timeout = milliseconds(800);
  client_->send(one, [&](ClientResult result) { first.set_value(std::move(result)); });
  one.total_timeout = milliseconds(200);
  EXPECT_EQ(loss(client_->call(one)), "timeout_unsent");
  EXPECT_EQ(loss(first.get_future().get()), "timeout_sent");
}

TEST_F(ClientTest, TellsARefusedConnectionFromABrokenOne) {
  std::uint16_t closed_port = 0;
  {
    TestPeer gone([](TestPeer::Connection&, int) {});
    closed_port = gone.port();
  }
  const ClientResult refused =
      client_->call(request("POST", "http://127.0.0.1:" + std::to_string(closed_port) + "/secret?token=t", "x"));
  EXPECT_EQ(loss(refused), "connect");
  EXPECT_FALSE(std::get<Loss>(refused).maybe_sent());
  EXPECT_EQ(std::get<Loss>(refused).what.find("secret"), std::string::npos);

  for (const char* answer :
       {"", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", "HTTP/1.1 200 OK\r\nConte", "SSH-2.0-x\r\n\r\n"}) {
    TestPeer peer([answer](TestPeer::Connection& connection, int) {
      connection.request();
      connection.send(answer);
    });
    const ClientResult broken = client_->call(request("POST", peer.url(), "x"));
    EXPECT_EQ(loss(broken), "reset_sent") << answer;
    EXPECT_TRUE(std::get<Loss>(broken).maybe_sent());
  }
}

TEST_F(ClientTest, NeverRepeatsARequestOnItsOwnWhenAKeptConnectionEnds) {
  Guarded<std::vector<std::string>> seen;
  const auto script = [&seen](TestPeer::Connection& connection, int number) {
    const std::string first = connection.request();
    if (first.empty()) return;  // connected, and thought better of it
    seen.with([&](auto& all) { all.push_back(first.substr(0, first.find(' '))); });
    connection.send(kOk);
    if (number > 0) return;
    const std::string second = connection.request();  // takes effect, and the reply is lost
    if (!second.empty()) seen.with([&](auto& all) { all.push_back(second.substr(0, second.find(' '))); });
  };
  using Seen = std::vector<std::string>;
  for (const char* method : {"POST", "PUT", "DELETE"}) {
    seen.with([](auto& all) { all.clear(); });
    TestPeer peer(script);
    EXPECT_EQ(reply(client_->call(request("POST", peer.url(), "1"))).status, 200);
    EXPECT_EQ(loss(client_->call(request(method, peer.url(), method == std::string("DELETE") ? "" : "2"))),
              "reset_sent");
    EXPECT_EQ(seen.with([](auto& all) { return all; }), (Seen{"POST", method}));
  }
  // What only reads may be repeated.
  seen.with([](auto& all) { all.clear(); });
  TestPeer peer(script);
  EXPECT_EQ(reply(client_->call(request("GET", peer.url()))).status, 200);
  EXPECT_EQ(reply(client_->call(request("GET", peer.url()))).status, 200);
  EXPECT_EQ(seen.with([](auto& all) { return all; }), (Seen{"GET", "GET", "GET"}));
}

TEST_F(ClientTest, TakesAReplyAsLargeAsAllowedAndNotOneByteMore) {
  serve([](const Request& got, const Responder& respond) {
    if (got.path == "/head") return respond({200, {{"X", std::string(70'000, 'h')}}, ""});
    respond(text_response(200, std::string(std::stoul(got.query), 'b')));
  });
  ClientRequest one = request("GET", url("/?1000"));
  one.reply_bytes_max = 1000;
  EXPECT_EQ(reply(client_->call(one)).body.size(), 1000U);
  one.url = url("/?1001");
  const ClientResult large = client_->call(one);
  EXPECT_EQ(loss(large), "too_large");
  EXPECT_TRUE(std::get<Loss>(large).maybe_sent());
  one.url = url("/head");
  EXPECT_EQ(loss(client_->call(one)), "too_large");
  // Without a length, and without an end.
  TestPeer endless([](TestPeer::Connection& connection, int) {
    connection.request();
    connection.send("HTTP/1.1 200 OK\r\n\r\n" + std::string(5'000, 'x'));
    connection.hang();
  });
  one.url = endless.url();
  EXPECT_EQ(loss(client_->call(one)), "too_large");
}

TEST_F(ClientTest, ReadsPastInterimRepliesAndLeavesTrailersOut) {
  TestPeer peer([](TestPeer::Connection& connection, int) {
    connection.request();
    connection.send(
        "HTTP/1.1 103 Early Hints\r\nX-Early: 1\r\n\r\nHTTP/1.1 201 Created\r\nX-Real:  2 \r\nTransfer-Encoding: "
        "chunked\r\n\r\n"
        "2\r\nok\r\n0\r\nX-Late: 3\r\n\r\n");
    connection.hang();
  });
  const ClientReply got = reply(client_->call(request("POST", peer.url())));
  EXPECT_EQ(got.status, 201);
  EXPECT_EQ(got.body, "ok");
  EXPECT_EQ(got.headers.find("x-real"), "2");
  EXPECT_FALSE(got.headers.find("x-early"));
  EXPECT_FALSE(got.headers.find("x-late"));
}

TEST_F(ClientTest, RefusesWhatCannotBeExpressed) {
  for (const char* bad : {"", "127.0.0.1/x", "ftp://127.0.0.1/", "file:///etc/passwd", "gopher://127.0.0.1:70/",
                          "http://user@127.0.0.1/", "http://user:pw@127.0.0.1/", "http://", "http:///x",
                          "http://127.0.0.1:99999/", "http:/127.0.0.1/", "http:127.0.0.1", "http://127.0.0.1/a b",
                          "http://127.0.0.1\\@b/", "http://127.0.0.1/\xc3\xa9", "http://a\r\nb/"}) {
    EXPECT_EQ(loss(client_->call(request("GET", bad))), "bad_request") << bad;
  }
  for (const Header& field : {Header{"A", "b\r\nC: d"}, Header{"A B", "c"}, Header{"", "c"}, Header{"Host", "other"},
                              Header{"content-length", "1"}, Header{"Transfer-Encoding", "chunked"}}) {
    ClientRequest one = request("GET", "http://127.0.0.1/");
    one.headers.add(field.name, field.value);
    EXPECT_EQ(loss(client_->call(one)), "bad_request") << field.name;
  }
  EXPECT_EQ(loss(client_->call(request("GE T", "http://127.0.0.1/"))), "bad_request");
}

TEST_F(ClientTest, AnswersOverloadedAboveItsLimit) {
  std::binary_semaphore arrived{0};
  TestPeer peer([&](TestPeer::Connection& connection, int) {
    connection.request();
    arrived.release();
    connection.hang();
  });
  open({.requests_max = 1});
  std::promise<ClientResult> first;
  client_->send(request("POST", peer.url()), [&](ClientResult result) { first.set_value(std::move(result)); });
  ASSERT_TRUE(arrived.try_acquire_for(kWait));
  EXPECT_EQ(loss(client_->call(request("POST", peer.url()))), "overloaded");
  client_->stop();
  EXPECT_EQ(loss(first.get_future().get()), "cancelled_sent");
}

TEST_F(ClientTest, CancelsWhatIsInFlightWhenItStops) {
  std::binary_semaphore arrived{0};
  TestPeer peer([&](TestPeer::Connection& connection, int) {
    connection.request();
    arrived.release();
    connection.hang();
  });
  open({.connections_per_host_max = 1});
  std::promise<ClientResult> sent;
  std::promise<ClientResult> waiting;
  client_->send(request("POST", peer.url(), "x"), [&](ClientResult result) { sent.set_value(std::move(result)); });
  ASSERT_TRUE(arrived.try_acquire_for(kWait));
  client_->send(request("POST", peer.url(), "x"), [&](ClientResult result) { waiting.set_value(std::move(result)); });
  client_->stop();
  EXPECT_EQ(loss(sent.get_future().get()), "cancelled_sent");
  EXPECT_EQ(loss(waiting.get_future().get()), "cancelled_unsent");
  EXPECT_EQ(loss(client_->call(request("POST", peer.url()))), "cancelled_unsent");
  EXPECT_EQ(client_->in_flight(), 0U);
}

TEST_F(ClientTest, MaySendAgainFromItsCallback) {
  serve([](const Request& got, const Responder& respond) { respond(text_response(200, got.path)); });
  std::promise<std::string> last;
  client_->send(request("GET", url("/1")), [&](const ClientResult&) {
    client_->send(request("GET", url("/2")), [&](const ClientResult& second) { last.set_value(reply(second).body); });
  });
  EXPECT_EQ(last.get_future().get(), "/2");
}

}  // namespace
}  // namespace isthmus::http
