#include "expression/detail/parser.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace isthmus::expression {
namespace {

constexpr std::array<std::string_view, 9> kWords = {"and",     "or",   "not",   "in",  "contains",
                                                    "matches", "true", "false", "null"};

bool is_word(std::string_view name) { return std::find(kWords.begin(), kWords.end(), name) != kWords.end(); }

struct Comparison {
  std::string_view symbol;
  Operator operation;
};
constexpr std::array<Comparison, 8> kComparisons = {{{"==", Operator::equal},
                                                     {"!=", Operator::unequal},
                                                     {"<", Operator::less},
                                                     {"<=", Operator::less_equal},
                                                     {">", Operator::greater},
                                                     {">=", Operator::greater_equal},
                                                     {"in", Operator::in},
                                                     {"contains", Operator::contains}}};

}  // namespace

void Reporter::report(std::size_t offset, std::string_view code, std::string message) {
  failed_ = true;
  const std::string_view before = source_.substr(0, offset);
  const auto lines = static_cast<int>(std::count(before.begin(), before.end(), '\n'));
  const std::size_t line_start = lines == 0 ? 0 : before.rfind('\n') + 1;
  const auto in_line = static_cast<int>(before.size() - line_start);
  Diagnostic diagnostic;
  diagnostic.file = origin_.file;
  diagnostic.line = origin_.line > 0 ? origin_.line + lines : 0;
  diagnostic.column = lines == 0 ? origin_.column + in_line : in_line + 1;
  diagnostic.code = std::string(code);
  diagnostic.path = origin_.path;
  diagnostic.message = std::move(message);
  diagnostics_.add(std::move(diagnostic));
}

Parser::Parser(std::string_view source, std::size_t offset, const Checks& checks, Program& program, Reporter& reporter)
    : lexer_(source, offset),
      checks_(checks),
      program_(program),
      reporter_(reporter),
      first_node_(program.nodes.size()) {}

std::optional<NodeIndex> Parser::parse() {
  advance();
  Parsed root = parse_or();
  if (root && token_.kind != Token::Kind::end) return syntax("the end of the expression or an operator");
  return root;
}

std::string Parser::found() const {
  switch (token_.kind) {
    case Token::Kind::end:
      return "the end";
    case Token::Kind::text:
      return "a text";
    default:
      return fmt::format("\"{}\"", token_.text);
  }
}

Parser::Parsed Parser::syntax(std::string_view expected) {
  if (token_.kind == Token::Kind::bad) {
    reporter_.report(token_.offset, "expression.syntax", token_.text);
  } else {
    reporter_.report(token_.offset, "expression.syntax", fmt::format("expected {}, found {}", expected, found()));
  }
  return std::nullopt;
}

bool Parser::expect(std::string_view symbol) {
  if (!token_.is(symbol)) {
    (void)syntax(fmt::format("\"{}\"", symbol));
    return false;
  }
  advance();
  return true;
}

Parser::Parsed Parser::add(Node node) {
  if (program_.nodes.size() - first_node_ >= Limits::nodes_max) {
    reporter_.report(token_.offset, "expression.limit",
                     fmt::format("the expression has more than {} parts", Limits::nodes_max));
    return std::nullopt;
  }
  program_.nodes.push_back(std::move(node));
  return static_cast<NodeIndex>(program_.nodes.size() - 1);
}

Parser::Parsed Parser::add_literal(Value value) {
  Node node;
  node.literal = std::move(value);
  return add(std::move(node));
}

Parser::Parsed Parser::parse_binary(Node::Kind kind, std::string_view word, Parsed (Parser::*operand)()) {
  Parsed left = (this->*operand)();
  if (!left || !token_.is_name(word)) return left;
  Node node;
  node.kind = kind;
  node.children.push_back(*left);
  while (token_.is_name(word)) {
    advance();
    const Parsed right = (this->*operand)();
    if (!right) return right;
    node.children.push_back(*right);
  }
  return add(std::move(node));
}

Parser::Parsed Parser::parse_or() {
  if (++depth_ > Limits::depth_max) {
    reporter_.report(token_.offset, "expression.limit",
                     fmt::format("the expression is nested more than {} deep", Limits::depth_max));
    return std::nullopt;
  }
  const Parsed node = parse_binary(Node::Kind::either, "or", &Parser::parse_and);
  --depth_;
  return node;
}

Parser::Parsed Parser::parse_and() { return parse_binary(Node::Kind::both, "and", &Parser::parse_not); }

Parser::Parsed Parser::parse_not() {
  bool negated = false;
  while (token_.is_name("not")) {
    negated = !negated;
    advance();
    if (token_.is_name("not")) return syntax("one \"not\"");
  }
  const Parsed operand = parse_comparison();
  if (!operand || !negated) return operand;
  Node node;
  node.kind = Node::Kind::negate;
  node.children = {*operand};
  return add(std::move(node));
}

Parser::Parsed Parser::parse_comparison() {
  const Parsed left = parse_coalesce();
  if (!left) return left;
  if (token_.is_name("matches")) {
    const Token name = token_;
    advance();
    const Parsed pattern = parse_coalesce();
    return pattern ? finish_pattern(name, Node::Kind::matches, {*left, *pattern}) : pattern;
  }
  Node node;
  node.kind = Node::Kind::compare;
  if (token_.is_name("not")) {
    advance();
    if (!token_.is_name("in")) return syntax("\"in\" after \"not\"");
    node.operation = Operator::not_in;
  } else {
    const auto known = std::find_if(kComparisons.begin(), kComparisons.end(), [&](const Comparison& c) {
      return token_.is(c.symbol) || token_.is_name(c.symbol);
    });
    if (known == kComparisons.end()) return left;
    node.operation = known->operation;
  }
  advance();
  const Parsed right = parse_coalesce();
  if (!right) return right;
  node.children = {*left, *right};
  return add(std::move(node));
}

