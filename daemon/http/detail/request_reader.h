#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "http/message.h"

namespace isthmus::http::detail {

struct RequestLimits {
  std::size_t header_bytes_max = 16 << 10;
  std::size_t body_bytes_max = 1 << 20;
};

enum class ReadState { head, body, done, refused };

/// Why a request is not read on; the connection ends with this answer.
struct Refusal {
  int status = 0;
  std::string_view code;
  std::string_view detail;
};

/// Reads requests from bytes as they come, in any pieces: no sockets, no time. One request after the other.
/// Syntax by Boost.Beast's parser; the strictness about framing (RFC 9112 section 11.2, request smuggling) is here.
/// Threads: one at a time.
class RequestReader {
 public:
  explicit RequestReader(RequestLimits limits);
  ~RequestReader();
  RequestReader(const RequestReader&) = delete;
  RequestReader& operator=(const RequestReader&) = delete;

  /// Takes from the front of `in` what belongs to the current request.
  /// @return head or body: more is needed; done: take() it; refused: see refusal(), nothing more is read.
  ReadState feed(std::string& in);

  /// The head asked for "100 Continue" before the body; known from the state body on.
  [[nodiscard]] bool expects_continue() const { return expects_continue_; }
  /// The connection may serve another request; known from the state body on.
  [[nodiscard]] bool keep_alive() const { return keep_alive_; }
  [[nodiscard]] bool is_head() const { return request_.method == "HEAD"; }
  [[nodiscard]] const Refusal& refusal() const { return refusal_; }

  /// The request, once done; the reader is then at the start of the next.
  [[nodiscard]] Request take();

 private:
  struct Parser;
  ReadState refuse(int status, std::string_view code, std::string_view detail);
  ReadState read_head(std::string& in);
  ReadState read_body(std::string& in);
  ReadState judge_head();
  ReadState judge_framing();
  ReadState take_target(std::string_view target);

  const RequestLimits limits_;
  ReadState state_ = ReadState::head;
  bool started_ = false;     // past an empty line that may come first
  std::size_t scanned_ = 0;  // bytes of `in` that hold no end of the head
  bool expects_continue_ = false;
  bool keep_alive_ = false;
  Request request_;
  Refusal refusal_;
  std::unique_ptr<Parser> parser_;  // from the whole head on
};

}  // namespace isthmus::http::detail
