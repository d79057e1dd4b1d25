#include "http/message.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "base/json.h"

namespace isthmus::http {
namespace {

constexpr std::size_t kQueryPairsMax = 1'000;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

bool is_alnum(char c) { return (c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z'); }

/// What is not UTF-8 as '?': a detail may quote a path or a header.
std::string printable(std::string_view text) {
  std::string out(text);
  if (is_utf8(out)) return out;
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x80; }, '?');
  return out;
}

}  // namespace

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [name](const Header& field) { return equal_ignoring_case(field.name, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  for (const Header& field : fields_) {
    if (equal_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::optional<std::string_view> Headers::only(std::string_view name) const {
  return count(name) == 1 ? find(name) : std::nullopt;
}

std::size_t Headers::count(std::string_view name) const {
  return static_cast<std::size_t>(
      std::count_if(begin(), end(), [name](const Header& field) { return equal_ignoring_case(field.name, name); }));
}

std::string_view reason_phrase(int status) {
  struct Phrase {
    int status;
    std::string_view text;
  };
  // IANA HTTP status code registry, those that we or our peers use.
  static constexpr std::array kPhrases{Phrase{200, "OK"},
                                       Phrase{201, "Created"},
                                       Phrase{202, "Accepted"},
                                       Phrase{204, "No Content"},
                                       Phrase{206, "Partial Content"},
                                       Phrase{301, "Moved Permanently"},
                                       Phrase{302, "Found"},
                                       Phrase{303, "See Other"},
                                       Phrase{304, "Not Modified"},
                                       Phrase{307, "Temporary Redirect"},
                                       Phrase{308, "Permanent Redirect"},
                                       Phrase{400, "Bad Request"},
                                       Phrase{401, "Unauthorized"},
                                       Phrase{403, "Forbidden"},
                                       Phrase{404, "Not Found"},
                                       Phrase{405, "Method Not Allowed"},
                                       Phrase{406, "Not Acceptable"},
                                       Phrase{408, "Request Timeout"},
                                       Phrase{409, "Conflict"},
                                       Phrase{410, "Gone"},
                                       Phrase{411, "Length Required"},
                                       Phrase{412, "Precondition Failed"},
                                       Phrase{413, "Content Too Large"},
                                       Phrase{415, "Unsupported Media Type"},
                                       Phrase{417, "Expectation Failed"},
                                       Phrase{421, "Misdirected Request"},
                                       Phrase{422, "Unprocessable Content"},
                                       Phrase{428, "Precondition Required"},
                                       Phrase{429, "Too Many Requests"},
                                       Phrase{431, "Request Header Fields Too Large"},
                                       Phrase{500, "Internal Server Error"},
                                       Phrase{501, "Not Implemented"},
                                       Phrase{502, "Bad Gateway"},
                                       Phrase{503, "Service Unavailable"},
                                       Phrase{504, "Gateway Timeout"},
                                       Phrase{505, "HTTP Version Not Supported"}};
  const auto* found =
      std::find_if(kPhrases.begin(), kPhrases.end(), [status](const Phrase& p) { return p.status == status; });
  return found == kPhrases.end() ? std::string_view{} : found->text;
}

Response text_response(int status, std::string text) {
  return {status, {{"Content-Type", "text/plain; charset=utf-8"}}, std::move(text)};
}

Response json_response(int status, std::string json) {
  return {status, {{"Content-Type", "application/json"}}, std::move(json)};
}

Response problem(int status, std::string_view code, std::string_view detail) {
  JsonWriter json;
  json.begin_object()
      .member("type", "urn:isthmus:problem:" + printable(code))
      .member("title", reason_phrase(status))
      .member("status", status)
      .member("detail", printable(detail))
      .member("code", printable(code))
      .end_object();
  return {status, {{"Content-Type", "application/problem+json"}}, std::move(json).text()};
}

Response problem(int status, const Error& error) {
  return problem(status, error.code, error.hint.empty() ? error.what : error.what + " (" + error.hint + ")");
}

Result<std::string> percent_decode(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 1 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return fail("http.percent", "a % that is not followed by two hexadecimal digits");
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    if (is_alnum(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

Result<std::vector<std::string>> path_segments(std::string_view path) {
  if (path.empty() || path.front() != '/') return fail("http.path", "a path that does not begin with '/'");
  std::vector<std::string> segments;
  if (path.size() == 1) return segments;
  std::string_view rest = path.substr(1);
  while (true) {
    const std::size_t slash = rest.find('/');
    auto segment = percent_decode(rest.substr(0, slash));
    if (!segment) return fail(std::move(segment).error());
    if (*segment == "." || *segment == ".." || segment->find('\0') != std::string::npos) {
      return fail("http.path", "a path with a segment that climbs or holds a NUL");
    }
    segments.push_back(std::move(*segment));
    if (slash == std::string_view::npos) return segments;
    rest.remove_prefix(slash + 1);
  }
}

Result<std::map<std::string, std::string>> parse_query(std::string_view query) {
  std::map<std::string, std::string> pairs;
  const auto decode = [](std::string_view text) {
    std::string spaced(text);
    std::replace(spaced.begin(), spaced.end(), '+', ' ');
    return percent_decode(spaced);
  };
  while (!query.empty()) {
    const std::size_t end = query.find('&');
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (pair.empty()) continue;
    const std::size_t equals = pair.find('=');
    auto name = decode(pair.substr(0, equals));
    if (!name) return fail(std::move(name).error());
    auto value = decode(equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1));
    if (!value) return fail(std::move(value).error());
    if (!pairs.emplace(std::move(*name), std::move(*value)).second) {
      return fail("http.query", "a parameter that occurs twice");
    }
    if (pairs.size() > kQueryPairsMax) return fail("http.query", "more than 1000 parameters");
  }
  return pairs;
}

std::string format_query(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs) {
    if (!out.empty()) out += '&';
    out += percent_encode(name) + '=' + percent_encode(value);
  }
  return out;
}

bool is_token(std::string_view text) {
  static constexpr std::string_view kOthers = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::all_of(text.begin(), text.end(),
                                      [](char c) { return is_alnum(c) || kOthers.find(c) != std::string_view::npos; });
}

bool is_field_value(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t') || byte == 0x7f;
  });
}

}  // namespace isthmus::http
