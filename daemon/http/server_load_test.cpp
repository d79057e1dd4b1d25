// Many connections that want nothing, or never finish asking, must not make a good request wait. The figures are
// printed; what is asserted is that every good request is answered, in a time that no queueing behind the others would
// allow.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>

#include "http/detail/test_socket.h"
#include "http/server.h"

namespace isthmus::http {
namespace {

using detail::TestSocket;
constexpr std::size_t kIdle = 5'000;
constexpr std::size_t kHalfSent = 500;
constexpr int kGood = 200;

bool allow_descriptors(rlim_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return false;
  limit.rlim_cur = std::min(std::max(limit.rlim_cur, wanted), limit.rlim_max);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur >= wanted;
}

TEST(ServerLoad, FiveThousandIdleAndFiveHundredHalfSentDoNotDelayAGoodRequest) {
  // Both ends of each connection are in this process.
  if (!allow_descriptors(2 * (kIdle + kHalfSent) + 1'000)) GTEST_SKIP() << "this machine allows too few open files";
  const SystemClock clock;
  ServerOptions options;
  options.header_deadline = std::chrono::minutes(2);
  auto server = Server::open(
      options, clock, [](Request request, const Responder& respond) { respond(text_response(200, request.body)); });
  ASSERT_TRUE(server.has_value()) << to_string(server.error());

  const std::string ask = "POST /hook HTTP/1.1\r\nHost: a\r\nContent-Length: 3000\r\n\r\n" + std::string(3000, 'x');
  std::vector<TestSocket> others;
  others.reserve(kIdle + kHalfSent);
  for (std::size_t i = 0; i < kIdle; ++i) {
    others.emplace_back((*server)->port());
    ASSERT_TRUE(others.back().connected()) << i;
    // Half of the idle ones have been served before.
    if (i % 2 == 0) {
      others.back().send(ask);
      ASSERT_EQ(others.back().receive().status, 200) << i;
    }
  }
  for (std::size_t i = 0; i < kHalfSent; ++i) {
    others.emplace_back((*server)->port());
    ASSERT_TRUE(others.back().connected()) << i;
    others.back().send(i % 2 == 0 ? ask.substr(0, 20) : ask.substr(0, 1000));
  }

  std::vector<double> milliseconds;
  for (int i = 0; i < kGood; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    TestSocket good((*server)->port());
    good.send(ask);
    ASSERT_EQ(good.receive().body.size(), 3000U);
    milliseconds.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  const double median = milliseconds[milliseconds.size() / 2];
  RecordProperty("good_request_median_us", static_cast<int>(median * 1000));
  RecordProperty("good_request_worst_us", static_cast<int>(milliseconds.back() * 1000));
  std::printf("good request beside %zu idle and %zu half-sent connections: median %.2f ms, worst %.2f ms\n", kIdle,
              kHalfSent, median, milliseconds.back());
  EXPECT_GE((*server)->counts().connections_open, kIdle + kHalfSent);
  EXPECT_LT(median, 100.0);
}

}  // namespace
}  // namespace isthmus::http
