#include "intake/committer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "journal/codec.h"
#include "support/eventually.h"
#include "support/postgres.h"

namespace isthmus::intake {
namespace {

using namespace std::chrono_literals;

class CommitterTest : public testing::Test {
 protected:
  static Submission call(const std::string& body, std::function<void(Accepted)> done) {
    Submission s;
    s.exchange.lane = 3;
    s.exchange.connection = 7;
    s.exchange.received = SystemClock().now();
    s.call.body = body;
    s.done = std::move(done);
    return s;
  }
  std::int64_t stored() {
    auto rows = (*pool_.take())->exec("SELECT count(*) FROM inbox");
    EXPECT_TRUE(rows);
    return rows ? rows->number(0, 0) : -1;
  }

  store::Options options_ = test::Postgres::instance().fresh_database();
  store::Pool pool_{options_, 4};
  SystemClock clock_;
  SystemRandom random_;
  NoLog log_;
  archive::MasterKey master_ = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  journal::Keys keys_{pool_, master_, clock_, random_};
};

TEST_F(CommitterTest, AnswersEveryCallOnceAndOnlyAfterItIsStored) {
  std::atomic<int> good = 0, false_good = 0;
  std::atomic<int> woken = 0;
  Committer committer(pool_, keys_, log_, [&](int lane) { woken += lane == 3 ? 1 : 0; });
  store::Pool looking(options_, 1);
  for (int i = 0; i < 300; ++i) {
    const std::string body = "body " + std::to_string(i);
    committer.submit(call(body, [&](Accepted a) {
      if (a == Accepted::stored) ++good;
      if (good == 1) {  // once is enough: another connection sees it when the answer is given
        auto rows = (*looking.take())->exec("SELECT count(*) FROM inbox");
        if (rows->number(0, 0) < 1) ++false_good;
      }
    }));
  }
  committer.stop();
  EXPECT_EQ(good, 300);
  EXPECT_EQ(false_good, 0);
  EXPECT_GE(woken, 1);
  EXPECT_EQ(stored(), 300);
}

// What queued while a commit ran goes into the next one: 400 calls behind a lock need a few transactions, not 400.
TEST_F(CommitterTest, CommitsInGroupsWhatQueuedMeanwhile) {
  store::Pool other(options_, 1);
  auto db = other.take();
  std::atomic<int> good = 0;
  Committer committer(pool_, keys_, log_, [](int) {});
  {
    auto lock = store::Transaction::begin(**db);
    ASSERT_TRUE(lock->exec("SELECT 1 FROM lane_head WHERE stage = 1 AND lane = 3 FOR UPDATE"));
    for (int i = 0; i < 400; ++i)
      committer.submit(call("x", [&](Accepted a) { good += a == Accepted::stored ? 1 : 0; }));
    ASSERT_TRUE(lock->commit());
  }
  committer.stop();
  EXPECT_EQ(good, 400);
  const auto transactions = (*db)->exec("SELECT count(DISTINCT xmin::text) FROM inbox");
  EXPECT_LE(transactions->number(0, 0), 4);
}

TEST_F(CommitterTest, TellsARepeatFromWhatIsNew) {
  std::vector<Accepted> answers;
  Committer committer(pool_, keys_, log_, [](int) {});
  for (int i = 0; i < 2; ++i) {
    Submission s = call("same", [&](Accepted a) { answers.push_back(a); });
    s.exchange.delivery_key = Bytes(32, 'k');
    committer.submit(std::move(s));
  }
  committer.stop();
  EXPECT_EQ(answers, (std::vector<Accepted>{Accepted::stored, Accepted::repeat}));
}

TEST_F(CommitterTest, AStoppedOneTakesNothing) {
  Committer committer(pool_, keys_, log_, [](int) {});
  committer.stop();
  Accepted answer = Accepted::stored;
  committer.submit(call("late", [&](Accepted a) { answer = a; }));
  EXPECT_EQ(answer, Accepted::unavailable);
  EXPECT_EQ(stored(), 0);
}

// Bodies that wait are bounded in bytes, not only in number: the queue refuses what it cannot hold.
TEST_F(CommitterTest, RefusesMoreBytesThanItMayHold) {
  store::Pool other(options_, 1);
  auto db = other.take();
  std::atomic<int> good = 0, refused = 0;
  Committer committer(pool_, keys_, log_, [](int) {});
  {
    auto lock = store::Transaction::begin(**db);
    ASSERT_TRUE(lock->exec("SELECT 1 FROM lane_head WHERE stage = 1 AND lane = 3 FOR UPDATE"));
    const Bytes body(8U << 20U, 'x');
    const auto fitting = static_cast<int>(Committer::kQueueBytesMax / body.size());
    for (int i = 0; i < fitting + 3; ++i)
      committer.submit(call(body, [&](Accepted a) { ++(a == Accepted::stored ? good : refused); }));
    EXPECT_EQ(refused, 3);
    ASSERT_TRUE(lock->commit());
    committer.stop();
    EXPECT_EQ(good, fitting);
  }
  EXPECT_EQ(stored(), good);
}

// Every statement fails once, COMMIT among them: `stored` is only ever said of a row that is there, and the next call
// is served.
TEST_F(CommitterTest, TheNthStatementFailsAndNothingIsSaidToBeStoredThatIsNot) {
  bool all_passed = false;
  for (int n = 1; n < 30 && !all_passed; ++n) {
    store::Options options = test::Postgres::instance().fresh_database();
    std::atomic<int> left = n;
    options.allow_statement = [&](std::string_view) { return --left != 0; };
    store::Pool pool(options, 2);
    journal::Keys keys(pool, master_, clock_, random_);
    std::vector<Accepted> answers;
    Committer committer(pool, keys, log_, [](int) {});
    std::atomic<int> answered = 0;
    const auto note = [&](Accepted a) {
      answers.push_back(a);
      ++answered;
    };
    committer.submit(call("first", note));
    ASSERT_TRUE(test::eventually(10s, [&] { return answered == 1; }));
    committer.submit(call("second", note));
    committer.stop();
    all_passed = left > 0;
    left = 0;  // nothing more fails
    auto rows = (*pool.take())->exec("SELECT count(*) FROM inbox");
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->number(0, 0), std::count(answers.begin(), answers.end(), Accepted::stored)) << "statement " << n;
    EXPECT_GE(std::count(answers.begin(), answers.end(), Accepted::stored), 1) << "statement " << n;
  }
  EXPECT_TRUE(all_passed) << "a run without a failure ends the loop";
}

// AT13: whatever was answered `stored` is there after the database came back; what was not, may be sent again.
TEST(AT13, ADatabaseThatStopsInMidLoadLosesNothingThatWasAccepted) {
  auto& server = test::Postgres::instance();
  const auto options = server.fresh_database();
  store::Pool pool(options, 4);
  SystemClock clock;
  SystemRandom random;
  NoLog log;
  const auto master = *archive::MasterKey::from_secret(Secret(std::string(32, 'm')));
  journal::Keys keys(pool, master, clock, random);
  Committer committer(pool, keys, log, [](int) {});
  std::atomic<int> stored = 0, unavailable = 0, sent = 0;
  std::mutex mutex;
  std::set<std::string> accepted;
  const auto send = [&] {
    Submission s;
    s.exchange.lane = 3;
    s.exchange.connection = 7;
    s.exchange.received = clock.now();
    const std::string id = std::to_string(sent++);
    s.exchange.context = id;
    s.call.body = "body";
    s.done = [&, id](Accepted a) {
      if (a != Accepted::stored) {
        ++unavailable;
        return;
      }
      const std::lock_guard lock(mutex);
      accepted.insert(id);
      ++stored;
    };
    committer.submit(std::move(s));
  };
  std::jthread load([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      for (int i = 0; i < 20; ++i) send();
      (void)test::eventually(5s, [&] { return stored + unavailable >= sent - 100; });
    }
  });
  ASSERT_TRUE(test::eventually(20s, [&] { return stored > 100; })) << stored;
  server.stop();
  EXPECT_TRUE(test::eventually(20s, [&] { return unavailable > 0; })) << "calls are refused while the database is away";
  server.start();
  const int before = stored;
  EXPECT_TRUE(test::eventually(30s, [&] { return stored > before + 100; })) << "and accepted when it is back";
  load.request_stop();
  load.join();
  committer.stop();
  EXPECT_EQ(stored + unavailable, sent) << "every call has one answer";
  auto rows = (*pool.take())->exec("SELECT context FROM inbox WHERE seq > 0");
  ASSERT_TRUE(rows);
  std::set<std::string> there;
  for (int i = 0; i < rows->size(); ++i) there.emplace(rows->bytes(i, 0));
  for (const std::string& id : accepted)
    EXPECT_TRUE(there.contains(id)) << "call " << id << " was accepted and is gone";
}

}  // namespace
}  // namespace isthmus::intake
