#include "http/detail/request_reader.h"

#include <algorithm>
#include <array>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

namespace isthmus::http::detail {
namespace {

namespace beast = boost::beast;
using beast_error = beast::http::error;

constexpr std::string_view kHeadEnd = "\r\n\r\n";
constexpr std::string_view kLastChunk = "0\r\n\r\n";
constexpr std::array<std::string_view, 7> kMethods{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

/// What Beast lets pass, or repairs: lines that end without CR or hold one, folded lines, other control characters.
bool has_strict_lines(std::string_view head) {
  for (std::size_t i = 0; i < head.size(); ++i) {
    const char c = head[i];
    if (c == '\r') {
      if (i + 1 >= head.size() || head[i + 1] != '\n') return false;
    } else if (c == '\n') {
      if (i == 0 || head[i - 1] != '\r') return false;
      if (i + 1 < head.size() && (head[i + 1] == ' ' || head[i + 1] == '\t')) return false;
    } else if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) {
      return false;
    }
  }
  return true;
}

bool is_decimal(std::string_view text) {
  return !text.empty() && text.size() <= 18 &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

}  // namespace

struct RequestReader::Parser : beast::http::request_parser<beast::http::string_body> {};

RequestReader::RequestReader(RequestLimits limits) : limits_(limits) {}
RequestReader::~RequestReader() = default;

ReadState RequestReader::refuse(int status, std::string_view code, std::string_view detail) {
  refusal_ = {status, code, detail};
  keep_alive_ = false;
  parser_.reset();
  return state_ = ReadState::refused;
}

ReadState RequestReader::feed(std::string& in) {
  if (state_ == ReadState::head) state_ = read_head(in);
  if (state_ == ReadState::body) state_ = read_body(in);
  return state_;
}

Request RequestReader::take() {
  request_.body = std::move(parser_->get().body());
  Request out = std::move(request_);
  request_ = {};
  parser_.reset();
  scanned_ = 0;
  started_ = false;
  state_ = ReadState::head;
  return out;
}

ReadState RequestReader::read_head(std::string& in) {
  // RFC 9112 2.2: an empty line before the request line is to be ignored; one, no more.
  if (!started_) {
    if (in.empty() || in == "\r") return ReadState::head;
    if (in[0] == '\r' && in[1] == '\n') in.erase(0, 2);
    started_ = true;
  }
  const std::size_t end = in.find(kHeadEnd, scanned_ < kHeadEnd.size() ? 0 : scanned_ - kHeadEnd.size());
  const std::size_t head_bytes = end == std::string::npos ? in.size() : end + kHeadEnd.size();
  if (head_bytes > limits_.header_bytes_max)
    return refuse(431, "http.head-too-large", "the request line and fields are too large");
  if (end == std::string::npos) {
    scanned_ = in.size();
    return ReadState::head;
  }
  if (!has_strict_lines(std::string_view(in).substr(0, head_bytes))) {
    return refuse(400, "http.head", "a folded line, a bare CR or LF, or a control character in the head");
  }
  parser_ = std::make_unique<Parser>();
  parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
  parser_->body_limit(limits_.body_bytes_max);
  beast::error_code error;
  const std::size_t used = parser_->put(boost::asio::buffer(in.data(), head_bytes), error);
  if (error == beast_error::body_limit) return refuse(413, "http.body-too-large", "the body is too large");
  if (error == beast_error::bad_version)
    return refuse(505, "http.version", "only HTTP/1.0 and HTTP/1.1 are spoken here");
  if (error == beast_error::bad_method) return refuse(400, "http.method", "the method is not a token");
  if ((error && error != beast_error::need_more) || !parser_->is_header_done()) {
    return refuse(400, "http.head", "the head is not well-formed");
  }
  in.erase(0, used);
  return judge_head();
}

ReadState RequestReader::judge_head() {
  const auto& message = parser_->get();
  request_.method = std::string(view(message.method_string()));
  if (std::find(kMethods.begin(), kMethods.end(), request_.method) == kMethods.end()) {
    return refuse(501, "http.method", "the method is not known here");
  }
  // Copied now: fields that follow a chunked body are not among them.
  for (const auto& field : message)
    request_.headers.add(std::string(view(field.name_string())), std::string(view(field.value())));
  const std::size_t hosts = request_.headers.count("host");
  if (hosts > 1 || (hosts == 0 && message.version() == 11))
    return refuse(400, "http.host", "exactly one Host is needed");
  if (const ReadState target = take_target(view(message.target())); target == ReadState::refused) return target;
  if (const ReadState framing = judge_framing(); framing == ReadState::refused) return framing;
  if (const auto expect = request_.headers.find("expect"); expect && message.version() == 11) {
    if (!equal_ignoring_case(*expect, "100-continue"))
      return refuse(417, "http.expect", "only 100-continue can be expected");
    expects_continue_ = true;
  } else {
    expects_continue_ = false;
  }
  keep_alive_ = message.keep_alive();
  parser_->eager(true);
  return ReadState::body;
}

/// RFC 9112 6.1 and 6.3, without the leniency that they permit.
ReadState RequestReader::judge_framing() {
  const std::size_t lengths = request_.headers.count("content-length");
  const std::size_t codings = request_.headers.count("transfer-encoding");
  if (lengths + codings > 1) return refuse(400, "http.framing", "Content-Length or Transfer-Encoding twice, or both");
  if (lengths == 1 && !is_decimal(*request_.headers.find("content-length"))) {
    return refuse(400, "http.framing", "Content-Length is not a number");
  }
  if (codings == 1) {
    if (parser_->get().version() != 11) return refuse(400, "http.framing", "Transfer-Encoding belongs to HTTP/1.1");
    if (!equal_ignoring_case(*request_.headers.find("transfer-encoding"), "chunked")) {
      return refuse(501, "http.coding", "chunked is the one transfer coding spoken here");
    }
  }
  return ReadState::body;
}

/// RFC 9112 3.2: origin-form; absolute-form, whose authority is the proxy's concern; "*" for OPTIONS.
ReadState RequestReader::take_target(std::string_view target) {
  constexpr std::array<std::string_view, 2> kSchemes{"http://", "https://"};
  const bool visible =
      std::all_of(target.begin(), target.end(), [](char c) { return c > 0x20 && c < 0x7f && c != '#'; });
  for (const std::string_view scheme : kSchemes) {
    if (!equal_ignoring_case(target.substr(0, scheme.size()), scheme)) continue;
    target.remove_prefix(scheme.size());
    const std::size_t path = target.find_first_of("/?");
    if (path == 0) return refuse(400, "http.target", "the request target has no host");
    target.remove_prefix(std::min(path, target.size()));
    if (target.empty() || target.front() == '?') {
      request_.path = "/";
      request_.query = std::string(target.substr(target.empty() ? 0 : 1));
      return visible ? ReadState::body : refuse(400, "http.target", "the request target holds what no URL may");
    }
    break;
  }
  const bool asterisk = target == "*" && request_.method == "OPTIONS";
  if (!visible || target.empty() || (target.front() != '/' && !asterisk)) {
    return refuse(400, "http.target", "the request target is not a path");
  }
  const std::size_t mark = target.find('?');
  request_.path = std::string(target.substr(0, mark));
  if (mark != std::string_view::npos) request_.query = std::string(target.substr(mark + 1));
  return ReadState::body;
}

ReadState RequestReader::read_body(std::string& in) {
  // Beast 1.74 aborts when it sees the last chunk twice before "0 CR LF CR LF" is there whole. No chunked body ends
  // with fewer bytes than these after anything that was taken, so fewer are kept until more came.
  const std::size_t least = parser_->chunked() ? kLastChunk.size() : 1;
  std::size_t used = 0;
  while (!parser_->is_done() && in.size() - used >= least) {
    beast::error_code error;
    // No more than a head may have at a time: a chunk header or trailer over it is refused however its bytes come.
    const std::size_t slice = std::min(in.size() - used, limits_.header_bytes_max);
    const std::size_t taken = parser_->put(boost::asio::buffer(in.data() + used, slice), error);
    used += taken;
    if (error == beast_error::body_limit) return refuse(413, "http.body-too-large", "the body is too large");
    if (error && error != beast_error::need_more)
      return refuse(400, "http.chunk", "the chunked body is not well-formed");
    if (taken == 0) break;
  }
  in.erase(0, used);
  if (parser_->is_done()) return ReadState::done;
  // The rest is an incomplete chunk header or trailer: as long as a head may be, no longer.
  if (in.size() > limits_.header_bytes_max) return refuse(400, "http.chunk", "a chunk header or trailer is too large");
  return ReadState::body;
}

}  // namespace isthmus::http::detail
