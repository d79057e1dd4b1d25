#include "http/worker_pool.h"

#include <gtest/gtest.h>

#include <future>
#include <semaphore>

namespace isthmus::http {
namespace {

constexpr std::chrono::seconds kWait{10};

std::future<Response> ask(const Handler& handler, std::string path) {
  auto promise = std::make_shared<std::promise<Response>>();
  Request request;
  request.path = std::move(path);
  handler(std::move(request), Responder([promise](Response response) { promise->set_value(std::move(response)); }));
  return promise->get_future();
}

TEST(WorkerPool, AnswersWith503WhenAsManyWaitAsMay) {
  std::binary_semaphore started{0};
  std::counting_semaphore<8> go{0};
  WorkerPool pool(1, 1);
  const Handler handler = pool.blocking([&](const Request& request) {
    if (request.path == "/first") started.release();
    const bool went = go.try_acquire_for(kWait);
    return text_response(went ? 200 : 500, request.path);
  });
  auto first = ask(handler, "/first");
  ASSERT_TRUE(started.try_acquire_for(kWait));  // the one worker is busy
  auto second = ask(handler, "/second");        // the one place is taken
  auto third = ask(handler, "/third");
  ASSERT_EQ(third.wait_for(kWait), std::future_status::ready);
  const Response refused = third.get();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.find("retry-after"), "1");
  go.release(2);
  ASSERT_EQ(first.wait_for(kWait), std::future_status::ready);
  ASSERT_EQ(second.wait_for(kWait), std::future_status::ready);
  EXPECT_EQ(first.get().body, "/first");
  EXPECT_EQ(second.get().body, "/second");
}

TEST(WorkerPool, RunsWhatWaitsBeforeItStopsAndRefusesAfterwards) {
  WorkerPool pool(2, 100);
  const Handler handler = pool.blocking([](const Request& request) { return text_response(200, request.path); });
  std::vector<std::future<Response>> answers;
  for (int i = 0; i < 50; ++i) answers.push_back(ask(handler, "/" + std::to_string(i)));
  pool.stop();
  for (int i = 0; i < 50; ++i) {
    auto& answer = answers[static_cast<std::size_t>(i)];
    ASSERT_EQ(answer.wait_for(std::chrono::seconds(0)), std::future_status::ready);
    EXPECT_EQ(answer.get().body, "/" + std::to_string(i));
  }
  EXPECT_EQ(ask(handler, "/late").get().status, 503);
}

TEST(Responder, AnswersOnceWhateverItsCopiesDo) {
  int answers = 0;
  int status = 0;
  {
    const Responder respond([&](Response response) {
      ++answers;
      status = response.status;
    });
    const Responder copy = respond;
    copy(text_response(201, ""));
    respond(text_response(202, ""));
  }
  EXPECT_EQ(answers, 1);
  EXPECT_EQ(status, 201);
}

TEST(Responder, DroppedWithoutAnAnswerIs500) {
  int status = 0;
  {
    const Responder respond([&](Response response) { status = response.status; });
  }
  EXPECT_EQ(status, 500);
}

}  // namespace
}  // namespace isthmus::http
