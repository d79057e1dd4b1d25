#include "adapter/detail/xml.h"

#include <charconv>
#include <optional>

#include "base/bytes.h"

namespace isthmus::adapter::detail {
namespace {

constexpr std::size_t kBytesMax = std::size_t{4} << 20;
constexpr std::size_t kDepthMax = 64;
constexpr std::size_t kElementsMax = 200000;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string local_name(std::string_view qualified) {
  const std::size_t colon = qualified.rfind(':');
  std::string out(colon == std::string_view::npos ? qualified : qualified.substr(colon + 1));
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t b) { out += static_cast<char>(static_cast<unsigned char>(b)); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) return byte(0xC0 | (c >> 6)), byte(0x80 | (c & 63));
  if (c < 0x10000) return byte(0xE0 | (c >> 12)), byte(0x80 | ((c >> 6) & 63)), byte(0x80 | (c & 63));
  byte(0xF0 | (c >> 18)), byte(0x80 | ((c >> 12) & 63)), byte(0x80 | ((c >> 6) & 63)), byte(0x80 | (c & 63));
}

/// One entity without & and ;. Unknown names stay as they were written: feeds are full of &nbsp;.
void append_entity(std::string& out, std::string_view name) {
  static constexpr std::pair<std::string_view, char> kNamed[] = {
      {"amp", '&'}, {"lt", '<'}, {"gt", '>'}, {"quot", '"'}, {"apos", '\''}};
  for (const auto& [known, c] : kNamed) {
    if (name == known) {
      out += c;
      return;
    }
  }
  if (name.starts_with('#')) {
    const bool hex = name.size() > 1 && (name[1] == 'x' || name[1] == 'X');
    const std::string_view digits = name.substr(hex ? 2 : 1);
    std::uint32_t code = 0;
    const auto [stop, error] = std::from_chars(digits.data(), digits.data() + digits.size(), code, hex ? 16 : 10);
    const bool whole = error == std::errc{} && stop == digits.data() + digits.size() && !digits.empty();
    const bool allowed = code >= 0x20 || code == 9 || code == 10 || code == 13;
    if (whole && allowed && code <= 0x10FFFF && (code < 0xD800 || code > 0xDFFF)) {
      append_utf8(out, code);
      return;
    }
  }
  out += "&" + std::string(name) + ";";
}

std::string unescaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t end = text[i] == '&' ? text.find(';', i) : std::string_view::npos;
    if (end == std::string_view::npos || end - i > 12) {
      out += text[i];
      continue;
    }
    append_entity(out, text.substr(i + 1, end - i - 1));
    i = end;
  }
  return out;
}

/// Walks the text once with a stack of open elements; no recursion, so depth is a number and not a stack.
class Reader {
 public:
  explicit Reader(std::string_view xml) : xml_(xml) {}

  Result<XmlElement> read() {
    open_.emplace_back();  // holds the root
    while (at_ < xml_.size()) {
      if (xml_[at_] != '<') {
        text();
      } else if (!markup()) {
        return fail("xml.bad", error_ + " at byte " + std::to_string(at_));
      }
    }
    if (open_.size() != 1 || open_.front().children.size() != 1)
      return fail("xml.bad", "no single root element that is closed");
    return std::move(open_.front().children.front());
  }

