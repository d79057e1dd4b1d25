#include "expression/encode.h"

#include <algorithm>

#include "base/json.h"

namespace isthmus::expression {
namespace {

bool unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

void percent(std::string_view piece, std::string& out) {
  constexpr std::string_view digits = "0123456789ABCDEF";
  for (const char c : piece) {
    if (unreserved(c)) {
      out += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    out += '%';
    out += digits[byte >> 4U];
    out += digits[byte & 15U];
  }
}

}  // namespace

bool encode_plain(std::string_view piece, std::string& out) {
  out += piece;
  return true;
}

bool encode_path_segment(std::string_view piece, std::string& out) {
  if (piece.empty() || piece == "." || piece == "..") return false;
  percent(piece, out);
  return true;
}

bool encode_query_value(std::string_view piece, std::string& out) {
  percent(piece, out);
  return true;
}

bool encode_form_value(std::string_view piece, std::string& out) {
  for (std::size_t start = 0; start <= piece.size();) {
    const std::size_t space = std::min(piece.find(' ', start), piece.size());
    percent(piece.substr(start, space - start), out);
    if (space < piece.size()) out += '+';
    start = space + 1;
  }
  return true;
}

bool encode_header_value(std::string_view piece, std::string& out) {
  const auto forbidden = [](char c) { return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F; };
  if (std::any_of(piece.begin(), piece.end(), forbidden)) return false;
  out += piece;
  return true;
}

bool encode_json_string(std::string_view piece, std::string& out) {
  std::string quoted;
  append_json_string(quoted, piece);
  out.append(quoted, 1, quoted.size() - 2);
  return true;
}

bool encode_soql_text(std::string_view piece, std::string& out) {
  for (const char c : piece) {
    switch (c) {
      case '\\':
        out += "\\\\";
        break;
      case '\'':
        out += "\\'";
        break;
      case '"':
        out += "\\\"";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      default:
        out += c;
    }
  }
  return true;
}

}  // namespace isthmus::expression
