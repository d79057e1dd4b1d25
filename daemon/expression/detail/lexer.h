#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace isthmus::expression {

struct Token {
  /// symbol: the text holds one of . ? ?? | [ ] ( ) , : * - == != < <= > >=
  enum class Kind { end, name, text, integer, real, symbol, bad };
  Kind kind = Kind::end;
  std::size_t offset = 0;  ///< of its first byte in the source
  std::string text;        ///< name, symbol, text without quotes, or why it is bad
  std::int64_t integer = 0;
  double real = 0;

  [[nodiscard]] bool is(std::string_view symbol) const { return kind == Kind::symbol && text == symbol; }
  [[nodiscard]] bool is_name(std::string_view name) const { return kind == Kind::name && text == name; }
};

/// Cuts a source into tokens. A `}` outside quotes ends the source as its end does: the language has no braces.
class Lexer {
 public:
  Lexer(std::string_view source, std::size_t offset) : source_(source), next_(offset) {}

  [[nodiscard]] Token take();
  [[nodiscard]] std::size_t offset() const { return next_; }  ///< of the first byte not yet taken

 private:
  Token take_text(char quote);
  Token take_number();
  Token take_symbol();
  [[nodiscard]] char at(std::size_t index) const { return index < source_.size() ? source_[index] : '\0'; }

  std::string_view source_;
  std::size_t next_;
};

}  // namespace isthmus::expression