 private:
  bool bad(const char* why) {
    error_ = why;
    return false;
  }
  void text() {
    const std::size_t end = std::min(xml_.find('<', at_), xml_.size());
    if (open_.size() > 1) open_.back().text += unescaped(xml_.substr(at_, end - at_));
    at_ = end;
  }
  bool skip_to(std::string_view mark) {
    const std::size_t end = xml_.find(mark, at_);
    if (end == std::string_view::npos) return bad("an unfinished comment or instruction");
    at_ = end + mark.size();
    return true;
  }
  bool markup() {
    const std::string_view rest = xml_.substr(at_);
    if (rest.starts_with("<!--")) return skip_to("-->");
    if (rest.starts_with("<?")) return skip_to("?>");
    if (rest.starts_with("<![CDATA[")) return cdata();
    if (rest.starts_with("<!")) return bad("a document type is not accepted");
    if (rest.starts_with("</")) return close();
    return element();
  }
  bool cdata() {
    const std::size_t end = xml_.find("]]>", at_);
    if (end == std::string_view::npos || open_.size() < 2) return bad("a CDATA section out of place");
    open_.back().text += xml_.substr(at_ + 9, end - at_ - 9);
    at_ = end + 3;
    return true;
  }
  bool close() {
    const std::size_t end = xml_.find('>', at_);
    if (end == std::string_view::npos || open_.size() < 2) return bad("an end tag out of place");
    std::string_view name = xml_.substr(at_ + 2, end - at_ - 2);
    while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
    if (local_name(name) != open_.back().name) return bad("an end tag that closes another element");
    pop();
    at_ = end + 1;
    return true;
  }
  void pop() {
    XmlElement done = std::move(open_.back());
    open_.pop_back();
    open_.back().children.push_back(std::move(done));
  }
  bool element() {
    if (open_.size() > kDepthMax) return bad("more than 64 levels");
    if (++elements_ > kElementsMax) return bad("too many elements");
    std::size_t i = at_ + 1;
    const std::size_t name_end = xml_.find_first_of(" \t\r\n/>", i);
    if (name_end == std::string_view::npos || name_end == i) return bad("a tag without a name");
    XmlElement out;
    out.name = local_name(xml_.substr(i, name_end - i));
    at_ = name_end;
    if (!attributes(out)) return false;
    const bool empty = xml_[at_] == '/';
    at_ += empty ? 2 : 1;
    open_.push_back(std::move(out));
    if (empty) pop();
    return true;
  }
  /// Leaves at_ on '>' or on the '/' of "/>".
  bool attributes(XmlElement& out) {
    for (;;) {
      while (at_ < xml_.size() && is_blank(xml_[at_])) ++at_;
      if (at_ >= xml_.size()) return bad("an unfinished tag");
      if (xml_[at_] == '>') return true;
      if (xml_[at_] == '/') return at_ + 1 < xml_.size() && xml_[at_ + 1] == '>' ? true : bad("a stray slash");
      const std::size_t equals = xml_.find('=', at_);
      if (equals == std::string_view::npos) return bad("an attribute without a value");
      std::string_view name = xml_.substr(at_, equals - at_);
      while (!name.empty() && is_blank(name.back())) name.remove_suffix(1);
      std::size_t quote = equals + 1;
      while (quote < xml_.size() && is_blank(xml_[quote])) ++quote;
      if (quote >= xml_.size() || (xml_[quote] != '"' && xml_[quote] != '\'') ||
          name.find('<') != std::string_view::npos) {
        return bad("an attribute without quotes");
      }
      const std::size_t end = xml_.find(xml_[quote], quote + 1);
      if (end == std::string_view::npos) return bad("an attribute without an end");
      if (out.attributes.size() < 64)
        out.attributes.emplace_back(local_name(name), unescaped(xml_.substr(quote + 1, end - quote - 1)));
      at_ = end + 1;
    }
  }

  std::string_view xml_;
  std::size_t at_ = 0;
  std::size_t elements_ = 0;
  std::string error_;
  std::vector<XmlElement> open_;
};

}  // namespace

const XmlElement* XmlElement::child(std::string_view wanted) const {
  for (const XmlElement& element : children) {
    if (element.name == wanted) return &element;
  }
  return nullptr;
}

std::string XmlElement::attribute(std::string_view wanted) const {
  for (const auto& [key, value] : attributes) {
    if (key == wanted) return value;
  }
  return {};
}

Result<XmlElement> read_xml(std::string_view xml) {
  if (xml.size() > kBytesMax) return fail("xml.bad", "more than 4 MiB");
  if (!is_utf8(xml)) return fail("xml.bad", "the text is not UTF-8");
  if (xml.starts_with("\xEF\xBB\xBF")) xml.remove_prefix(3);
  return Reader(xml).read();
}

}  // namespace isthmus::adapter::detail
