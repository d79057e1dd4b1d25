#include "journal/codec.h"

#include <gtest/gtest.h>

namespace isthmus::journal {
namespace {

adapter::Call odd_call() {
  adapter::Call call;
  call.kind = "webhook";
  call.method = "POST";
  call.path = "/in/a%2Fb";
  call.query = "x=1&x=2";
  call.headers = {{"X-Same", "1"}, {"x-same", ""}, {"", "nameless"}};
  call.body = std::string("\0\xff{\"a\":1.0}", 11);
  call.received_ms = -1;
  call.stream = "submissions";
  call.status = 599;
  return call;
}

adapter::Context odd_context() {
  adapter::Context context;
  context.now_ms = 1764000000123;
  context.facts_json = "{}";
  context.attempt = 3;
  context.first_attempt_ms = 7;
  context.auth = {{"did", "did:plc:x"}, {"", ""}};
  context.connection = {{"url", "https://a.example"}, {"handle", std::string("\0", 1)}};
  return context;
}

TEST(Codec, GivesBackACallByteForByte) {
  const auto call = odd_call();
  const auto back = decode_call(encode(call));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->kind, call.kind);
  EXPECT_EQ(back->method, call.method);
  EXPECT_EQ(back->path, call.path);
  EXPECT_EQ(back->query, call.query);
  EXPECT_EQ(back->body, call.body);
  EXPECT_EQ(back->received_ms, call.received_ms);
  EXPECT_EQ(back->stream, call.stream);
  EXPECT_EQ(back->status, call.status);
  ASSERT_EQ(back->headers.size(), 3U);
  EXPECT_EQ(back->headers[2].value, "nameless");
  EXPECT_EQ(encode(*back), encode(call));
}

TEST(Codec, GivesBackAContextWithBothOfItsMaps) {
  const auto context = odd_context();
  const auto back = decode_context(encode(context));
  ASSERT_TRUE(back);
  EXPECT_EQ(back->now_ms, context.now_ms);
  EXPECT_EQ(back->facts_json, context.facts_json);
  EXPECT_EQ(back->attempt, context.attempt);
  EXPECT_EQ(back->first_attempt_ms, context.first_attempt_ms);
  EXPECT_EQ(back->auth, context.auth);
  EXPECT_EQ(back->connection, context.connection);
}

TEST(Codec, RefusesEveryProperPrefixThatEndsInsideAValue) {
  const Bytes whole = encode(odd_call());
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = decode_call(std::string_view(whole).substr(0, length));
    // A cut between two headers is a shorter call; anywhere else nothing is read.
    if (cut) {
      EXPECT_EQ(encode(*cut).size(), length);
    }
  }
  EXPECT_FALSE(decode_call(std::string_view(whole).substr(0, whole.size() - 1)));
  const Bytes context = encode(odd_context());
  EXPECT_FALSE(decode_context(std::string_view(context).substr(0, context.size() - 1)));
}

TEST(Codec, ReadsNeitherAsTheOther) {
  EXPECT_EQ(decode_call(encode(odd_context())).error().code, "journal.format");
  EXPECT_EQ(decode_context(encode(odd_call())).error().code, "journal.format");
}

TEST(Codec, RefusesLengthsBeyondTheEndAndCountsWithoutEnd) {
  EXPECT_FALSE(decode_call(std::string("\xff\xff\xff\xff", 4) + "call"));
  EXPECT_FALSE(decode_call(""));
  // A context whose number of tokens is said to be 2^63 - 1: the end of the bytes ends the loop.
  Bytes context = encode(adapter::Context());
  const auto last = context.rfind('0');
  context = context.substr(0, last - 4) + std::string("\0\0\0\x13", 4) + "9223372036854775807";
  EXPECT_FALSE(decode_context(context));
}

}  // namespace
}  // namespace isthmus::journal
