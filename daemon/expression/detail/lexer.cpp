#include "expression/detail/lexer.h"

#include <array>
#include <charconv>

namespace isthmus::expression {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool starts_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$'; }
bool is_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

Token bad(std::size_t offset, std::string why) { return Token{Token::Kind::bad, offset, std::move(why), 0, 0}; }

}  // namespace

Token Lexer::take() {
  while (is_space(at(next_))) ++next_;
  const std::size_t start = next_;
  if (start >= source_.size() || source_[start] == '}') return Token{Token::Kind::end, start, "", 0, 0};
  const char c = source_[start];
  if (c == '\'' || c == '"') return take_text(c);
  if (is_digit(c)) return take_number();
  if (!starts_name(c)) return take_symbol();
  while (starts_name(at(next_)) || is_digit(at(next_))) ++next_;
  return Token{Token::Kind::name, start, std::string(source_.substr(start, next_ - start)), 0, 0};
}

Token Lexer::take_text(char quote) {
  const std::size_t start = next_++;
  std::string text;
  while (next_ < source_.size()) {
    const char c = source_[next_++];
    if (c == quote) return Token{Token::Kind::text, start, std::move(text), 0, 0};
    if (c != '\\') {
      text += c;
      continue;
    }
    const char escaped = at(next_++);
    switch (escaped) {
      case 'n':
        text += '\n';
        break;
      case 'r':
        text += '\r';
        break;
      case 't':
        text += '\t';
        break;
      case '\\':
      case '\'':
      case '"':
        text += escaped;
        break;
      default:
        return bad(next_ - 2, "only \\n \\r \\t \\\\ \\' \\\" are known after a backslash; patterns need it doubled");
    }
  }
  next_ = source_.size();
  return bad(start, "the text that begins here has no closing quote");
}

Token Lexer::take_number() {
  const std::size_t start = next_;
  while (is_digit(at(next_))) ++next_;
  const bool fraction = at(next_) == '.' && is_digit(at(next_ + 1));
  if (fraction) {
    ++next_;
    while (is_digit(at(next_))) ++next_;
  }
  const std::string_view digits = source_.substr(start, next_ - start);
  if (starts_name(at(next_))) return bad(start, "a name cannot begin with a digit");
  if (digits.size() > 1 && digits[0] == '0' && digits[1] != '.') return bad(start, "a number has no leading zero");
  Token token{fraction ? Token::Kind::real : Token::Kind::integer, start, std::string(digits), 0, 0};
  const char* end = digits.data() + digits.size();
  const auto read =
      fraction ? std::from_chars(digits.data(), end, token.real) : std::from_chars(digits.data(), end, token.integer);
  if (read.ec != std::errc() || read.ptr != end) return bad(start, "the number is too large");
  return token;
}

Token Lexer::take_symbol() {
  constexpr std::array<std::string_view, 19> symbols = {"??", "==", "!=", "<=", ">=", "<", ">", ".", "?", "|",
                                                        "[",  "]",  "(",  ")",  ",",  ":", "*", "-", "="};
  const std::size_t start = next_;
  for (const std::string_view symbol : symbols) {
    if (source_.substr(start, symbol.size()) != symbol) continue;
    next_ += symbol.size();
    if (symbol == "=") return bad(start, "to compare, write ==");
    return Token{Token::Kind::symbol, start, std::string(symbol), 0, 0};
  }
  ++next_;
  return bad(start, "a character that has no meaning here");
}

}  // namespace isthmus::expression
