#include "base/json.h"

#include <fmt/format.h>
#include <simdjson.h>
#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>

#include "base/check.h"

namespace isthmus {
namespace {

constexpr std::int64_t kExactMax = (std::int64_t{1} << 53) - 1;

// RFC 8785 3.2.3 sorts keys by UTF-16 code units. In UTF-8 that differs from byte order only between U+E000..U+FFFF and
// the supplementary planes (which are surrogates, 0xD800..0xDFFF, in UTF-16).
bool utf16_less(std::string_view a, std::string_view b) {
  const auto rank = [](char c) {
    const int byte = static_cast<unsigned char>(c);
    if (byte >= 0xF0) return byte - 0xF0 + 0xEE;  // supplementary planes, before U+E000..U+FFFF
    return byte >= 0xEE ? byte - 0xEE + 0xF3 : byte;
  };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return rank(x) < rank(y); });
}

Error bad(std::string code, std::string what) { return Error{std::move(code), std::move(what), {}, {}}; }

tl::expected<void, Error> write_canonical(simdjson::dom::element element, std::string& out);

tl::expected<void, Error> write_number(simdjson::dom::element element, std::string& out) {
  std::int64_t number = 0;
  if (element.get_int64().get(number) != simdjson::SUCCESS || number > kExactMax || number < -kExactMax) {
    return tl::unexpected(bad("json.number", "a number is not an integer below 2^53"));
  }
  out += std::to_string(number);
  return {};
}

tl::expected<void, Error> write_object(simdjson::dom::object object, std::string& out) {
  std::vector<std::pair<std::string_view, simdjson::dom::element>> members;
  for (const auto field : object) members.emplace_back(field.key, field.value);
  std::sort(members.begin(), members.end(), [](const auto& a, const auto& b) { return utf16_less(a.first, b.first); });
  out += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) {
      if (members[i].first == members[i - 1].first) {
        return tl::unexpected(bad("json.duplicate-key", "an object has the same key twice"));
      }
      out += ',';
    }
    append_json_string(out, members[i].first);
    out += ':';
    if (auto done = write_canonical(members[i].second, out); !done) return done;
  }
  out += '}';
  return {};
}

tl::expected<void, Error> write_canonical(simdjson::dom::element element, std::string& out) {
  switch (element.type()) {
    case simdjson::dom::element_type::OBJECT:
      return write_object(element.get_object().value_unsafe(), out);
    case simdjson::dom::element_type::ARRAY: {
      out += '[';
      bool first = true;
      const simdjson::dom::array items = element.get_array().value_unsafe();
      for (const auto item : items) {
        if (!first) out += ',';
        first = false;
        if (auto done = write_canonical(item, out); !done) return done;
      }
      out += ']';
      return {};
    }
    case simdjson::dom::element_type::STRING:
      append_json_string(out, element.get_string().value_unsafe());
      return {};
    case simdjson::dom::element_type::BOOL:
      out += element.get_bool().value_unsafe() ? "true" : "false";
      return {};
    case simdjson::dom::element_type::NULL_VALUE:
      out += "null";
      return {};
    default:
      return write_number(element, out);
  }
}

void append_escape(char c, std::string& out) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += digits[static_cast<unsigned char>(c) >> 4U];
      out += digits[static_cast<unsigned char>(c) & 15U];
  }
}

bool is_escaped(char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; }

// The first byte at or after from that JSON escapes, or the size. Sixteen bytes at a step where every processor of the
// architecture can: this is a large part of what writing a body costs.
std::size_t next_escaped(std::string_view text, std::size_t from) {
#ifdef __SSE2__
  const __m128i last_control = _mm_set1_epi8(0x1F);
  for (; from + 16 <= text.size(); from += 16) {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(text.data() + from));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(bytes, last_control), bytes);
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const auto found = static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(control, _mm_or_si128(quote, backslash))));
    if (found != 0) return from + static_cast<std::size_t>(std::countr_zero(found));
  }
#endif
  while (from < text.size() && !is_escaped(text[from])) ++from;
  return from;
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out.reserve(out.size() + text.size() + 2);
  out += '"';
  std::size_t next = 0;
  while (next < text.size()) {
    const std::size_t stop = next_escaped(text, next);
    out.append(text.data() + next, stop - next);
    if (stop < text.size()) append_escape(text[stop], out);
    next = stop + 1;
  }
  out += '"';
}

void JsonWriter::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (first_.empty()) return;
  if (!first_.back()) out_ += ',';
  first_.back() = false;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_ += '{';
  first_.push_back(true);
  return *this;
}
JsonWriter& JsonWriter::end_object() {
  ISTHMUS_CHECK(!first_.empty() && !after_key_, "an object ends where it may");
  first_.pop_back();
  out_ += '}';
  return *this;
}
JsonWriter& JsonWriter::begin_array() {
  separate();
  out_ += '[';
  first_.push_back(true);
  return *this;
}
JsonWriter& JsonWriter::end_array() {
  ISTHMUS_CHECK(!first_.empty() && !after_key_, "an array ends where it may");
  first_.pop_back();
  out_ += ']';
  return *this;
}
JsonWriter& JsonWriter::key(std::string_view name) {
  ISTHMUS_CHECK(!after_key_, "a key follows a value");
  separate();
  append_json_string(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}
JsonWriter& JsonWriter::value(std::string_view text) {
  separate();
  append_json_string(out_, text);
  return *this;
}
JsonWriter& JsonWriter::value(bool truth) { return raw(truth ? "true" : "false"); }
JsonWriter& JsonWriter::value(std::int64_t number) { return raw(std::to_string(number)); }
JsonWriter& JsonWriter::value(std::uint64_t number) { return raw(std::to_string(number)); }
JsonWriter& JsonWriter::value(double number) { return std::isfinite(number) ? raw(fmt::format("{}", number)) : null(); }
JsonWriter& JsonWriter::null() { return raw("null"); }
JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

Result<std::string> canonical_json(std::string_view json) {
  simdjson::dom::parser parser;
  simdjson::dom::element root;
  const auto error = parser.parse(json.data(), json.size()).get(root);
  if (error != simdjson::SUCCESS) return fail("json.bad", simdjson::error_message(error));
  std::string out;
  out.reserve(json.size());
  if (auto done = write_canonical(root, out); !done) return fail(std::move(done).error());
  return out;
}

}  // namespace isthmus
