// Every request here is read three times: whole, byte by byte, and with another one behind it.
#include "http/detail/request_reader.h"

#include <gtest/gtest.h>

#include "http/detail/response_head.h"

namespace isthmus::http::detail {
namespace {

struct Outcome {
  int status = 0;  // 0: read; -1: more is needed
  Request request;
  std::string rest;
};

Outcome finish(RequestReader& reader, ReadState state, std::string rest) {
  if (state == ReadState::refused) return {reader.refusal().status, {}, {}};
  if (state != ReadState::done) return {-1, {}, std::move(rest)};
  return {0, reader.take(), std::move(rest)};
}

Outcome read_whole(const std::string& bytes, RequestLimits limits) {
  RequestReader reader(limits);
  std::string in = bytes;
  const ReadState state = reader.feed(in);
  return finish(reader, state, in);
}

Outcome read_by_byte(const std::string& bytes, RequestLimits limits) {
  RequestReader reader(limits);
  std::string in;
  ReadState state = ReadState::head;
  for (const char c : bytes) {
    in += c;
    state = reader.feed(in);
    if (state == ReadState::done || state == ReadState::refused) break;
  }
  return finish(reader, state, in);
}

Outcome read(const std::string& bytes, RequestLimits limits = {}) {
  Outcome whole = read_whole(bytes, limits);
  const Outcome slow = read_by_byte(bytes, limits);
  EXPECT_EQ(whole.status, slow.status) << bytes.substr(0, 200);
  EXPECT_EQ(whole.request.body, slow.request.body);
  EXPECT_EQ(whole.request.headers.size(), slow.request.headers.size());
  const std::string next = "GET /next HTTP/1.1\r\nHost: n\r\n\r\n";
  if (whole.status == 0) {
    EXPECT_EQ(read_whole(bytes + next, limits).rest, next);
  }
  return whole;
}

std::string get(const std::string& fields) { return "GET / HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n"; }
std::string post(const std::string& fields, const std::string& body) {
  return "POST /p HTTP/1.1\r\nHost: a\r\n" + fields + "\r\n" + body;
}

TEST(RequestReader, TakesAPlainRequestApart) {
  const Outcome read_one =
      read("POST /hooks/a%20b?x=1&y HTTP/1.1\r\nHost: a\r\nX-One:  v \r\nContent-Length: 5\r\n\r\nhello");
  ASSERT_EQ(read_one.status, 0);
  EXPECT_EQ(read_one.request.method, "POST");
  EXPECT_EQ(read_one.request.path, "/hooks/a%20b");
  EXPECT_EQ(read_one.request.query, "x=1&y");
  EXPECT_EQ(read_one.request.headers.find("x-one"), "v");
  EXPECT_EQ(read_one.request.body, "hello");
}

TEST(RequestReader, UndoesTheChunkedCodingAndLeavesTrailersOut) {
  const Outcome chunked =
      read(post("Transfer-Encoding: chunked\r\n", "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX-Late: 1\r\n\r\n"));
  ASSERT_EQ(chunked.status, 0);
  EXPECT_EQ(chunked.request.body, "abcde");
  EXPECT_FALSE(chunked.request.headers.find("x-late"));
  // The last chunk alone, and with a trailer: byte by byte it made the parser abort; found by fuzzing.
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "0\r\n\r\n")).status, 0);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "0\r\nX-Late: 1\r\n\r\n")).status, 0);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "1\r\na\r\n0\r\n\r\n")).request.body, "a");
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "z\r\nabc\r\n")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "3\r\nabcd\r\n0\r\n\r\n")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "3\nabc\n0\n\n")).status, -1);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "3\nabc\n0\n\n\r\n")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "ffffffffffffffffff\r\nabc")).status, 400);
}

