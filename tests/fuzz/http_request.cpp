// What reads requests from the public door. The first byte says into which pieces the rest is cut: however the bytes
// come, the same requests are read. The requests' parts also make multipart bodies, whose
// boundary must be in none of them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "http/detail/request_reader.h"
#include "http/message.h"
#include "http/multipart.h"

namespace {

using namespace isthmus::http;
using detail::ReadState;

constexpr std::size_t kHeadMax = 512;
constexpr std::size_t kBodyMax = 1024;

std::vector<Request> read(std::string_view bytes, std::size_t piece) {
  std::vector<Request> told;
  detail::RequestReader reader({kHeadMax, kBodyMax});
  std::string in;
  while (true) {
    ReadState state = reader.feed(in);
    while (state == ReadState::done) {
      told.push_back(reader.take());
      state = reader.feed(in);
    }
    if (state == ReadState::refused) {
      ISTHMUS_CHECK(reader.refusal().status >= 400 && !reader.refusal().detail.empty(), "a refusal says why");
      return told;
    }
    if (bytes.empty()) return told;
    in += bytes.substr(0, piece);
    bytes.remove_prefix(std::min(piece, bytes.size()));
  }
}

void check_request(const Request& request) {
  ISTHMUS_CHECK(is_token(request.method), "a method is a token");
  ISTHMUS_CHECK(!request.path.empty() && (request.path.front() == '/' || request.path == "*"), "a path is a path");
  ISTHMUS_CHECK(request.body.size() <= kBodyMax, "a body keeps to its limit");
  ISTHMUS_CHECK(request.headers.count("content-length") + request.headers.count("transfer-encoding") <= 1,
                "nobody can read the length in two ways");
  ISTHMUS_CHECK(request.headers.count("host") <= 1, "nobody can read the host in two ways");
  for (const Header& header : request.headers)
    ISTHMUS_CHECK(is_token(header.name) && is_field_value(header.value), "a field is one line");
  if (const auto segments = path_segments(request.path)) {
    for (const std::string& segment : *segments)
      ISTHMUS_CHECK(segment != ".." && segment.find('\0') == std::string::npos, "a segment leads nowhere else");
  }
  (void)parse_query(request.query);
}

void check_multipart(const Request& request) {
  std::vector<Part> parts{{"body", request.path, "text/plain", request.body}};
  for (const Header& header : request.headers) parts.push_back({header.name, header.value, header.value, header.value});
  const MultipartBody made = encode_multipart(parts);
  const std::string boundary = "--" + made.content_type.substr(made.content_type.find('=') + 1);
  std::size_t found = 0;
  for (std::size_t at = 0; (at = made.body.find(boundary, at)) != std::string::npos; at += boundary.size()) ++found;
  ISTHMUS_CHECK(found == parts.size() + 1, "the boundary stands before each part and at the end, and nowhere else");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const std::vector<Request> whole = read(bytes, bytes.size() + 1);
  const std::vector<Request> pieces = read(bytes, 1U + data[0] % 64U);
  // What is refused may be found out sooner or by another rule; what is read must not differ.
  ISTHMUS_CHECK(whole.size() == pieces.size(), "as many requests");
  for (std::size_t i = 0; i < whole.size(); ++i) {
    const Request& a = whole[i];
    const Request& b = pieces[i];
    ISTHMUS_CHECK(a.method == b.method && a.path == b.path && a.query == b.query && a.body == b.body, "the same ones");
    check_request(a);
    check_multipart(a);
  }
  return 0;
}
