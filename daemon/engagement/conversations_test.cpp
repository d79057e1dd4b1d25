// Conversations as the console reads them: what came in and what we sent, joined by the network's ids.
#include "engagement/conversations.h"

#include <gtest/gtest.h>
#include <simdjson.h>

#include "support/small_company.h"

namespace isthmus::engagement {
namespace {

using std::chrono::seconds;

class Engagement : public ::testing::Test {
 protected:
  Engagement() {
    company.add_connection("ours", 4);
    company.add_connection("other", 4);
    company.refresh();
  }
  const identity::Connection* connection(const std::string& name = "ours") {
    return company.directory.current()->snapshot->connection(name);
  }

  void came(const std::string& id, const std::string& content, const std::string& in_reply_to, const std::string& root,
            seconds at, const std::string& name = "ours", const std::string& kind = "social.reply") {
    adapter::Event event;
    event.dedup_key = "event of " + id;
    event.kind = kind;
    event.format = "activity/1";
    event.occurred_ms = to_ms(start + at);
    event.body =
        R"({"type":"Create","actor":{"type":"Person","id":"https://n/u","preferredUsername":"lea"},"object":{"type":"Note","id":")" +
        id + R"(","content":")" + content + "\"" +
        (in_reply_to.empty() ? "" : R"(,"inReplyTo":")" + in_reply_to + "\"") +
        R"(},"isthmus":{"network":"n","kind":")" + kind + "\"" + (root.empty() ? "" : R"(,"root":")" + root + "\"") +
        "}}";
    write([&](store::Transaction& tx) {
      return conversations.received(tx, 4, {{connection(name), &event, Uuid::random(company.random)}});
    });
  }
  void went(const std::string& remote_id, const std::string& body, adapter::Verb verb, seconds at) {
    delivery::Ended ended;
    ended.connection = connection();
    ended.command = Uuid::random(company.random);
    ended.verb = verb;
    ended.body_format = "post/1";
    ended.body = body;
    ended.remote_id = remote_id;
    ended.record = Uuid::random(company.random);
    ended.at = start + at;
    write([&](store::Transaction& tx) { return conversations.ended(tx, 4, {ended}); });
  }
  void write(const std::function<Result<void>(store::Transaction&)>& what) {
    auto tx = store::Transaction::begin(*company.db);
    ASSERT_TRUE(tx.has_value());
    const auto done = what(*tx);
    ASSERT_TRUE(done.has_value()) << to_string(done.error());
    ASSERT_TRUE(tx->commit().has_value());
  }
  /// "root: in text | out text ...", a line a conversation, newest first.
  std::string seen(const std::string& name = "ours", int rows_max = 10) {
    const auto json = list_conversations(*company.db, name, rows_max);
    EXPECT_TRUE(json.has_value()) << (json ? "" : to_string(json.error()));
    if (!json) return {};
    simdjson::dom::parser parser;
    simdjson::dom::element all;
    EXPECT_EQ(parser.parse(*json).get(all), simdjson::SUCCESS) << *json;
    std::string out;
    const simdjson::dom::array items = all["items"];
    for (const auto item : items) {
      out += std::string(std::string_view(item["root"])) + ":";
      const simdjson::dom::array messages = item["messages"];
      for (const auto m : messages)
        out +=
            " " + std::string(std::string_view(m["direction"])) + " " + std::string(std::string_view(m["text"])) + ";";
      out += "\n";
    }
    return out;
  }

  test::SmallCompany company;
  Instant start = from_ms(1'790'000'000'000);
  Conversations conversations{Secret(std::string(32, 'k'))};
};

TEST_F(Engagement, AReplyStandsUnderOurPostInOrder) {
  went("post-1", R"({"text":"hello"})", adapter::Verb::publish, seconds(0));
  came("reply-1", "nice", "post-1", "post-1", seconds(10));
  went("reply-2", R"({"text":"thanks","reply_to":{"id":"reply-1","root":"post-1"}})", adapter::Verb::reply,
       seconds(20));
  EXPECT_EQ(seen(), "post-1: out hello; in nice; out thanks;\n");
}