TEST(RequestReader, RefusesFramingThatTwoReadersCouldTakeDifferently) {
  EXPECT_EQ(read(post("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "0\r\n\r\n")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 5\r\nContent-Length: 6\r\n", "hello!")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 5\r\nContent-Length: 5\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 5, 5\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: +5\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: -5\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 0x5\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: \r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Content-Length: 99999999999999999999\r\n", "hello")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n", "0\r\n\r\n")).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n")).status, 501);
  EXPECT_EQ(read(post("Transfer-Encoding: identity\r\n", "")).status, 501);
  EXPECT_EQ(read("POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n").status, 400);
  EXPECT_EQ(read(post("Content-Length: 5\r\n", "hello")).status, 0);
}

TEST(RequestReader, RefusesFoldedLinesBareLineEndsAndSpaceBeforeAColon) {
  EXPECT_EQ(read(get("X: a\r\n b\r\n")).status, 400);
  EXPECT_EQ(read(get("X: a\r\n\tb\r\n")).status, 400);
  EXPECT_EQ(read(get("X: a\nY: b\r\n")).status, 400);
  EXPECT_EQ(read(get("X: a\rY: b\r\n")).status, 400);
  EXPECT_EQ(read(get("X : a\r\n")).status, 400);
  EXPECT_EQ(read(get("Content-Length : 5\r\n")).status, 400);
  EXPECT_EQ(read(get(": a\r\n")).status, 400);
  EXPECT_EQ(read(get("X\r\n")).status, 400);
  EXPECT_EQ(read(get(std::string("X: a\0b\r\n", 8))).status, 400);
  EXPECT_EQ(read(" GET / HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
  EXPECT_EQ(read(get("X: a\r\n")).status, 0);
  EXPECT_EQ(read("\r\n" + get("")).status, 0);
  EXPECT_EQ(read_whole("\r\n\r\n" + get(""), {}).status, 400);
}

TEST(RequestReader, AsksForOneHost) {
  EXPECT_EQ(read("GET / HTTP/1.1\r\n\r\n").status, 400);
  EXPECT_EQ(read(get("host: b\r\n")).status, 400);
  EXPECT_EQ(read("GET / HTTP/1.0\r\n\r\n").status, 0);
}

TEST(RequestReader, KnowsItsMethodsAndVersions) {
  for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}) {
    EXPECT_EQ(read(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n").status, 0) << method;
  }
  for (const char* method : {"CONNECT", "TRACE", "get", "BREW", "PROPFIND"}) {
    EXPECT_EQ(read(std::string(method) + " / HTTP/1.1\r\nHost: a\r\n\r\n").status, 501) << method;
  }
  EXPECT_EQ(read("G@T{} / HTTP/1.1\r\nHost: a\r\n\r\n").status, 400);
  EXPECT_EQ(read("GET / HTTP/2.0\r\nHost: a\r\n\r\n").status, 505);
  EXPECT_EQ(read("GET / HTTP/1.2\r\nHost: a\r\n\r\n").status, 505);
  EXPECT_EQ(read("GET /\r\n\r\n").status, 400);
  EXPECT_EQ(read(std::string("\x16\x03\x01\x02\x00\x01\r\n\r\n", 10)).status, 400);
}

TEST(RequestReader, TakesPathsAbsoluteAddressesAndTheAsterisk) {
  const auto target = [](const std::string& line) { return read(line + " HTTP/1.1\r\nHost: a\r\n\r\n"); };
  EXPECT_EQ(target("GET http://b.example/x?y").request.path, "/x");
  EXPECT_EQ(target("GET http://b.example/x?y").request.query, "y");
  EXPECT_EQ(target("GET HTTPS://b.example?z").request.query, "z");
  EXPECT_EQ(target("GET http://b.example").request.path, "/");
  EXPECT_EQ(target("OPTIONS *").request.path, "*");
  EXPECT_EQ(target("GET *").status, 400);
  EXPECT_EQ(target("GET x").status, 400);
  EXPECT_EQ(target("GET ftp://b/x").status, 400);
  EXPECT_EQ(target("GET http:///x").status, 400);
  EXPECT_EQ(target("GET /x#y").status, 400);
  EXPECT_EQ(target("GET /\xc3\xa9").status, 400);
  EXPECT_EQ(target("GET /a b").status, 505);  // taken for a version
}

TEST(RequestReader, RefusesALargeHeadWithoutWaitingForItsEnd) {
  const RequestLimits limits{200, 100};
  const std::string fits = get("X: " + std::string(200 - get("X: \r\n").size(), 'x') + "\r\n");
  ASSERT_EQ(fits.size(), 200U);
  EXPECT_EQ(read(fits, limits).status, 0);
  EXPECT_EQ(read(get("X: " + std::string(201 - get("X: \r\n").size(), 'x') + "\r\n"), limits).status, 431);
  EXPECT_EQ(read("GET /" + std::string(200, 'a'), limits).status, 431);
  EXPECT_EQ(read("GET /" + std::string(100, 'a'), limits).status, -1);
}

TEST(AT04, ALargeBodyIsRefusedFromItsLengthOrAtTheLimitOfItsChunks) {
  const RequestLimits limits{1000, 100};
  EXPECT_EQ(read(post("Content-Length: 100\r\n", std::string(100, 'x')), limits).status, 0);
  EXPECT_EQ(read(post("Content-Length: 101\r\n", ""), limits).status, 413);  // not one byte of it read
  EXPECT_EQ(read(post("Content-Length: 20000000\r\n", ""), limits).status, 413);
  const std::string chunk = "32\r\n" + std::string(50, 'x') + "\r\n";
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "0\r\n\r\n"), limits).status, 0);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", chunk + chunk + "1\r\nx\r\n0\r\n\r\n"), limits).status, 413);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "1312d00\r\n"), limits).status, 413);
  EXPECT_NE(read(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(2000, 'e')), limits).status, -1);
  // A whole chunk header over the limit, at once or byte by byte: found by fuzzing.
  const std::string tail = "\r\nx\r\n0\r\n\r\n";
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(20000, 'e') + tail)).status, 400);
  EXPECT_EQ(read(post("Transfer-Encoding: chunked\r\n", "1;" + std::string(2000, 'e') + tail)).status, 0);
}

