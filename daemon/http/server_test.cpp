#include "http/server.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <future>
#include <semaphore>
#include <thread>

#include "base/guarded.h"
#include "base/uuid.h"
#include "http/detail/test_socket.h"

namespace isthmus::http {
namespace {

using detail::TestSocket;
using std::chrono::milliseconds;
constexpr std::chrono::seconds kWait{20};

void echo(Request request, const Responder& respond) {
  respond(text_response(200, request.method + " " + request.path + " " + request.query + " " + request.body));
}

class ServerTest : public testing::Test {
 protected:
  void open(ServerOptions options = {}, Handler handler = echo) {
    auto opened = Server::open(std::move(options), clock_, std::move(handler));
    ASSERT_TRUE(opened.has_value()) << to_string(opened.error());
    server_ = std::move(*opened);
  }
  TestSocket connect() {
    TestSocket socket(server_->port());
    EXPECT_TRUE(socket.connected());
    return socket;
  }
  SystemClock clock_;
  std::unique_ptr<Server> server_;
};

std::string post(std::string_view path, std::string_view body) {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: a\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n\r\n" + std::string(body);
}
std::string get(std::string_view path) { return "GET " + std::string(path) + " HTTP/1.1\r\nHost: a\r\n\r\n"; }

TEST_F(ServerTest, KeepsAConnectionForSeveralRequests) {
  open();
  TestSocket socket = connect();
  for (int i = 0; i < 3; ++i) {
    socket.send(post("/p?q=" + std::to_string(i), "body"));
    const auto reply = socket.receive();
    EXPECT_EQ(reply.status, 200);
    EXPECT_EQ(reply.body, "POST /p q=" + std::to_string(i) + " body");
    EXPECT_NE(reply.head.find("\r\nDate: "), std::string::npos);
  }
  EXPECT_EQ(server_->counts().connections_accepted, 1U);
  EXPECT_EQ(server_->counts().requests, 3U);
}

TEST_F(ServerTest, ServesPipelinedRequestsInTheirOrder) {
  // The first is answered last, by another thread: its reply still comes first.
  Guarded<std::vector<std::jthread>> threads;
  open({}, [&](Request request, Responder respond) {
    if (request.path != "/slow") return echo(std::move(request), respond);
    threads.with([&](auto& all) { all.emplace_back([respond] { respond(text_response(200, "slow")); }); });
  });
  TestSocket socket = connect();
  socket.send(get("/slow") + post("/b", "xyz") + get("/c"));
  EXPECT_EQ(socket.receive().body, "slow");
  EXPECT_EQ(socket.receive().body, "POST /b  xyz");
  EXPECT_EQ(socket.receive().body, "GET /c  ");
}

TEST_F(ServerTest, ClosesWhenTheClientAsksForIt) {
  open();
  TestSocket socket = connect();
  socket.send("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
  const auto reply = socket.receive();
  EXPECT_EQ(reply.status, 200);
  EXPECT_NE(reply.head.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(socket.closes());
}

TEST_F(ServerTest, AnswersHeadWithTheLengthAndNoBody) {
  open();
  TestSocket socket = connect();
  socket.send("HEAD /h HTTP/1.1\r\nHost: a\r\n\r\n" + get("/next"));
  const auto head = socket.receive(TestSocket::Body::none);
  EXPECT_NE(head.head.find("Content-Length: 9\r\n"), std::string::npos) << head.head;
  EXPECT_EQ(socket.receive().body, "GET /next  ");
}

TEST_F(ServerTest, AnswersWithProblemsAndCloses) {
  open();
  const std::pair<const char*, int> cases[] = {
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
      {"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
      {"GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n b\r\n\r\n", 400},
      {"BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"GET / HTTP/3.0\r\nHost: a\r\n\r\n", 505},
  };
  for (const auto& [bytes, status] : cases) {
    TestSocket socket = connect();
    socket.send(std::string(bytes) + get("/smuggled"));
    const auto reply = socket.receive();
    EXPECT_EQ(reply.status, status) << bytes;
    EXPECT_NE(reply.head.find("application/problem+json"), std::string::npos);
    EXPECT_TRUE(socket.closes());
  }
  EXPECT_EQ(server_->counts().requests, 0U);
  EXPECT_EQ(server_->counts().requests_refused, 5U);
}

TEST_F(ServerTest, RefusesALargeHeadWith431) {
  open();
  TestSocket socket = connect();
  socket.send("GET /" + std::string(20'000, 'x'));
  EXPECT_EQ(socket.receive().status, 431);
  EXPECT_TRUE(socket.closes());
}

TEST_F(ServerTest, AT04_AnswersABodyOf20MegabytesWith413WithoutReadingIt) {
  open();
  const std::string megabyte(1 << 20, 'x');
  for (const char* framing : {"Content-Length: 20971520\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n1400000\r\n"}) {
    TestSocket socket = connect();
    socket.send("POST / HTTP/1.1\r\nHost: a\r\n" + std::string(framing));
    std::size_t sent = 0;
    for (int i = 0; i < 20; ++i) sent += socket.send(megabyte);  // an impolite client goes on
    // What the kernel's buffers and the drain's limit hold, and no more.
    EXPECT_LT(sent, 20U << 20) << framing;
  }
  // A client that listens gets its answer, whatever it still had on the way.
  TestSocket socket = connect();
  socket.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 20971520\r\n\r\n" + megabyte.substr(0, 100'000));
  EXPECT_EQ(socket.receive().status, 413);
  TestSocket neighbour = connect();
  neighbour.send(post("/", std::string(1 << 20, 'x')));
  EXPECT_EQ(neighbour.receive().status, 200);
}

TEST_F(ServerTest, SaysContinueBeforeABodyAndNotBeforeOneItRefuses) {
  open();
  TestSocket socket = connect();
  socket.send("POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.receive().status, 100);
  socket.send("abc");
  EXPECT_EQ(socket.receive().body, "POST /c  abc");
  socket.send("POST /c HTTP/1.1\r\nHost: a\r\nContent-Length: 20971520\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.receive().status, 413);
}

TEST_F(ServerTest, EndsHalfSentHeadsAndBodiesAtAnAbsoluteDeadline) {
  ServerOptions options;
  options.header_deadline = milliseconds(300);
  options.body_deadline = milliseconds(300);
  open(options);
  // A byte now and then does not extend it: the sender keeps on until it is told.
  for (const std::string& begin : {std::string("GET / HTTP/1.1\r\nHost: a\r\nX: "),
                                   std::string("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n")}) {
    TestSocket socket = connect();
    socket.send(begin);
    std::atomic<bool> told{false};
    std::counting_semaphore<1> never{0};
    std::jthread slow([&] {
      for (int i = 0; i < 900 && !told; ++i) {
        if (socket.send("x") == 0) break;
        (void)never.try_acquire_for(milliseconds(20));
      }
    });
    EXPECT_EQ(socket.receive().status, 408);
    told = true;
    slow.join();
  }
  EXPECT_EQ(server_->counts().deadlines_missed, 2U);
}

TEST_F(ServerTest, ClosesConnectionsThatSayNothingAndThoseThatFellIdle) {
  ServerOptions options;
  options.header_deadline = milliseconds(200);
  options.idle_deadline = milliseconds(200);
  open(options);
  TestSocket silent = connect();
  TestSocket idle = connect();
  idle.send(get("/"));
  EXPECT_EQ(idle.receive().status, 200);
  EXPECT_TRUE(silent.closes());
  EXPECT_TRUE(idle.closes());
}

TEST_F(ServerTest, Answers503WhenTheHandlerDoesNot) {
  ServerOptions options;
  options.answer_deadline = milliseconds(200);
  Guarded<std::vector<Responder>> kept;
  open(options, [&](const Request& request, Responder respond) {
    if (request.path == "/kept") kept.with([&](auto& all) { all.push_back(std::move(respond)); });
  });
  TestSocket dropped = connect();
  dropped.send(get("/dropped"));
  EXPECT_EQ(dropped.receive().status, 500);
  TestSocket waiting = connect();
  waiting.send(get("/kept"));
  EXPECT_EQ(waiting.receive().status, 503);
  EXPECT_TRUE(waiting.closes());
  kept.with([](auto& all) { all.at(0)(text_response(200, "late")); });  // finds nobody, and harms nobody
}

TEST_F(ServerTest, NeverWritesAnAnswerThatWouldSplit) {
  open({}, [](const Request&, const Responder& respond) { respond({302, {{"Location", "/a\r\nSet-Cookie: b"}}, ""}); });
  TestSocket socket = connect();
  socket.send(get("/"));
  const auto reply = socket.receive();
  EXPECT_EQ(reply.status, 500);
  EXPECT_EQ(reply.head.find("Set-Cookie"), std::string::npos);
}

TEST_F(ServerTest, Answers503AboveTheLimitOfConnectionsAndServesAgainBelowIt) {
  ServerOptions options;
  options.connections_max = 2;
  open(options);
  TestSocket first = connect();
  {
    TestSocket second = connect();
    for (TestSocket* socket : {&first, &second}) {
      socket->send(get("/"));
      EXPECT_EQ(socket->receive().status, 200);
    }
    TestSocket third = connect();
    third.send(get("/"));
    EXPECT_EQ(third.receive().status, 503);
    EXPECT_TRUE(third.closes());
    EXPECT_EQ(server_->counts().connections_refused, 1U);
  }
  const auto deadline = std::chrono::steady_clock::now() + kWait;
  int status = 0;
  while (status != 200 && std::chrono::steady_clock::now() < deadline) {
    TestSocket again = connect();
    again.send(get("/"));
    status = again.receive().status;
  }
  EXPECT_EQ(status, 200);
}

TEST_F(ServerTest, FinishesRequestsInFlightWhenItStops) {
  std::binary_semaphore arrived{0};
  Guarded<std::optional<Responder>> kept;
  ServerOptions options;
  options.io_threads = 1;  // so that the idle connection's end tells that the busy one's loop knows
  open(options, [&](const Request&, Responder respond) {
    kept.with([&](auto& slot) { slot.emplace(std::move(respond)); });
    arrived.release();
  });
  std::optional<TestSocket> busy(connect());
  TestSocket idle = connect();
  busy->send(post("/", "x"));
  ASSERT_TRUE(arrived.try_acquire_for(kWait));
  auto stopped = std::async(std::launch::async, [&] { return server_->stop(kWait); });
  EXPECT_TRUE(idle.closes());
  EXPECT_EQ(stopped.wait_for(milliseconds(0)), std::future_status::timeout);
  kept.with([](auto& slot) { (*slot)(text_response(200, "done")); });
  const auto reply = busy->receive();
  EXPECT_EQ(reply.body, "done");
  EXPECT_NE(reply.head.find("Connection: close"), std::string::npos);
  EXPECT_TRUE(busy->closes());
  busy.reset();
  EXPECT_EQ(stopped.get(), 0U);
  EXPECT_FALSE(TestSocket(server_->port()).connected());
}

TEST_F(ServerTest, CutsOffWhatIsNotFinishedAtTheDeadlineOfStop) {
  std::binary_semaphore arrived{0};
  Guarded<std::optional<Responder>> kept;
  open({}, [&](const Request&, Responder respond) {
    kept.with([&](auto& slot) { slot.emplace(std::move(respond)); });
    arrived.release();
  });
  TestSocket busy = connect();
  busy.send(get("/"));
  ASSERT_TRUE(arrived.try_acquire_for(kWait));
  EXPECT_EQ(server_->stop(milliseconds(50)), 1U);
  EXPECT_TRUE(busy.closes());
  server_.reset();
  kept.with([](auto& slot) { (*slot)(text_response(200, "late")); });  // the responder outlives the server
}

TEST_F(ServerTest, ListensOnAUnixSocketWithItsModeAndRemovesIt) {
  const auto folder = std::filesystem::temp_directory_path() / ("isthmus-http-" + std::to_string(::getpid()));
  std::filesystem::create_directory(folder);
  const std::string path = folder / "s";
  ServerOptions options;
  options.address = UnixAddress{path, 0600};
  open(options, [](Request request, const Responder& respond) { respond(text_response(200, request.peer)); });
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600U);
  TestSocket socket(path);
  socket.send(get("/"));
  EXPECT_EQ(socket.receive().body, "unix");

  // Somebody listens: taken. Nobody does any more: replaced.
  EXPECT_EQ(Server::open(options, clock_, echo).error().code, "http.listen");
  EXPECT_EQ(server_->port(), 0);
  server_->stop(kWait);
  EXPECT_FALSE(std::filesystem::exists(path));
  const int left_over = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, path.data(), path.size());
  ASSERT_EQ(::bind(left_over, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  ::close(left_over);
  open(options);
  TestSocket again(path);
  again.send(get("/again"));
  EXPECT_EQ(again.receive().status, 200);
  server_.reset();
  std::filesystem::remove_all(folder);
}

TEST_F(ServerTest, ServesAnInheritedSocketAndRefusesOneThatDoesNotListen) {
  const int inherited = ::socket(AF_INET, SOCK_STREAM, 0);
  EXPECT_EQ(Server::open({.address = InheritedSocket{inherited}}, clock_, echo).error().code, "http.listen");
  ASSERT_EQ(::listen(inherited, 8), 0);  // binds to a port of the system's choice
  open({.address = InheritedSocket{inherited}});
  TestSocket socket = connect();
  socket.send(get("/i"));
  EXPECT_EQ(socket.receive().body, "GET /i  ");
}

TEST_F(ServerTest, SaysWhyItCannotListen) {
  open();
  const auto taken = Server::open({.address = TcpAddress{"127.0.0.1", server_->port()}}, clock_, echo);
  ASSERT_FALSE(taken.has_value());
  EXPECT_EQ(taken.error().code, "http.listen");
  EXPECT_EQ(Server::open({.address = TcpAddress{"localhost", 0}}, clock_, echo).error().code, "http.listen");
  EXPECT_EQ(Server::open({.io_threads = 0}, clock_, echo).error().code, "http.options");
  EXPECT_EQ(Server::open({.tls = ServerTls{"nonsense", Secret("nonsense")}}, clock_, echo).error().code, "http.tls");
}

TEST_F(ServerTest, AnswersFromManyThreadsToManyConnections) {
  Guarded<std::vector<std::jthread>> threads;
  open({}, [&](Request request, Responder respond) {
    threads.with([&](auto& all) {
      all.emplace_back([respond, body = std::move(request.body)] { respond(text_response(200, body)); });
    });
  });
  std::vector<TestSocket> sockets;
  for (int i = 0; i < 50; ++i) sockets.push_back(connect());
  for (int round = 0; round < 5; ++round) {
    for (std::size_t i = 0; i < sockets.size(); ++i) sockets[i].send(post("/", std::to_string(i)));
    for (std::size_t i = 0; i < sockets.size(); ++i) EXPECT_EQ(sockets[i].receive().body, std::to_string(i));
  }
}

}  // namespace
}  // namespace isthmus::http
