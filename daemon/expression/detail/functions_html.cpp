#include <algorithm>
#include <array>
#include <charconv>

#include "expression/detail/functions.h"

namespace isthmus::expression {
namespace {

constexpr auto kGivesNull = Function::NullInput::gives_null;

struct Entity {
  std::string_view name;
  char32_t code_point;
};
/// Entities that posts and forms use; those of Latin-1 follow by number. Unknown ones stay as they are.
constexpr std::array<Entity, 22> kEntities = {
    {{"amp", '&'},      {"lt", '<'},       {"gt", '>'},       {"quot", '"'},     {"apos", '\''},    {"hellip", 0x2026},
     {"mdash", 0x2014}, {"ndash", 0x2013}, {"lsquo", 0x2018}, {"rsquo", 0x2019}, {"ldquo", 0x201C}, {"rdquo", 0x201D},
     {"bull", 0x2022},  {"euro", 0x20AC},  {"trade", 0x2122}, {"oelig", 0x153},  {"OElig", 0x152},  {"larr", 0x2190},
     {"rarr", 0x2192},  {"zwj", 0x200D},   {"zwnj", 0x200C},  {"shy", 0xAD}}};
/// U+00A0 to U+00FF in order (HTML 4.01, section 24.2.1).
constexpr std::array<std::string_view, 96> kLatin = {
    "nbsp",   "iexcl",  "cent",   "pound",  "curren", "yen",    "brvbar", "sect",   "uml",    "copy",   "ordf",
    "laquo",  "not",    "shy",    "reg",    "macr",   "deg",    "plusmn", "sup2",   "sup3",   "acute",  "micro",
    "para",   "middot", "cedil",  "sup1",   "ordm",   "raquo",  "frac14", "frac12", "frac34", "iquest", "Agrave",
    "Aacute", "Acirc",  "Atilde", "Auml",   "Aring",  "AElig",  "Ccedil", "Egrave", "Eacute", "Ecirc",  "Euml",
    "Igrave", "Iacute", "Icirc",  "Iuml",   "ETH",    "Ntilde", "Ograve", "Oacute", "Ocirc",  "Otilde", "Ouml",
    "times",  "Oslash", "Ugrave", "Uacute", "Ucirc",  "Uuml",   "Yacute", "THORN",  "szlig",  "agrave", "aacute",
    "acirc",  "atilde", "auml",   "aring",  "aelig",  "ccedil", "egrave", "eacute", "ecirc",  "euml",   "igrave",
    "iacute", "icirc",  "iuml",   "eth",    "ntilde", "ograve", "oacute", "ocirc",  "otilde", "ouml",   "divide",
    "oslash", "ugrave", "uacute", "ucirc",  "uuml",   "yacute", "thorn",  "yuml"};

void append_utf8(char32_t c, std::string& out) {
  const auto add = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xC0 | (c >> 6));
    add(0x80 | (c & 0x3F));
  } else if (c < 0x10000) {
    add(0xE0 | (c >> 12));
    add(0x80 | ((c >> 6) & 0x3F));
    add(0x80 | (c & 0x3F));
  } else {
    add(0xF0 | (c >> 18));
    add(0x80 | ((c >> 12) & 0x3F));
    add(0x80 | ((c >> 6) & 0x3F));
    add(0x80 | (c & 0x3F));
  }
}

std::optional<char32_t> numeric(std::string_view digits) {
  const int base = !digits.empty() && (digits[0] == 'x' || digits[0] == 'X') ? 16 : 10;
  if (base == 16) digits.remove_prefix(1);
  std::uint32_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto read = std::from_chars(digits.data(), end, number, base);
  const bool surrogate = number >= 0xD800 && number <= 0xDFFF;
  if (read.ec != std::errc() || read.ptr != end || number == 0 || number > 0x10FFFF || surrogate) return std::nullopt;
  return number;
}