TEST(RequestReader, KnowsWhatTheConnectionMayDoNext) {
  const auto keeps = [](std::string bytes) {
    RequestReader reader({});
    EXPECT_EQ(reader.feed(bytes), ReadState::done);
    return reader.keep_alive();
  };
  EXPECT_TRUE(keeps(get("")));
  EXPECT_FALSE(keeps(get("Connection: close\r\n")));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestReader, KnowsOneExpectation) {
  RequestReader reader({});
  std::string in = post("Content-Length: 3\r\nExpect: 100-Continue\r\n", "");
  EXPECT_EQ(reader.feed(in), ReadState::body);
  EXPECT_TRUE(reader.expects_continue());
  EXPECT_EQ(read(post("Content-Length: 3\r\nExpect: 200-ok\r\n", "abc")).status, 417);
}

TEST(ResponseHead, IsWrittenAsRfc9112Says) {
  const Instant date = from_ms(784111777'000);
  EXPECT_EQ(format_date(date), "Sun, 06 Nov 1994 08:49:37 GMT");  // RFC 9110 5.6.7
  EXPECT_EQ(format_head({200, {{"A", "b"}}, "xyz"}, Connection::keep, "D"),
            "HTTP/1.1 200 OK\r\nDate: D\r\nA: b\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(format_head({204, {}, ""}, Connection::close, "D"),
            "HTTP/1.1 204 No Content\r\nDate: D\r\nConnection: close\r\n\r\n");
}

TEST(ResponseHead, IsNotWrittenWhenAFieldWouldSplitIt) {
  EXPECT_TRUE(is_writable({200, {{"Location", "/a"}}, ""}));
  EXPECT_FALSE(is_writable({200, {{"Location", "/a\r\nSet-Cookie: x"}}, ""}));
  EXPECT_FALSE(is_writable({200, {{"Bad Name", "a"}}, ""}));
  EXPECT_FALSE(is_writable({200, {{"content-LENGTH", "1"}}, ""}));
  EXPECT_FALSE(is_writable({100, {}, ""}));
  EXPECT_FALSE(is_writable({600, {}, ""}));
}

}  // namespace
}  // namespace isthmus::http::detail
