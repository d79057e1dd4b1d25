#include "ops/json_log.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <limits>
#include <string>
#include <thread>

#include "events/events.h"
#include "ops/detail/log_line.h"

namespace isthmus::ops {
namespace {

using namespace std::chrono_literals;

// Where a test's log goes: a pipe, read without waiting or up to a deadline.
class Reader {
 public:
  Reader() { EXPECT_EQ(::pipe(ends_), 0); }
  ~Reader() {
    close_read();
    ::close(ends_[1]);
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  [[nodiscard]] int in() const { return ends_[1]; }
  std::string read(std::chrono::milliseconds wait_max = 0ms) {
    std::string text;
    pollfd ready{ends_[0], POLLIN, 0};
    while (::poll(&ready, 1, text.empty() ? static_cast<int>(wait_max.count()) : 0) == 1) {
      char buffer[4096];
      const ssize_t size = ::read(ends_[0], buffer, sizeof buffer);
      if (size <= 0) break;
      text.append(buffer, static_cast<std::size_t>(size));
    }
    return text;
  }
  void close_read() {
    if (ends_[0] >= 0) ::close(ends_[0]);
    ends_[0] = -1;
  }

 private:
  int ends_[2] = {-1, -1};
};

JsonLog::Limits no_timer() { return {.flush_period = 1h}; }

const ManualClock kClock{from_ms(1'795'546'800'000)};  // 2026-11-24T19:00:00Z

TEST(JsonLog, WritesOneTypedObjectALine) {
  Reader reader;
  JsonLog log(reader.in(), LogLevel::debug, kClock, no_timer());
  events::delivery_command_delivered(log,
                                     {.connection = "crm", .command = "c1", .verdict = "DELIVERED", .attempts = 2U});
  log.write(LogLevel::debug, "a.b.c", {{"ratio", 0.5}, {"repeated", false}});
  log.flush();
  EXPECT_EQ(
      reader.read(),
      R"({"event":"delivery.command.delivered","time":"2026-11-24T19:00:00.000000Z","level":"info","connection":"crm",)"
      R"("command":"c1","verdict":"DELIVERED","attempts":2})"
      "\n"
      R"({"event":"a.b.c","time":"2026-11-24T19:00:00.000000Z","level":"debug","ratio":0.5,"repeated":false})"
      "\n");
}

TEST(JsonLog, KeepsLinesBackUntilAWarning) {
  Reader reader;
  JsonLog log(reader.in(), LogLevel::info, kClock, no_timer());
  log.write(LogLevel::info, "a.b", {});
  EXPECT_EQ(reader.read(), "");
  log.write(LogLevel::warning, "c.d", {});
  const std::string text = reader.read();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
}

TEST(JsonLog, WritesInTurnWithoutBeingAsked) {
  Reader reader;
  const JsonLog::Limits limits{.flush_period = 5ms};
  JsonLog log(reader.in(), LogLevel::info, kClock, limits);
  log.write(LogLevel::info, "a.b", {});
  EXPECT_NE(reader.read(10s), "");
}

TEST(JsonLog, WritesTheRestWhenItEnds) {
  Reader reader;
  { JsonLog(reader.in(), LogLevel::info, kClock, no_timer()).write(LogLevel::info, "a.b", {}); }
  EXPECT_NE(reader.read(), "");
}

TEST(JsonLog, LeavesOutWhatIsUnderItsLevel) {
  Reader reader;
  JsonLog log(reader.in(), LogLevel::info, kClock, no_timer());
  log.write(LogLevel::debug, "a.debug", {});
  log.set_level(LogLevel::debug);
  log.write(LogLevel::debug, "b.debug", {});
  log.flush();
  const std::string text = reader.read();
  EXPECT_EQ(text.find("a.debug"), std::string::npos);
  EXPECT_NE(text.find("b.debug"), std::string::npos);
}

TEST(JsonLog, DoesNotReceiveTheLinesOfAnother) {
  Reader one;
  Reader two;
  JsonLog first(one.in(), LogLevel::info, kClock, no_timer());
  JsonLog second(two.in(), LogLevel::info, kClock, no_timer());
  first.write(LogLevel::error, "a.b", {});
  EXPECT_NE(one.read(), "");
  second.flush();
  EXPECT_EQ(two.read(), "");
}

TEST(JsonLog, KeepsLinesWholeWhenThreadsWriteMoreThanTheBuffer) {
  constexpr int kLines = 2000;
  Reader reader;
  std::string text;
  {
    const std::jthread reading([&] {
      while (std::count(text.begin(), text.end(), '\n') < 2L * kLines) {
        const std::string more = reader.read(10s);
        if (more.empty()) return;
        text += more;
      }
    });
    const JsonLog::Limits limits{.buffer_bytes = 1000, .flush_period = 1h};
    JsonLog log(reader.in(), LogLevel::info, kClock, limits);
    const auto work = [&] {
      for (int turn = 0; turn < kLines; ++turn) log.write(LogLevel::info, "a.b", {{"turn", std::int64_t{turn}}});
    };
    const std::jthread one(work);
    const std::jthread two(work);
  }
  std::size_t begin = 0;
  int lines = 0;
  for (auto end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin), ++lines) {
    const std::string line = text.substr(begin, end - begin);
    ASSERT_TRUE(line.starts_with(R"({"event":"a.b")") && line.ends_with("}") && line.find('{', 1) == std::string::npos)
        << line;
  }
  EXPECT_EQ(lines, 2 * kLines);
}

TEST(JsonLog, CountsWhatNobodyCouldTake) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  Reader reader;
  JsonLog log(reader.in(), LogLevel::info, kClock, no_timer());
  reader.close_read();
  log.write(LogLevel::info, "a.b", {});
  log.write(LogLevel::error, "c.d", {});
  EXPECT_EQ(log.lost(), 2U);
  std::signal(SIGPIPE, before);
}

TEST(LogLine, RepairsTextThatIsNotUtf8) {
  EXPECT_EQ(detail::clean_text("caf\xC3\xA9 \xF0\x9F\x98\x80", 100), "caf\xC3\xA9 \xF0\x9F\x98\x80");
  EXPECT_EQ(detail::clean_text("a\xFFz", 100), "a\xEF\xBF\xBDz");
  EXPECT_EQ(detail::clean_text("\xED\xA0\x80", 100), "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");  // a surrogate
  EXPECT_EQ(detail::clean_text("a\xC3", 100), "a\xEF\xBF\xBD");                                // cut short
}

TEST(LogLine, CutsLongTextAtACharacter) {
  EXPECT_EQ(detail::clean_text("abcd", 4), "abcd");
  EXPECT_EQ(detail::clean_text("abcde", 4), "abcd\xE2\x80\xA6");
  EXPECT_EQ(detail::clean_text("abc\xC3\xA9", 4), "abc\xE2\x80\xA6");
}

TEST(LogLine, KeepsControlCharactersOnOneLine) {
  const std::string line =
      detail::log_line(kClock.now(), LogLevel::info, "a.b", {{"t", std::string_view("x\n\"\x1b[31m")}}, 100);
  EXPECT_TRUE(line.ends_with(R"("t":"x\n\"\u001b[31m"})")) << line;
}

TEST(LogLine, WritesNumbersThatJsonLacksAsNull) {
  const std::string line = detail::log_line(kClock.now(), LogLevel::info, "a.b",
                                            {{"t", std::numeric_limits<double>::infinity()}, {"u", true}}, 100);
  EXPECT_TRUE(line.ends_with(R"("t":null,"u":true})")) << line;
}

}  // namespace
}  // namespace isthmus::ops