std::optional<char32_t> code_point_of(std::string_view name) {
  if (!name.empty() && name[0] == '#') return numeric(name.substr(1));
  const auto* entity =
      std::find_if(kEntities.begin(), kEntities.end(), [&](const Entity& e) { return e.name == name; });
  if (entity != kEntities.end()) return entity->code_point;
  const auto* latin = std::find(kLatin.begin(), kLatin.end(), name);
  if (latin == kLatin.end()) return std::nullopt;
  return static_cast<char32_t>(0xA0 + (latin - kLatin.begin()));
}

// text[at] is '&'. Appends what it stands for and returns the offset after it.
std::size_t decode_entity(std::string_view text, std::size_t at, std::string& out) {
  constexpr std::size_t name_max = 10;
  const std::size_t end = text.substr(0, at + 2 + name_max).find(';', at);
  const auto decoded = end == std::string_view::npos ? std::nullopt : code_point_of(text.substr(at + 1, end - at - 1));
  if (!decoded) {
    out += '&';
    return at + 1;
  }
  append_utf8(*decoded, out);
  return end + 1;
}

std::string tag_name(std::string_view inside) {
  const std::size_t start = !inside.empty() && inside[0] == '/' ? 1 : 0;
  std::string name;
  for (std::size_t i = start; i < inside.size() && std::isalnum(static_cast<unsigned char>(inside[i])) != 0; ++i) {
    name += static_cast<char>(std::tolower(static_cast<unsigned char>(inside[i])));
  }
  return start == 1 ? "/" + name : name;
}

void trim_end(std::string& text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
}

// The offset after the end tag of a script or style, whose content nobody sees.
std::size_t skip_element(std::string_view html, std::size_t from, const std::string& name) {
  for (std::size_t open = html.find("</", from); open != std::string_view::npos; open = html.find("</", open + 2)) {
    if (tag_name(html.substr(open + 1, name.size() + 2)) != "/" + name) continue;
    return std::min(html.find('>', open), html.size() - 1) + 1;
  }
  return html.size();
}

// html[at] is '<'. Writes what the tag means as text and returns the offset after it.
std::size_t read_tag(std::string_view html, std::size_t at, std::string& out) {
  if (html.substr(at, 4) == "<!--") {
    const std::size_t end = html.find("-->", at + 4);
    return end == std::string_view::npos ? html.size() : end + 3;
  }
  const char next = at + 1 < html.size() ? html[at + 1] : ' ';
  const std::size_t close = html.find('>', at);
  if ((std::isalpha(static_cast<unsigned char>(next)) == 0 && next != '/' && next != '!') ||
      close == std::string_view::npos) {
    out += '<';  // "a < b" is text
    return at + 1;
  }
  const std::string name = tag_name(html.substr(at + 1, close - at - 1));
  if (name == "script" || name == "style") return skip_element(html, close + 1, name);
  if (name == "br" || name == "/li" || name == "/div" || name == "/tr") out += '\n';
  if (name == "/p" || name == "/blockquote") {
    trim_end(out);
    out += "\n\n";
  }
  return close + 1;
}

Outcome strip(Arguments a) {
  const auto text = a[0].as_text();
  return text ? Outcome(Value::text(strip_html(*text))) : wrong_kind("text", a[0]);
}

Outcome escape(Arguments a) {
  const auto text = a[0].as_text();
  if (!text) return wrong_kind("text", a[0]);
  std::string out;
  for (const char c : *text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return Value::text(std::move(out));
}

}  // namespace

std::string strip_html(std::string_view html) {
  std::string out;
  out.reserve(html.size());
  std::size_t next = 0;
  while (next < html.size()) {
    const char c = html[next];
    if (c == '<') {
      next = read_tag(html, next, out);
    } else if (c == '&') {
      next = decode_entity(html, next, out);
    } else {
      out += c;
      ++next;
    }
  }
  trim_end(out);
  const std::size_t first = out.find_first_not_of(" \t\n\r");
  return first == std::string::npos ? std::string() : out.substr(first);
}

void add_html_functions(Library& library) {
  library.add({"strip_html", 1, 1, strip, kGivesNull, ""});
  library.add({"html_escape", 1, 1, escape, kGivesNull, ""});
}

}  // namespace isthmus::expression
