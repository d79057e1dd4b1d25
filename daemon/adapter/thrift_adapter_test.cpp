// Programs of this process behind a real Unix socket: good ones, made of the generated server, and bad ones, made of
// bytes.
#include "adapter/thrift_adapter.h"

#include <gtest/gtest.h>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <thread>

#include <thrift/protocol/TBinaryProtocol.h>

#include "Adapter.h"
#include "adapter/detail/thrift_transport.h"
#include "adapter/thrift_bytes_test.h"

namespace isthmus::adapter {
namespace {

using namespace std::chrono_literals;
using apache::thrift::protocol::TBinaryProtocolT;

/// Listens in a folder of its own; each connection is served on a thread, and closed when the function returns.
class Listener {
 public:
  explicit Listener(std::function<void(int)> serve) : serve_(std::move(serve)) {
    std::string folder = testing::TempDir() + "isthmus-thrift-XXXXXX";
    folder_ = ::mkdtemp(folder.data());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path().string().copy(address.sun_path, sizeof(address.sun_path) - 1);
    door_ = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(::bind(door_, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(::listen(door_, 16), 0);
    accepting_ = std::jthread([this] { accept_all(); });
  }
  ~Listener() {
    (void)::shutdown(door_, SHUT_RDWR);
    accepting_.join();
    served_.clear();
    (void)::close(door_);
    std::filesystem::remove_all(folder_);
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  [[nodiscard]] std::filesystem::path path() const { return folder_ / "s"; }
  [[nodiscard]] int connections() const { return connections_; }

 private:
  void accept_all() {
    while (true) {
      const int peer = ::accept4(door_, nullptr, nullptr, SOCK_CLOEXEC);
      if (peer < 0) return;
      ++connections_;
      served_.emplace_back([this, peer] {
        serve_(peer);
        (void)::close(peer);
      });
    }
  }

  std::function<void(int)> serve_;
  std::filesystem::path folder_;
  int door_ = -1;
  std::atomic<int> connections_{0};
  std::vector<std::jthread> served_;
  std::jthread accepting_;
};

const std::string kDescription = R"({"adapter":"echo","contract":1,"version":"1.0.0","kind":"generic",
  "connection":{"url":{"type":"url"},"key":{"type":"secret"}},"hosts":["${connection.url}"],
  "auth":{"mode":"header","apply":{"header":"Authorization","value":"Bearer ${secret.key}"}},
  "operations":{"send":{"verb":"CALL","input":"metric/1","purpose":"analytics","idempotency_window":"1h","reconcile":true,"batch":500}},
  "streams":{"list":{"every":"30s"}},
  "webhook":{"verify":{"recipe":"hmac_sha256","header":"X-Sig","secret":"key"},"answer":202}})";

/// Answers with what it was given.
class Echo : public wire::AdapterNull {
 public:
  std::int32_t hello(std::int32_t, std::int32_t) override { return 1; }
  void describe(std::string& out) override { out = kDescription; }
  void advance(wire::Step& out, const wire::Context&, const wire::Task& task, const std::string& state,
               const wire::Input&) override {
    out.__set_state(state);
    for (const wire::Command& command : task.deliver) {
      wire::Outcome& outcome = out.move.done.outcomes.emplace_back();
      outcome.command_id = command.id;
      outcome.verdict = wire::Verdict::DELIVERED;
      outcome.__set_reason(command.body);
    }
    out.move.done.__isset.outcomes = true;
    out.move.__isset.done = true;
  }
  void parse(std::vector<wire::Event>& out, const wire::Context&, const wire::Call& call) override {
    if (call.body == "poison") {
      wire::Fault fault;
      fault.reason = "never\nmine";
      fault.poison = true;
      throw fault;
    }
    wire::Event& event = out.emplace_back();
    event.dedup_key = "k";
    event.body = call.body;
  }
};

void serve(const std::shared_ptr<wire::AdapterIf>& handler, int peer) {
  const SystemClock clock;
  auto socket = std::make_shared<detail::DeadlineSocket>(clock, ::dup(peer));
  socket->set_deadline(10min);
  auto protocol =
      std::make_shared<TBinaryProtocolT<detail::MessageFrames>>(std::make_shared<detail::MessageFrames>(socket));
  wire::AdapterProcessor processor(handler);
  try {
    while (processor.process(protocol, protocol, nullptr)) continue;
  } catch (const apache::thrift::TException&) {  // the daemon went away
  }
}

template <class Handler>
std::function<void(int)> served() {
  return [](int peer) { serve(std::make_shared<Handler>(), peer); };
}

/// Reads one frame. @return false when the daemon went away.
bool take_frame(int peer) {
  std::uint8_t size[4];
  if (::recv(peer, size, 4, MSG_WAITALL) != 4) return false;
  std::string frame((std::size_t{size[0]} << 24) | (std::size_t{size[1]} << 16) | (std::size_t{size[2]} << 8) | size[3],
                    '\0');
  return ::recv(peer, frame.data(), frame.size(), MSG_WAITALL) == static_cast<ssize_t>(frame.size());
}

/// The head of a reply to a call of that name; the result's fields follow.
std::string reply_to(const std::string& name) {
  return std::string("\x80\x01\x00\x02", 4) + big_endian(static_cast<std::uint32_t>(name.size())) + name +
         big_endian(0);
}
/// Shakes hands as a good program does, then does with the first call what it is told to.
std::function<void(int)> misbehaving(std::function<void(int)> then) {
  return [then = std::move(then)](int peer) {
    if (!take_frame(peer)) return;
    put(peer, frame(reply_to("hello") + std::string("\x08\x00\x00", 3) + big_endian(1) + std::string(1, '\0')));
    if (!take_frame(peer)) return;
    put(peer, frame(reply_to("describe") + std::string("\x0b\x00\x00", 3) +
                    big_endian(static_cast<std::uint32_t>(kDescription.size())) + kDescription + std::string(1, '\0')));
    if (take_frame(peer)) then(peer);
  };
}

Result<std::vector<Event>> parsed(const ThriftAdapter& adapter, Bytes body) {
  Call call;
  call.kind = "webhook";
  call.body = std::move(body);
  return adapter.parse(Context(), call);
}

const SystemClock kClock;

std::unique_ptr<ThriftAdapter> opened(const Listener& program, std::chrono::milliseconds call = 5000ms) {
  Result<std::unique_ptr<ThriftAdapter>> adapter = ThriftAdapter::open(program.path(), kClock, {call, 8, 2000ms});
  EXPECT_TRUE(adapter) << to_string(adapter.error());
  return adapter ? std::move(*adapter) : nullptr;
}

/// What a call says of a program that answers it so.
std::string said_of(std::function<void(int)> then, std::chrono::milliseconds call = 5000ms) {
  const Listener program(misbehaving(std::move(then)));
  const auto adapter = opened(program, call);
  if (!adapter) return "not opened";
  const Result<std::vector<Event>> events = parsed(*adapter, "x");
  return events ? "answered" : to_string(events.error());
}

TEST(ThriftAdapter, IsWhatTheProgramSaysOfItself) {
  const Listener program(served<Echo>());
  const auto adapter = opened(program);
  ASSERT_TRUE(adapter);
  const Description& it = adapter->describe();
  EXPECT_EQ(it.name, "echo");
  EXPECT_EQ(it.secrets, std::vector<std::string>{"key"});
  ASSERT_EQ(it.operations.size(), 1u);
  EXPECT_EQ(it.operations[0].verb, Verb::call);
  EXPECT_EQ(it.operations[0].batch_max, 500);
  EXPECT_EQ(it.operations[0].idempotency_window_ms, 3'600'000);
  EXPECT_TRUE(it.operations[0].reconcilable);
  ASSERT_EQ(it.streams.size(), 1u);
  EXPECT_EQ(it.streams[0].every_ms, 30'000);
  EXPECT_EQ(it.webhook.kind, WebhookRecipe::Kind::hmac_sha256);
  EXPECT_EQ(it.webhook.answer_status, 202);
  Context context;
  context.connection["url"] = "https://a.example/path";
  EXPECT_EQ(adapter->hosts(context), std::vector<std::string>{"https://a.example:443"});
  ASSERT_NE(adapter->authenticator(), nullptr);
  Secrets secrets;
  secrets.emplace("key", Secret("k1"));
  const Result<HttpRequest> request =
      adapter->authenticator()->apply({"GET", "https://a.example/", {}, {}, "", 1000, false}, context, secrets, {});
  ASSERT_TRUE(request);
  ASSERT_EQ(request->headers.size(), 1u);
  EXPECT_EQ(request->headers[0].value, "Bearer k1");
}

TEST(ThriftAdapter, NamesEveryMistakeOfADescription) {
  struct Wrong : Echo {
    void describe(std::string& out) override {
      out = R"({"adapter":"a","adapter":"b","contract":1,"version":"1","kind":"toy","hosts":["x"],"hots":[]})";
    }
  };
  const Listener program(served<Wrong>());
  const auto adapter = ThriftAdapter::open(program.path(), kClock);
  ASSERT_FALSE(adapter);
  EXPECT_EQ(adapter.error().code, "adapter.description");
  for (const char* part : {"adapter: the key stands there twice", "kind", "toy", "hots"})
    EXPECT_NE(adapter.error().what.find(part), std::string::npos) << adapter.error().what;
}

TEST(ThriftAdapter, RefusesAProgramOfAnotherContract) {
  struct Newer : Echo {
    std::int32_t hello(std::int32_t, std::int32_t) override {
      wire::Refusal refusal;
      refusal.reason = "too old";
      refusal.contract_min = 2;
      refusal.contract_max = 3;
      throw refusal;
    }
  };
  struct Deaf : Echo {
    std::int32_t hello(std::int32_t, std::int32_t) override { return 2; }
  };
  const Listener newer(served<Newer>());
  const auto refused = ThriftAdapter::open(newer.path(), kClock);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "adapter.contract");
  EXPECT_NE(refused.error().what.find("contracts 2 to 3, this daemon 1: too old"), std::string::npos)
      << refused.error().what;
  const Listener deaf(served<Deaf>());
  const auto other = ThriftAdapter::open(deaf.path(), kClock);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, "adapter.contract");
}

TEST(ThriftAdapter, SaysWhereNobodyListens) {
  const auto adapter = ThriftAdapter::open("/nonexistent/s", kClock);
  ASSERT_FALSE(adapter);
  EXPECT_EQ(adapter.error().code, "adapter.unavailable");
  EXPECT_NE(adapter.error().what.find("/nonexistent/s: connect: No such file"), std::string::npos)
      << adapter.error().what;
}

TEST(ThriftAdapter, GivesWhatTheProgramSetsAsidePoison) {
  const Listener program(served<Echo>());
  const auto adapter = opened(program);
  ASSERT_TRUE(adapter);
  const auto poison = parsed(*adapter, "poison");
  ASSERT_FALSE(poison);
  EXPECT_EQ(poison.error().code, "adapter.poison");
  EXPECT_EQ(poison.error().what, "never mine");
  const auto good = parsed(*adapter, "fine");
  ASSERT_TRUE(good) << to_string(good.error());
  EXPECT_EQ(good->at(0).body, "fine");
  EXPECT_EQ(program.connections(), 1);
}

TEST(ThriftAdapter, MakesAnotherConnectionAfterACrash) {
  std::atomic<int> calls{0};
  const Listener program(misbehaving([&](int peer) {
    if (++calls == 1) return;  // the connection closes with the call unanswered
    put(peer, frame(reply_to("parse") + std::string("\x0f\x00\x00\x0c", 4) + big_endian(0) + std::string(1, '\0')));
  }));
  const auto adapter = opened(program);
  ASSERT_TRUE(adapter);
  const auto crashed = parsed(*adapter, "x");
  ASSERT_FALSE(crashed);
  EXPECT_EQ(crashed.error().code, "adapter.fault");
  const auto again = parsed(*adapter, "x");
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_TRUE(again->empty());
  EXPECT_EQ(program.connections(), 2);
}

TEST(ThriftAdapter, GivesUpAProgramThatHangsAtTheDeadline) {
  const auto start = kClock.since_boot();
  const std::string said = said_of([](int peer) { (void)take_frame(peer); }, 300ms);
  EXPECT_EQ(said.find("adapter.slow"), 0u) << said;
  EXPECT_NE(said.find("no answer within the time"), std::string::npos) << said;
  EXPECT_GE(kClock.since_boot() - start, 300ms);
  EXPECT_LT(kClock.since_boot() - start, 5s);
}

TEST(ThriftAdapter, BlamesTheProgramForSilenceWhenItShakesNoHandsEither) {
  std::atomic<int> connections{0};
  const auto well = misbehaving([](int peer) { (void)take_frame(peer); });
  const Listener program([&](int peer) {
    if (++connections == 1) return well(peer);
    while (take_frame(peer)) continue;  // takes everything, says nothing
  });
  const auto adapter = opened(program, 200ms);
  ASSERT_TRUE(adapter);
  const auto hung = parsed(*adapter, "x");
  ASSERT_FALSE(hung);
  EXPECT_EQ(hung.error().code, "adapter.unavailable") << to_string(hung.error());
  EXPECT_NE(hung.error().what.find("no answer within the time"), std::string::npos) << hung.error().what;
}

TEST(ThriftAdapter, LeavesAProgramThatIsAwayAloneForAWhile) {
  const Listener program(served<Echo>());
  ManualClock clock{Instant{std::chrono::seconds(1'000'000)}};
  std::string folder = testing::TempDir() + "isthmus-thrift-XXXXXX";
  const std::filesystem::path socket = std::filesystem::path(::mkdtemp(folder.data())) / "s";
  Diagnostics diagnostics;
  const auto adapter =
      ThriftAdapter::described(kDescription, "program.json", socket, clock, {5000ms, 8, 2000ms}, diagnostics);
  ASSERT_TRUE(adapter) << diagnostics.to_string();
  EXPECT_EQ(adapter->describe().name, "echo") << "its description is on file: it need not be there";
  EXPECT_EQ(parsed(*adapter, "x").error().code, "adapter.unavailable");
  std::filesystem::create_symlink(program.path(), socket);
  EXPECT_EQ(parsed(*adapter, "x").error().code, "adapter.unavailable") << "it rests, and nobody is asked";
  EXPECT_EQ(program.connections(), 0);
  clock.advance(2s);
  const auto back = parsed(*adapter, "x");
  ASSERT_TRUE(back) << to_string(back.error());
  EXPECT_TRUE(adapter->meet());
  EXPECT_EQ(program.connections(), 1);
  std::filesystem::remove_all(socket.parent_path());
}

TEST(ThriftAdapter, RefusesAProgramThatIsNotTheOneOnFile) {
  const Listener program(served<Echo>());
  const auto judged = [&](const std::string& description) {
    Diagnostics diagnostics;
    const auto adapter = ThriftAdapter::described(description, "program.json", program.path(), kClock,
                                                  ThriftAdapter::Limits(), diagnostics);
    EXPECT_TRUE(adapter) << diagnostics.to_string();
    if (!adapter) return std::string();
    const auto met = adapter->meet();
    return met ? std::string("met") : to_string(met.error());
  };
  std::string spread = kDescription;
  for (std::size_t at = spread.find(','); at != std::string::npos; at = spread.find(',', at + 2))
    spread.insert(at + 1, "\n");
  EXPECT_EQ(judged(spread + "\n"), "met") << "a file is made for people to read";
  std::string other = kDescription;
  other.replace(other.find("1.0.0"), 5, "1.0.1");
  const std::string said = judged(other);
  EXPECT_EQ(said.find("adapter.unavailable"), 0u) << said;
  EXPECT_NE(said.find("program and program.json must be of one version"), std::string::npos) << said;
}

TEST(ThriftAdapter, GivesUpAProgramThatAnswersAByteNowAndThen) {
  const std::string said = said_of(
      [](int peer) {
        timeval pause{0, 20'000};
        (void)::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &pause, sizeof pause);
        const std::string answer = big_endian(1000) + std::string(1000, '\0');
        for (char c : answer) {
          char heard = 0;
          if (::send(peer, &c, 1, MSG_NOSIGNAL) != 1 || ::recv(peer, &heard, 1, 0) == 0)
            return;  // the pause is the wait for a hang-up
        }
      },
      300ms);
  EXPECT_NE(said.find("no answer within the time"), std::string::npos) << said;
}

TEST(ThriftAdapter, RefusesNonsense) {
  for (const std::string& bytes :
       {std::string("HTTP/1.1 400 Bad Request\r\n\r\n"), std::string(64, '\xff'), std::string(64, '\0'), frame("x"),
        frame(std::string(100, 'x')), frame(reply_to("parse")), frame(reply_to("describe") + std::string(1, '\0')),
        frame(reply_to("parse") + std::string(1, '\0')),
        frame(reply_to("parse") + std::string("\x0f\x00\x00\x0c", 4) + big_endian(0) + std::string(1, '\0') +
              "more")}) {
    const std::string said = said_of([&](int peer) { put(peer, bytes); });
    EXPECT_EQ(said.find("adapter.fault"), 0u) << said;
  }
}

/// Kilobytes of address space that the process has ever used; an allocation of what a lie declares would show.
long peak_kilobytes() {
  std::ifstream status("/proc/self/status");
  std::string word;
  long out = 0;
  while (status >> word) {
    if (word == "VmPeak:") status >> out;
  }
  return out;
}

TEST(AT25, RefusesAContainerThatItsFrameCannotHoldWithoutMakingRoomForIt) {
  const Listener warm(served<Echo>());
  ASSERT_TRUE(parsed(*opened(warm), "x"));
  const std::string list("\x0f\x00\x00\x0c", 4);  // field 0: a list of structures
  const long before = peak_kilobytes();
  for (std::uint32_t items : {8'000'000u, 10'001u, 0x7fffffffu, 0xffffffffu}) {
    const std::string said = said_of([&](int peer) { put(peer, frame(reply_to("parse") + list + big_endian(items))); });
    EXPECT_EQ(said.find("adapter.fault"), 0u) << said;
  }
  // The same in five bytes, which is no message at all; and a frame that says it is 2 GiB.
  EXPECT_EQ(said_of([&](int peer) {
              put(peer, frame(std::string(1, '\x0c') + big_endian(8'000'000)));
            }).find("adapter.fault"),
            0u);
  EXPECT_EQ(said_of([&](int peer) { put(peer, big_endian(0x7fffffff) + "x"); }).find("adapter.fault"), 0u);
  // Thread stacks and frames are some; 8 million events were 2 GB.
  EXPECT_LT(peak_kilobytes() - before, 1'500'000);
  // The neighbour: two items that are there.
  EXPECT_EQ(
      said_of([&](int peer) { put(peer, frame(reply_to("parse") + list + big_endian(0) + std::string(1, '\0'))); }),
      "answered");
}

TEST(ThriftAdapter, RefusesValuesThatTheContractDoesNotHave) {
  struct Strange : Echo {
    void advance(wire::Step& out, const wire::Context& context, const wire::Task& task, const std::string& state,
                 const wire::Input& input) override {
      Echo::advance(out, context, task, state, input);
      wire::Outcome& outcome = out.move.done.outcomes[0];
      const std::string what = outcome.reason;
      const int unknown = 77;
      if (what == "verdict") std::memcpy(&outcome.verdict, &unknown, sizeof unknown);
      if (what == "utf8") outcome.reason = "\xff\xfe";
      if (what == "state") out.__set_state(std::string(4097, 's'));
      if (what == "both") out.move.__isset.wait = true;
      if (what == "none") out.move.__isset.done = false;
      if (what == "time") outcome.__set_not_before_ms(-1);
      if (what == "header") {
        out.move.__isset.done = false;
        out.move.__isset.send = true;
        out.move.send.method = "GET";
        out.move.send.url = "https://a.example/";
        wire::Header header;
        header.name = "X";
        header.value = "a\r\nHost: b";
        out.move.send.__set_headers({header});
      }
    }
  };
  const Listener program(served<Strange>());
  const auto adapter = opened(program);
  ASSERT_TRUE(adapter);
  Command command;
  command.id = "1";
  for (const char* what : {"verdict", "utf8", "state", "both", "none", "time", "header"}) {
    command.body = what;
    const auto step = adapter->advance(Context(), Deliver{{command}}, "", First{});
    ASSERT_FALSE(step) << what;
    EXPECT_EQ(step.error().code, "adapter.fault") << what;
  }
  command.body = "nothing strange";
  const auto good = adapter->advance(Context(), Deliver{{command}}, std::string(4096, 's'), First{});
  ASSERT_TRUE(good) << to_string(good.error());
  EXPECT_EQ(good->state, std::string(4096, 's'));
}

TEST(ThriftAdapter, RefusesAProgramThatDescribesItselfOtherwiseAfterARestart) {
  static std::atomic<int> described;
  described = 0;
  struct Changing : Echo {
    void describe(std::string& out) override {
      out = kDescription;
      if (described++ > 0) out.replace(out.find("1.0.0"), 5, "1.0.1");
    }
    void parse(std::vector<wire::Event>&, const wire::Context&, const wire::Call&) override {
      throw apache::thrift::TException("fell");
    }
  };
  const Listener program(served<Changing>());
  const auto adapter = opened(program);
  ASSERT_TRUE(adapter);
  const auto fell = parsed(*adapter, "x");
  ASSERT_FALSE(fell);
  EXPECT_NE(fell.error().what.find("it failed inside"), std::string::npos) << fell.error().what;
  const auto changed = parsed(*adapter, "x");
  ASSERT_FALSE(changed);
  EXPECT_NE(changed.error().what.find("describes itself otherwise"), std::string::npos) << changed.error().what;
}

TEST(ThriftAdapter, SetsAsideWhatNoFrameHolds) {
  const Listener program(served<Echo>());
  const auto adapter = opened(program, 20s);
  ASSERT_TRUE(adapter);
  const auto large = parsed(*adapter, Bytes(33u << 20, 'x'));
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().code, "adapter.poison");
  const auto fits = parsed(*adapter, Bytes(31u << 20, 'x'));
  EXPECT_TRUE(fits) << to_string(fits.error());
}

TEST(ThriftAdapter, ServesCallersSideBySide) {
  const Listener program(served<Echo>());
  const auto adapter = opened(program);
  ASSERT_TRUE(adapter);
  std::atomic<int> good{0};
  {
    std::vector<std::jthread> callers;
    for (int caller = 0; caller < 8; ++caller) {
      callers.emplace_back([&, caller] {
        for (int i = 0; i < 50; ++i) {
          const std::string body = std::to_string(caller) + ":" + std::to_string(i);
          const auto events = parsed(*adapter, body);
          if (events && events->size() == 1 && events->front().body == body) ++good;
        }
      });
    }
  }
  EXPECT_EQ(good, 400);
  EXPECT_LE(program.connections(), 8);
}

// 2 GB each way over one connection, in batches of 1, 20 and 500.
TEST(AT25, OneConnectionCarries2GBEachWay) {
  const Listener program(served<Echo>());
  const auto adapter = opened(program, 60s);
  ASSERT_TRUE(adapter);
  constexpr std::size_t kCallBytes = 8'000'000;
  std::size_t carried = 0;
  for (std::size_t batch = 1; carried < 2'000'000'000; batch = batch == 1 ? 20 : batch == 20 ? 500 : 1) {
    Deliver task;
    for (std::size_t i = 0; i < batch; ++i) {
      Command& command = task.commands.emplace_back();
      command.id = std::to_string(i);
      command.body = std::string(kCallBytes / batch, static_cast<char>('a' + i % 26));
    }
    const auto step = adapter->advance(Context(), task, "", First{});
    ASSERT_TRUE(step) << to_string(step.error()) << " after " << carried;
    const auto& outcomes = std::get<std::vector<Outcome>>(std::get<Done>(step->move));
    ASSERT_EQ(outcomes.size(), batch);
    EXPECT_EQ(outcomes.back().reason, task.commands.back().body);
    carried += kCallBytes;
  }
  EXPECT_EQ(program.connections(), 1);
}

}  // namespace
}  // namespace isthmus::adapter