Parser::Parsed Parser::parse_coalesce() {
  const Parsed left = parse_pipe();
  if (!left || !token_.is("??")) return left;
  Node node;
  node.kind = Node::Kind::coalesce;
  node.children.push_back(*left);
  while (token_.is("??")) {
    advance();
    const Parsed right = parse_pipe();
    if (!right) return right;
    node.children.push_back(*right);
  }
  return add(std::move(node));
}

Parser::Parsed Parser::parse_pipe() {
  Parsed input = parse_primary();
  while (input && token_.is("|")) {
    advance();
    if (token_.kind != Token::Kind::name) return syntax("the name of a function after \"|\"");
    const Token name = token_;
    advance();
    input = parse_call(name, input);
  }
  return input;
}

Parser::Parsed Parser::parse_primary() {
  const Token token = token_;
  switch (token.kind) {
    case Token::Kind::text:
      advance();
      return add_literal(Value::text(token.text));
    case Token::Kind::integer:
      advance();
      return add_literal(Value::of(token.integer));
    case Token::Kind::real:
      advance();
      return add_literal(Value::of(token.real));
    case Token::Kind::name:
      return parse_name();
    default:
      break;
  }
  if (token.is("-")) {
    advance();
    const Token number = token_;
    if (number.kind != Token::Kind::integer && number.kind != Token::Kind::real) return syntax("a number after \"-\"");
    advance();
    return add_literal(number.kind == Token::Kind::integer ? Value::of(-number.integer) : Value::of(-number.real));
  }
  if (token.is("(")) {
    advance();
    const Parsed inner = parse_or();
    return inner && expect(")") ? inner : std::nullopt;
  }
  if (token.is("[")) return parse_list();
  return syntax("a path, a value or \"(\"");
}

Parser::Parsed Parser::parse_name() {
  const Token name = token_;
  if (name.text == "true" || name.text == "false") {
    advance();
    return add_literal(Value::of(name.text == "true"));
  }
  if (name.text == "null") {
    advance();
    return add_literal(Value());
  }
  if (is_word(name.text) && name.text != "contains" && name.text != "matches")
    return syntax("a path, a value or \"(\"");
  advance();
  return token_.is("(") ? parse_call(name, std::nullopt) : parse_path(name);
}

Parser::Parsed Parser::parse_list() {
  advance();
  Node node;
  node.kind = Node::Kind::list;
  while (!token_.is("]")) {
    const Parsed item = parse_or();
    if (!item) return item;
    node.children.push_back(*item);
    if (!token_.is(",")) break;
    advance();
  }
  return expect("]") ? add(std::move(node)) : std::nullopt;
}

Parser::Parsed Parser::parse_path(const Token& root) {
  Node path;
  path.kind = Node::Kind::path;
  path.root = root.text;
  path.dotted = root.text;
  if (!parse_segments(path)) return std::nullopt;
  for (const Segment& segment : path.segments) {
    if (segment.kind == Segment::Kind::key) path.keys.push_back(segment.key);
  }
  if (path.keys.size() != path.segments.size()) path.keys.clear();
  check_path(root, path);
  return add(std::move(path));
}

bool Parser::parse_segments(Node& path) {
  while (true) {
    if (token_.is("?")) {
      path.optional = true;
      advance();
    } else if (token_.is("[")) {
      if (!parse_bracket(path)) return false;
    } else if (token_.is(".")) {
      advance();
      if (token_.kind != Token::Kind::name && token_.kind != Token::Kind::text) {
        (void)syntax("a name or a quoted name after \".\"");
        return false;
      }
      path.dotted += "." + token_.text;
      path.segments.push_back(Segment{Segment::Kind::key, token_.text, 0});
      advance();
    } else {
      return true;
    }
  }
}

bool Parser::parse_bracket(Node& path) {
  advance();
  Segment segment;
  if (token_.is("*")) {
    segment.kind = Segment::Kind::all;
    path.projects = true;
  } else {
    const bool from_end = token_.is("-");
    if (from_end) advance();
    if (token_.kind != Token::Kind::integer) {
      (void)syntax("a number or * between brackets");
      return false;
    }
    segment.kind = Segment::Kind::index;
    segment.index = from_end ? -token_.integer : token_.integer;
  }
  path.segments.push_back(std::move(segment));
  advance();
  return expect("]");
}

void Parser::check_path(const Token& root, Node& path) {
  if (root.text == "item" && !items_.empty()) {
    path.root.clear();
    const std::string& list = items_.back().dotted;
    if (list.empty()) return;  // items of a computed list: what it reads is known from its own paths
    path.dotted = list + path.dotted.substr(4);
  }
  program_.paths.push_back(path.dotted);
  if (checks_.names.admits(path.dotted)) return;
  const std::string near = checks_.names.nearest(path.dotted);
  reporter_.report(root.offset, "expression.unknown-name",
                   fmt::format("{} is not known here{}", path.dotted,
                               near.empty() ? std::string() : fmt::format("; did you mean {}?", near)));
}

}  // namespace isthmus::expression
