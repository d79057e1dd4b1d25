#include "json.h"

#include <algorithm>

#include "encoding.h"

namespace verify {
namespace {

/// Order of RFC 8785 section 3.2.3: by UTF-16 code units. In UTF-8 that differs from the order of bytes only in that
/// the supplementary planes (first byte F0 to F4) come before U+E000 to U+FFFF (first byte EE, EF).
bool before(std::string_view a, std::string_view b) {
  const auto unlike = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (unlike.first == a.end() || unlike.second == b.end()) return a.size() < b.size();
  const auto x = static_cast<unsigned char>(*unlike.first);
  const auto y = static_cast<unsigned char>(*unlike.second);
  const bool x_high = x >= 0xF0;
  const bool y_high = y >= 0xF0;
  if (x_high && (y == 0xEE || y == 0xEF)) return true;
  if (y_high && (x == 0xEE || x == 0xEF)) return false;
  return x < y;
}

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool whole(Json& out) { return value(out, 0) && at_ == text_.size(); }

 private:
  bool value(Json& out, int depth) {
    const std::size_t begin = at_;
    if (at_ == text_.size() || !any(out, depth)) return false;
    out.raw = text_.substr(begin, at_ - begin);
    return true;
  }

  bool any(Json& out, int depth) {
    switch (text_[at_]) {
      case '{':
        return depth < kJsonDepthMax && object(out, depth + 1);
      case '[':
        return depth < kJsonDepthMax && array(out, depth + 1);
      case '"':
        out.type = Json::Type::string;
        return string(out.text);
      case 't':
        out.type = Json::Type::boolean;
        out.number = 1;
        return word("true");
      case 'f':
        out.type = Json::Type::boolean;
        return word("false");
      case 'n':
        return word("null");
      default:
        return number(out);
    }
  }

  bool object(Json& out, int depth) {
    out.type = Json::Type::object;
    ++at_;
    if (take('}')) return true;
    do {
      auto& member = out.members.emplace_back();
      if (!string(member.name) || !take(':') || !value(member.value, depth)) return false;
      const std::size_t count = out.members.size();
      if (count > 1 && !before(out.members[count - 2].name, member.name)) return false;
    } while (take(','));
    return take('}');
  }

  bool array(Json& out, int depth) {
    out.type = Json::Type::array;
    ++at_;
    if (take(']')) return true;
    do {
      if (!value(out.items.emplace_back(), depth)) return false;
    } while (take(','));
    return take(']');
  }

  bool string(std::string& out) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      const char c = text_[at_++];
      if (c == '"') return is_utf8(out);
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        out += c;
      } else if (!escape(out)) {
        return false;
      }
    }
    return false;
  }

  /// Only the escapes that RFC 8785 section 3.2.2.2 writes.
  bool escape(std::string& out) {
    constexpr std::string_view kLetters = "\"\\bfnrt";
    constexpr std::string_view kMeanings = "\"\\\b\f\n\r\t";
    if (at_ == text_.size()) return false;
    const char c = text_[at_++];
    if (const std::size_t found = kLetters.find(c); found != std::string_view::npos) {
      out += kMeanings[found];
      return true;
    }
    if (c != 'u' || text_.size() - at_ < 4 || text_.substr(at_, 2) != "00") return false;
    const auto byte = from_hex(text_.substr(at_ + 2, 2));
    at_ += 4;
    if (!byte || static_cast<unsigned char>(byte->front()) >= 0x20 ||
        kMeanings.find(byte->front()) != std::string_view::npos) {
      return false;
    }
    out += *byte;
    return true;
  }

  bool number(Json& out) {
    out.type = Json::Type::number;
    const bool negative = take('-');
    const std::size_t begin = at_;
    while (at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    const auto digits = to_number(text_.substr(begin, at_ - begin));
    constexpr std::uint64_t kMax = (std::uint64_t{1} << 53U) - 1;
    if (!digits || *digits > kMax || (negative && *digits == 0)) return false;
    out.number = negative ? -static_cast<std::int64_t>(*digits) : static_cast<std::int64_t>(*digits);
    return true;
  }

  bool word(std::string_view expected) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    return true;
  }

  bool take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

const Json* Json::find(std::string_view name) const {
  for (const JsonMember& member : members) {
    if (member.name == name) return &member.value;
  }
  return nullptr;
}

std::optional<Json> read_json(std::string_view text) {
  Json out;
  if (!Reader(text).whole(out)) return std::nullopt;
  return out;
}

}  // namespace verify
