#include "adapter/detail/functions.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "adapter/detail/reply_time.h"
#include "base/bytes.h"
#include "base/crypto.h"

namespace isthmus::adapter::detail {
namespace {

using expression::Function;
using expression::Outcome;
using expression::Value;
using Arguments = std::span<const Value>;

bool is_alnum(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

/// A facet starts the text or follows a blank or an opening parenthesis, as the network's own client has it
/// (bluesky-social/atproto, packages/api/src/rich-text/util.ts, read 2026-11-24).
bool starts_here(std::string_view text, std::size_t at) {
  return at == 0 || is_blank(text[at - 1]) || text[at - 1] == '(';
}

Value found(std::string_view name, std::string_view value, std::size_t start, std::size_t end) {
  return Value::object({{std::string(name), Value::text(std::string(value))},
                        {"start", Value::of(static_cast<std::int64_t>(start))},
                        {"end", Value::of(static_cast<std::int64_t>(end))}});
}

/// Cuts what ends a sentence rather than an address: . , ; : ! ? and a closing parenthesis that nothing opened.
std::size_t url_end(std::string_view text, std::size_t start) {
  std::size_t end = start;
  while (end < text.size() && !is_blank(text[end])) ++end;
  while (end > start) {
    const char last = text[end - 1];
    const std::string_view url = text.substr(start, end - start);
    const bool closes_nothing = last == ')' && url.find('(') == std::string_view::npos;
    if (std::string_view(".,;:!?\"'").find(last) == std::string_view::npos && !closes_nothing) break;
    --end;
  }
  return end;
}

Outcome links(Arguments arguments) {
  const auto text = arguments[0].as_text();
  if (!text) return Outcome::failed("links needs text");
  Value::List out;
  for (std::size_t i = 0; i < text->size(); ++i) {
    const std::string_view rest = text->substr(i);
    if (!starts_here(*text, i) || !(rest.starts_with("https://") || rest.starts_with("http://"))) continue;
    const std::size_t end = url_end(*text, i);
    if (end <= i + rest.find("://") + 3) continue;
    out.push_back(found("url", text->substr(i, end - i), i, end));
    i = end - 1;
  }
  return Value::list(std::move(out));
}

Outcome mentions(Arguments arguments) {
  const auto text = arguments[0].as_text();
  if (!text) return Outcome::failed("mentions needs text");
  Value::List out;
  for (std::size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] != '@' || !starts_here(*text, i)) continue;
    std::size_t end = i + 1;
    while (end < text->size() && (is_alnum((*text)[end]) || (*text)[end] == '.' || (*text)[end] == '-')) ++end;
    while (end > i + 1 && !is_alnum((*text)[end - 1])) --end;
    const std::string_view handle = text->substr(i + 1, end - i - 1);
    if (handle.find('.') == std::string_view::npos) continue;  // a handle is a domain name
    out.push_back(found("handle", handle, i, end));
    i = end - 1;
  }
  return Value::list(std::move(out));
}

Outcome hashtags(Arguments arguments) {
  const auto text = arguments[0].as_text();
  if (!text) return Outcome::failed("hashtags needs text");
  Value::List out;
  for (std::size_t i = 0; i < text->size(); ++i) {
    if ((*text)[i] != '#' || !starts_here(*text, i)) continue;
    std::size_t end = i + 1;
    while (end < text->size() && !is_blank((*text)[end]) && (*text)[end] != '#') ++end;
    while (end > i + 1 && std::string_view(".,;:!?)\"'").find((*text)[end - 1]) != std::string_view::npos) --end;
    const std::string_view tag = text->substr(i + 1, end - i - 1);
    const bool only_digits = std::all_of(tag.begin(), tag.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (tag.empty() || only_digits || tag.size() > 640) continue;
    out.push_back(found("tag", tag, i, end));
    i = end - 1;
  }
  return Value::list(std::move(out));
}

/// @name@host.example as @name: the length that Mastodon counts of a mention
/// (mastodon/mastodon, app/validators/status_length_validator.rb, read 2026-11-24).
Outcome local_mentions(Arguments arguments) {
  const auto text = arguments[0].as_text();
  if (!text) return Outcome::failed("local_mentions needs text");
  const auto is_name = [](char c) { return is_alnum(c) || c == '_'; };
  std::string out;
  std::size_t i = 0;
  while (i < text->size()) {
    const bool starts = (*text)[i] == '@' && (i == 0 || !(is_name((*text)[i - 1]) || (*text)[i - 1] == '/'));
    out += (*text)[i++];
    if (!starts) continue;
    const std::size_t name = i;
    while (i < text->size() && is_name((*text)[i])) out += (*text)[i++];
    if (i == name || i + 1 >= text->size() || (*text)[i] != '@' || !is_alnum((*text)[i + 1])) continue;
    std::size_t end = i + 1;
    while (end < text->size() && (is_name((*text)[end]) || (*text)[end] == '.' || (*text)[end] == '-')) ++end;
    while (!is_alnum((*text)[end - 1])) --end;
    i = end;
  }
  return Value::text(std::move(out));
}

/// atproto.com/specs/tid (read 2026-11-24): 64 bits, the top one zero, 53 of microseconds, 10 of a clock id, in
/// base32-sortable. The seed's hash fills the microseconds below the millisecond and the clock id, so that two commands
/// of one instant differ.
Outcome tid(Arguments arguments) {
  const auto ms = instant_ms(arguments[0]);
  if (!ms || *ms < 0 || *ms > 9'000'000'000'000) return Outcome::failed("tid needs an instant");
  const Bytes hash = crypto::sha256(arguments[1].to_text());
  const auto byte = [&](std::size_t i) { return static_cast<std::uint64_t>(static_cast<unsigned char>(hash[i])); };
  const std::uint64_t below = (byte(0) * 256 + byte(1)) % 1000;
  const std::uint64_t clock = (byte(2) * 256 + byte(3)) % 1024;
  std::uint64_t bits = ((static_cast<std::uint64_t>(*ms) * 1000 + below) << 10) | clock;
  std::string out(13, '2');
  for (std::size_t i = 13; i-- > 0;) {
    out[i] = "234567abcdefghijklmnopqrstuvwxyz"[bits & 31];
    bits >>= 5;
  }
  return Value::text(std::move(out));
}

Outcome jwt_expires(Arguments arguments) {
  const auto token = arguments[0].as_text();
  if (!token) return Outcome::failed("jwt_expires needs text");
  const std::size_t first = token->find('.');
  const std::size_t second = first == std::string_view::npos ? first : token->find('.', first + 1);
  if (second == std::string_view::npos) return Value();
  const Result<Bytes> claims = from_base64url(token->substr(first + 1, second - first - 1));
  if (!claims) return Value();
  const Result<expression::Document> document = expression::Document::parse(*claims);
  if (!document) return Value();
  const auto seconds = document->root().get("exp").as_integer();
  if (!seconds || *seconds < 0 || *seconds > 100'000'000'000) return Value();
  return Value::of(*seconds * 1000);
}

Outcome instant(Arguments arguments) {
  if (const auto ms = instant_ms(arguments[0])) return Value::of(*ms);
  if (const auto text = arguments[0].as_text()) {
    if (const auto ms = http_date_ms(*text)) return Value::of(*ms);
  }
  return Outcome::failed("instant_ms needs RFC 3339 or an HTTP date");
}

}  // namespace

expression::Library adapter_library() {
  expression::Library library = expression::standard_library();
  library.add({"links", 1, 1, links});
  library.add({"mentions", 1, 1, mentions});
  library.add({"hashtags", 1, 1, hashtags});
  library.add({"local_mentions", 1, 1, local_mentions});
  library.add({"tid", 2, 2, tid});
  library.add({"jwt_expires", 1, 1, jwt_expires});
  library.add({"instant_ms", 1, 1, instant});
  return library;
}

}  // namespace isthmus::adapter::detail
