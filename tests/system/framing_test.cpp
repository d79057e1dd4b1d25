// The public door at its first bytes: requests that two readers could take differently, and floods. None is handed to
// intake, each is answered or cut off, and good webhooks beside it are taken.

#include <gtest/gtest.h>

#include "support/eventually.h"
#include "system/forms.h"

namespace isthmus::test {
namespace {

struct Shape {
  std::string what;
  std::string bytes;
  int status;
};

constexpr const char* kPost = "POST /in/forms HTTP/1.1\r\nHost: h\r\n";
constexpr const char* kHidden = "GET /in/hidden HTTP/1.1\r\nHost: h\r\n\r\n";

std::vector<Shape> smuggling() {
  const std::string post = kPost;
  const std::string hidden = kHidden;
  return {
      {"CL.TE", post + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden, 400},
      {"TE.CL", post + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden, 400},
      {"two lengths", post + "Content-Length: 0\r\nContent-Length: 44\r\n\r\n" + hidden, 400},
      {"a list of lengths", post + "Content-Length: 0, 44\r\n\r\n" + hidden, 400},
      {"a signed length", post + "Content-Length: +0\r\n\r\n" + hidden, 400},
      {"a length in hexadecimal", post + "Content-Length: 0x0\r\n\r\n" + hidden, 400},
      {"two codings", post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n" + hidden,
       400},
      {"a coding of another name", post + "Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n" + hidden, 501},
      {"chunked behind another coding", post + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" + hidden, 501},
      {"a space before the colon", post + "Content-Length : 0\r\n\r\n" + hidden, 400},
      {"a tab before the coding", post + "Transfer-Encoding:\tchunked\r\nContent-Length: 0\r\n\r\n" + hidden, 400},
      {"a folded line", post + "X: a\r\n Content-Length: 44\r\n\r\n" + hidden, 400},
      {"a bare LF", "POST /in/forms HTTP/1.1\nHost: h\r\nContent-Length: 0\r\n\r\n" + hidden, 400},
      {"a bare CR", post + "X: a\rContent-Length: 44\r\n\r\n" + hidden, 400},
      {"a NUL in a field", post + std::string("X: a\0b\r\n\r\n", 10) + hidden, 400},
      {"no host", "POST /in/forms HTTP/1.1\r\nContent-Length: 0\r\n\r\n" + hidden, 400},
      {"two hosts", post + "Host: other\r\nContent-Length: 0\r\n\r\n" + hidden, 400},
      {"a chunk of no size", post + "Transfer-Encoding: chunked\r\n\r\n;x\r\n\r\n" + hidden, 400},
      {"a chunk that would overflow", post + "Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n" + hidden, 400},
      {"another version", "POST /in/forms HTTP/2.0\r\nHost: h\r\n\r\n", 505},
      {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
      {"a method of the proxy", "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: h\r\n\r\n", 501},
      {"a TLS greeting", std::string("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11) + "\r\n\r\n", 400},
  };
}

TEST(Framing, OfSmugglingShapesIsRefusedAndTheRestOfTheConnectionIsNotRead) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  for (const Shape& shape : smuggling()) {
    SCOPED_TRACE(shape.what);
    Socket socket(company.bridge.public_port());
    socket.send(shape.bytes);
    EXPECT_EQ(socket.receive().status, shape.status);
    EXPECT_TRUE(socket.closes()) << "what came behind was answered too";
  }
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
  EXPECT_EQ(company.bridge.books()["calls.inbox"], 1);
}

// A chunked body that ends byte by byte: the reader must wait for all of it, and answer.
TEST(Framing, OfALastChunkInPiecesIsReadWhole) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  Socket socket(company.bridge.public_port());
  for (const std::string_view piece : {std::string_view(kPost), std::string_view("Transfer-Encoding: chunked\r\n\r\n"),
                                       std::string_view("0\r\n"), std::string_view("\r"), std::string_view("\n")}) {
    socket.send(piece);
    EXPECT_EQ(company.bridge.probe("/healthz"), 200);  // a round trip, so that the piece is read alone
  }
  EXPECT_EQ(socket.receive().status, 401);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
}

TEST(Framing, OfEndlessFieldsEndsAtTheLimit) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  for (const std::string& flood : {"X: " + std::string(1 << 20, 'a') + "\r\n", [] {
                                     std::string many;
                                     for (int i = 0; i < 20'000; ++i) many += "X" + std::to_string(i) + ": y\r\n";
                                     return many;
                                   }()}) {
    Socket socket(company.bridge.public_port());
    socket.send(kPost + flood + "\r\n");
    EXPECT_EQ(socket.receive().status, 431);
  }
  Socket target(company.bridge.public_port());
  target.send("POST /in/" + std::string(1 << 20, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_EQ(target.receive().status, 431);
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("after"));
}

TEST(Framing, OfHundredsOfHalfSentRequestsDoesNotKeepAGoodOneOut) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  std::vector<Socket> half;
  for (int i = 0; i < 500; ++i) {
    half.emplace_back(company.bridge.public_port());
    half.back().send(std::string(kPost) + "Content-Length: 1000\r\nX: ");
  }
  ASSERT_NO_FATAL_FAILURE(company.expect_flow("beside"));
  company.expect_settled();
}

TEST(Framing, OfOddAddressesIsAnsweredAndNothingIsFound) {
  FormsCompany company;
  ASSERT_NO_FATAL_FAILURE(company.open());
  for (const std::string target : {"/in/../in/forms", "/in/%2e%2e/forms", "/in/forms%00", "/in/forms/", "//in/forms",
                                   "/in/%zz", "/in/FORMS", "/control/v1/status", "/api/v1/posts", "/metrics"}) {
    SCOPED_TRACE(target);
    Hook hook = Hook::lead("odd");
    hook.target = target;
    EXPECT_EQ(send(company.bridge.public_port(), hook).status, 404);
  }
  EXPECT_EQ(company.bridge.books()["calls.inbox"], 0);
}

}  // namespace
}  // namespace isthmus::test
