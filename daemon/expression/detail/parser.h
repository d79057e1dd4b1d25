#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "expression/detail/lexer.h"
#include "expression/detail/program.h"
#include "expression/expression.h"

namespace isthmus::expression {

/// Reports mistakes of one source with their place in the file.
class Reporter {
 public:
  Reporter(std::string_view source, const Origin& origin, Diagnostics& diagnostics)
      : source_(source), origin_(origin), diagnostics_(diagnostics) {}
  void report(std::size_t offset, std::string_view code, std::string message);
  [[nodiscard]] bool failed() const { return failed_; }

 private:
  std::string_view source_;
  const Origin& origin_;
  Diagnostics& diagnostics_;
  bool failed_ = false;
};

/// Recursive descent over one expression; appends its nodes to the program. A syntax error ends the expression,
/// mistakes of names and arguments do not, so that all of them are reported.
class Parser {
 public:
  Parser(std::string_view source, std::size_t offset, const Checks& checks, Program& program, Reporter& reporter);

  /// The node of the whole expression; empty after a syntax error.
  std::optional<NodeIndex> parse();
  [[nodiscard]] std::size_t end_offset() const { return token_.offset; }  ///< where the expression ended, after parse()

 private:
  using Parsed = std::optional<NodeIndex>;  // empty: reported, give up

  Parsed parse_or();
  Parsed parse_and();
  Parsed parse_not();
  Parsed parse_comparison();
  Parsed parse_coalesce();
  Parsed parse_pipe();
  Parsed parse_primary();
  Parsed parse_name();
  Parsed parse_list();
  Parsed parse_path(const Token& root);
  bool parse_segments(Node& path);
  bool parse_bracket(Node& path);

  // In parser_calls.cpp: what follows a function's name.
  Parsed parse_call(const Token& name, Parsed input);
  Parsed parse_each(Node::Kind kind, NodeIndex list);
  Parsed parse_pairs(const Token& name, Node::Kind kind, NodeIndex input);
  bool parse_pair(Node& node);
  bool parse_arguments(std::vector<NodeIndex>& arguments);
  Parsed finish_pattern(const Token& name, Node::Kind kind, std::vector<NodeIndex> arguments);
  Parsed finish_call(const Token& name, std::vector<NodeIndex> arguments);
  Parsed unknown_function(const Token& name);
  void check_literals(const Token& name, const Function& function, const std::vector<NodeIndex>& arguments);

  Parsed parse_binary(Node::Kind kind, std::string_view word, Parsed (Parser::*operand)());
  void check_path(const Token& root, Node& path);
  Parsed add(Node node);
  Parsed add_literal(Value value);
  Parsed syntax(std::string_view expected);
  bool expect(std::string_view symbol);
  void advance() { token_ = lexer_.take(); }
  [[nodiscard]] std::string found() const;

  Lexer lexer_;
  Token token_;
  const Checks& checks_;
  Program& program_;
  Reporter& reporter_;
  std::size_t depth_ = 0;
  std::size_t first_node_;
  struct Item {
    std::string dotted;  // path of the list's items; empty when it is no plain path
  };
  std::vector<Item> items_;
};

}  // namespace isthmus::expression
