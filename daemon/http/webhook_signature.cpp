#include "http/webhook_signature.h"

#include <charconv>

#include "base/bytes.h"
#include "base/crypto.h"

namespace isthmus::http {
namespace {

struct Timestamp {
  std::string_view text;
  Instant instant;
};

Result<Timestamp> read_timestamp(const HmacRecipe& recipe, const Headers& headers) {
  const auto text = headers.only(recipe.timestamp_header);
  if (!text) return fail("webhook.missing-header", recipe.timestamp_header + " is missing or occurs twice");
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
  // 2^53 bounds what a JSON-minded sender can write, and keeps the conversion to microseconds from overflowing.
  const bool seconds = recipe.timestamp_unit == HmacRecipe::TimestampUnit::seconds;
  const std::int64_t number_max = seconds ? (std::int64_t{1} << 43) : (std::int64_t{1} << 53);
  if (error != std::errc{} || end != text->data() + text->size() || number < 0 || number > number_max) {
    return fail("webhook.timestamp", recipe.timestamp_header + " is not a time");
  }
  return Timestamp{*text, seconds ? from_ms(number * 1000) : from_ms(number)};
}

bool needs_timestamp(const HmacRecipe& recipe) {
  for (const SignedPiece& piece : recipe.pieces) {
    if (piece.kind == SignedPiece::Kind::timestamp) return true;
  }
  return !recipe.timestamp_header.empty();
}

Bytes signed_bytes(const HmacRecipe& recipe, const Request& request, std::string_view url, std::string_view timestamp) {
  Bytes out;
  for (const SignedPiece& piece : recipe.pieces) {
    switch (piece.kind) {
      case SignedPiece::Kind::body:
        out += request.body;
        break;
      case SignedPiece::Kind::method:
        out += request.method;
        break;
      case SignedPiece::Kind::url:
        out += url;
        break;
      case SignedPiece::Kind::timestamp:
        out += timestamp;
        break;
      case SignedPiece::Kind::literal:
        out += piece.text;
        break;
    }
  }
  return out;
}

std::string lower_hex(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'F') c = static_cast<char>(c + ('a' - 'A'));
  }
  return out;
}

}  // namespace

Result<std::size_t> verify_hmac(const HmacRecipe& recipe, std::span<const Secret> secrets, const Request& request,
                                std::string_view url, Instant now) {
  const auto sent = request.headers.only(recipe.signature_header);
  if (!sent) return fail("webhook.missing-header", recipe.signature_header + " is missing or occurs twice");
  std::string_view timestamp;
  if (needs_timestamp(recipe)) {
    const auto read = read_timestamp(recipe, request.headers);
    if (!read) return fail(read.error());
    const auto away = now > read->instant ? now - read->instant : read->instant - now;
    if (away > recipe.tolerance) return fail("webhook.stale", recipe.timestamp_header + " is outside the tolerance");
    timestamp = read->text;
  }
  if (sent->substr(0, recipe.prefix.size()) != recipe.prefix) {
    return fail("webhook.signature", recipe.signature_header + " does not begin as the recipe says");
  }
  const std::string_view encoded = sent->substr(recipe.prefix.size());
  const bool hex = recipe.encoding == HmacRecipe::Encoding::hex;
  const std::string given = hex ? lower_hex(encoded) : std::string(encoded);
  const Bytes content = signed_bytes(recipe, request, url, timestamp);

  // Encoded forms are compared: decoding what came would accept several spellings of one value.
  std::optional<std::size_t> found;
  for (std::size_t i = 0; i < secrets.size(); ++i) {
    const Bytes mac = crypto::hmac_sha256(secrets[i].reveal(), content);
    if (crypto::constant_time_equal(hex ? to_hex(mac) : to_base64(mac), given) && !found) found = i;
  }
  if (!found)
    return fail("webhook.signature", recipe.signature_header + " was not made over this body with a known secret");
  return *found;
}

}  // namespace isthmus::http
