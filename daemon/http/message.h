#pragma once

#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"

namespace isthmus::http {

struct Header {
  std::string name;
  std::string value;
};

/// True when both are the same but for the case of ASCII letters, as field names are compared (RFC 9110 5.1).
[[nodiscard]] bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Fields in their order, found without regard to case. A name may occur more than once.
class Headers {
 public:
  Headers() = default;
  Headers(std::initializer_list<Header> fields) : fields_(fields) {}

  void add(std::string name, std::string value) { fields_.push_back({std::move(name), std::move(value)}); }
  /// Replaces every field of this name by one.
  void set(std::string name, std::string value);
  void remove(std::string_view name);

  /// The first of this name; valid until the list changes.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const;
  /// The only one of this name: empty when there is none, or more than one (whoever verifies must not choose).
  [[nodiscard]] std::optional<std::string_view> only(std::string_view name) const;
  [[nodiscard]] std::size_t count(std::string_view name) const;

  [[nodiscard]] auto begin() const { return fields_.begin(); }
  [[nodiscard]] auto end() const { return fields_.end(); }
  [[nodiscard]] std::size_t size() const { return fields_.size(); }
  [[nodiscard]] bool empty() const { return fields_.empty(); }

 private:
  std::vector<Header> fields_;
};

/// What a server received, whole. The body is the raw bytes (chunked coding undone, content coding untouched).
struct Request {
  std::string method;  ///< GET, HEAD, POST, PUT, PATCH, DELETE or OPTIONS
  std::string path;    ///< as it came, percent-encoded, begins with '/' ("*" for OPTIONS *)
  std::string query;   ///< as it came, without '?'
  Headers headers;     ///< trailers are not among them
  Bytes body;
  std::string peer;  ///< "192.0.2.1", "2001:db8::1", or "unix"
};

struct Response {
  int status = 200;  ///< 200 to 599
  Headers headers;   ///< without Content-Length, Transfer-Encoding, Connection and Date, which the server writes
  Bytes body;
};

/// The registered reason phrase, or "" for a status without one.
[[nodiscard]] std::string_view reason_phrase(int status);

[[nodiscard]] Response text_response(int status, std::string text);  ///< text/plain; charset=utf-8
[[nodiscard]] Response json_response(int status, std::string json);  ///< application/json

/// RFC 9457 problem details, application/problem+json. The type is "urn:isthmus:problem:" + code; the title is the
/// reason phrase. Bytes of the detail that are not UTF-8 are replaced, since it may quote what came from outside.
[[nodiscard]] Response problem(int status, std::string_view code, std::string_view detail);
/// The same from an Error: code, what and, when there is one, hint.
[[nodiscard]] Response problem(int status, const Error& error);

/// %XX undone. Error http.percent when an escape is cut or not hexadecimal; '+' stays '+'.
[[nodiscard]] Result<std::string> percent_decode(std::string_view text);
/// Everything but the unreserved characters of RFC 3986 2.3 as %XX, upper case.
[[nodiscard]] std::string percent_encode(std::string_view text);

/// The decoded segments of "/a/b%2Fc" ("a", "b/c"). "/" has none; a trailing '/' gives a last, empty one.
/// Errors: http.percent; http.path when a segment is "." or ".." or holds a NUL.
[[nodiscard]] Result<std::vector<std::string>> path_segments(std::string_view path);

/// The pairs of a query or of a form body (WHATWG urlencoded: '+' is a space). Error http.percent; http.query for a
/// repeated name, or for more than 1,000 pairs.
[[nodiscard]] Result<std::map<std::string, std::string>> parse_query(std::string_view query);
/// name=value&..., encoded with percent_encode, in the given order.
[[nodiscard]] std::string format_query(const std::vector<std::pair<std::string, std::string>>& pairs);

/// True for a token of RFC 9110 5.6.2 (a field name, a method).
[[nodiscard]] bool is_token(std::string_view text);
/// True when the text can be a field's value: no control character but tab, so no CR, LF or NUL.
[[nodiscard]] bool is_field_value(std::string_view text);

}  // namespace isthmus::http
