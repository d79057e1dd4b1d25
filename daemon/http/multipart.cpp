#include "http/multipart.h"

#include "base/crypto.h"

namespace isthmus::http {
namespace {

/// WHATWG HTML, multipart/form-data: only these three bytes are escaped in names.
std::string escape(std::string_view name) {
  std::string out;
  for (const char c : name) {
    if (c == '"') {
      out += "%22";
    } else if (c == '\r') {
      out += "%0D";
    } else if (c == '\n') {
      out += "%0A";
    } else {
      out += c;
    }
  }
  return out;
}

std::string head(const Part& part) {
  std::string out = "Content-Disposition: form-data; name=\"" + escape(part.name) + '"';
  if (part.filename) out += "; filename=\"" + escape(*part.filename) + '"';
  out += "\r\n";
  // A type comes from data: a line break in it would begin another field.
  if (part.content_type) out += "Content-Type: " + escape(*part.content_type) + "\r\n";
  return out + "\r\n";
}

/// From a hash of all parts, so that a part holds its own boundary only if SHA-256 has a fixed point of a kind nobody
/// can build.
std::string boundary_of(const std::vector<Part>& parts) {
  Bytes hashes;
  for (const Part& part : parts) hashes += crypto::sha256(head(part)) + crypto::sha256(part.data);
  return "isthmus-" + to_hex(crypto::sha256(hashes)).substr(0, 40);
}

}  // namespace

MultipartBody encode_multipart(const std::vector<Part>& parts) {
  const std::string boundary = boundary_of(parts);
  Bytes body;
  for (const Part& part : parts) {
    body += "--" + boundary + "\r\n";
    body += head(part);
    body += part.data;
    body += "\r\n";
  }
  body += "--" + boundary + "--\r\n";
  return {"multipart/form-data; boundary=" + boundary, std::move(body)};
}

}  // namespace isthmus::http