TEST_F(Engagement, AReplyThatIsSeenBeforeTheEndOfOurPostJoinsItAllTheSame) {
  came("reply-1", "nice", "post-1", "", seconds(10));
  went("post-1", R"({"text":"hello"})", adapter::Verb::publish, seconds(0));
  EXPECT_EQ(seen(), "post-1: out hello; in nice;\n");
}

// Networks that name only the message that is answered (no root): the answer to an answer belongs to the conversation
// of what it answers.
TEST_F(Engagement, AnAnswerToAnAnswerJoinsItsConversationWhenTheNetworkNamesNoRoot) {
  went("post-1", R"({"text":"hello"})", adapter::Verb::publish, seconds(0));
  came("reply-1", "nice", "post-1", "", seconds(10));
  came("reply-2", "very", "reply-1", "", seconds(20));
  went("reply-3", R"({"text":"thanks","reply_to":{"id":"reply-2"}})", adapter::Verb::reply, seconds(30));
  EXPECT_EQ(seen(), "post-1: out hello; in nice; in very; out thanks;\n");
}

TEST_F(Engagement, TheSameMessageTwiceIsOne) {
  came("reply-1", "nice", "post-1", "post-1", seconds(10));
  came("reply-1", "nice", "post-1", "post-1", seconds(10));
  went("post-1", R"({"text":"hello"})", adapter::Verb::publish, seconds(0));
  went("post-1", R"({"text":"hello"})", adapter::Verb::publish, seconds(0));
  EXPECT_EQ(seen(), "post-1: out hello; in nice;\n");
}

TEST_F(Engagement, AMentionOfItsOwnBeginsAConversation) {
  came("mention-1", "hey", "", "", seconds(10), "ours", "social.mention");
  came("mention-2", "you", "", "", seconds(20), "ours", "social.mention");
  EXPECT_EQ(seen(), "mention-2: in you;\nmention-1: in hey;\n");
}

TEST_F(Engagement, TwoConnectionsKeepTheirConversationsApart) {
  came("reply-1", "nice", "post-1", "post-1", seconds(10));
  came("reply-1", "nice", "post-1", "post-1", seconds(10), "other");
  EXPECT_EQ(seen(), "post-1: in nice;\n");
  EXPECT_EQ(seen("other"), "post-1: in nice;\n");
  EXPECT_EQ(company.count("conversation"), 2);
}

TEST_F(Engagement, OtherFormatsAndCommandsWithoutARemoteIdAreNoMessages) {
  adapter::Event lead;
  lead.format = "lead/1";
  lead.body = "{}";
  write([&](store::Transaction& tx) {
    return conversations.received(tx, 4, {{connection(), &lead, Uuid::random(company.random)}});
  });
  went("", R"({"text":"hello"})", adapter::Verb::publish, seconds(0));
  EXPECT_EQ(company.count("message"), 0);
}

TEST_F(Engagement, ANulInAMessageIsShownAsAQuestionMark) {
  came("reply-1", "ni\\u0000ce", "post-1", "post-1", seconds(10));
  went("post-1", R"({"text":"hel\u0000lo"})", adapter::Verb::publish, seconds(0));
  EXPECT_EQ(seen(), "post-1: out hel?lo; in ni?ce;\n");
}

TEST_F(Engagement, AnActivityThatIsNotJsonIsPoisonAndNotAnOutage) {
  adapter::Event event;
  event.format = "activity/1";
  event.body = "{";
  auto tx = store::Transaction::begin(*company.db);
  ASSERT_TRUE(tx.has_value());
  const auto done = conversations.received(*tx, 4, {{connection(), &event, Uuid::random(company.random)}});
  ASSERT_FALSE(done.has_value());
  EXPECT_EQ(done.error().code, "adapter.poison");
}

}  // namespace
}  // namespace isthmus::engagement
