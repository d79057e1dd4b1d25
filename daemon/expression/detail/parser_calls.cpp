#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "expression/detail/parser.h"

namespace isthmus::expression {
namespace {

struct Form {
  std::string_view name;
  Node::Kind kind;
};
/// What looks like a function but is worked by the evaluator: each evaluates only what is needed.
constexpr std::array<Form, 6> kListForms = {{{"each", Node::Kind::each},
                                             {"where", Node::Kind::where},
                                             {"any", Node::Kind::any},
                                             {"all", Node::Kind::all},
                                             {"choose", Node::Kind::choose},
                                             {"map", Node::Kind::map}}};
constexpr std::array<Form, 4> kCallForms = {{{"coalesce", Node::Kind::coalesce},
                                             {"default", Node::Kind::coalesce},
                                             {"matches", Node::Kind::matches},
                                             {"extract", Node::Kind::extract}}};

template <std::size_t N>
const Form* find_form(const std::array<Form, N>& forms, std::string_view name) {
  const auto* found = std::find_if(forms.begin(), forms.end(), [&](const Form& f) { return f.name == name; });
  return found == forms.end() ? nullptr : found;
}

std::string arguments_text(const Function& function) {
  const std::size_t min = function.arguments_min > 0 ? function.arguments_min - 1 : 0;
  const std::size_t max = function.arguments_max > 0 ? function.arguments_max - 1 : 0;
  if (min == max) return fmt::format("{}", min);
  return fmt::format("{} to {}", min, max);
}

bool fits(char parameter, const Value& literal) {
  switch (parameter) {
    case 'i':
      return literal.kind() == Value::Kind::integer;
    case 'n':
      return literal.as_real().has_value();
    case 't':
      return literal.is_text();
    default:
      return true;
  }
}

std::string_view parameter_name(char parameter) {
  return parameter == 'i' ? "an integer" : parameter == 'n' ? "a number" : "a text";
}

}  // namespace

Parser::Parsed Parser::parse_call(const Token& name, Parsed input) {
  if (const Form* form = find_form(kListForms, name.text)) {
    if (!input) {
      reporter_.report(name.offset, "expression.syntax", fmt::format("{} stands after a value and \"|\"", name.text));
      return std::nullopt;
    }
    const bool pairs = form->kind == Node::Kind::choose || form->kind == Node::Kind::map;
    return pairs ? parse_pairs(name, form->kind, *input) : parse_each(form->kind, *input);
  }
  std::vector<NodeIndex> arguments;
  if (input) arguments.push_back(*input);
  if (token_.is("(") && !parse_arguments(arguments)) return std::nullopt;
  const Form* form = find_form(kCallForms, name.text);
  if (form == nullptr) return finish_call(name, std::move(arguments));
  if (form->kind != Node::Kind::coalesce) return finish_pattern(name, form->kind, std::move(arguments));
  if (arguments.size() < 2 || arguments.size() > Function::kArgumentsMax) {
    reporter_.report(name.offset, "expression.arguments", fmt::format("{} needs something to fall back to", name.text));
    return std::nullopt;
  }
  Node node;
  node.kind = form->kind;
  node.children = std::move(arguments);
  return add(std::move(node));
}

Parser::Parsed Parser::parse_each(Node::Kind kind, NodeIndex list) {
  const Node& source = program_.nodes[list];
  const bool plain = source.kind == Node::Kind::path || source.kind == Node::Kind::where;
  // The items of an item whose own list is computed have no path from a root either.
  const bool rootless = source.root.empty() && source.dotted.rfind("item", 0) == 0;
  items_.push_back(Item{plain && !rootless ? source.dotted : std::string()});
  Parsed body = expect("(") ? parse_or() : std::nullopt;
  items_.pop_back();
  if (!body || !expect(")")) return std::nullopt;
  Node node;
  node.kind = kind;
  node.children = {list, *body};
  if (kind == Node::Kind::where) node.dotted = program_.nodes[list].dotted;
  return add(std::move(node));
}

bool Parser::parse_pair(Node& node) {
  const Token key = token_;
  advance();
  const bool negative = key.is("-");
  const Token number = negative ? token_ : key;
  if (negative) advance();
  Value value;
  if (!negative && (key.kind == Token::Kind::text || key.kind == Token::Kind::name)) {
    value = key.is_name("true")    ? Value::of(true)
            : key.is_name("false") ? Value::of(false)
            : key.is_name("null")  ? Value()
                                   : Value::text(key.text);
  } else if (number.kind == Token::Kind::integer) {
    value = Value::of(negative ? -number.integer : number.integer);
  } else {
    reporter_.report(key.offset, "expression.syntax", "expected a pair, as in choose(public: direct, 'x y': 2)");
    return false;
  }
  const Parsed key_node = add_literal(std::move(value));
  if (!key_node || !expect(":")) return false;
  // A single bare word is text; everything else is an expression, and (word) reads the root of that name.
  Lexer ahead = lexer_;
  const Token after = ahead.take();
  const bool bare = token_.kind == Token::Kind::name && (after.is(",") || after.is(")")) && !token_.is_name("true") &&
                    !token_.is_name("false") && !token_.is_name("null");
  Parsed result;
  if (bare) {
    result = add_literal(Value::text(token_.text));
    advance();
  } else {
    result = parse_or();
  }
  if (!result) return false;
  node.children.push_back(*key_node);
  node.children.push_back(*result);
  return true;
}

Parser::Parsed Parser::parse_pairs(const Token& name, Node::Kind kind, NodeIndex input) {
  Node node;
  node.kind = kind;
  node.children = {input};
  node.dotted = name.text;
  if (!expect("(")) return std::nullopt;
  while (true) {
    if (!parse_pair(node)) return std::nullopt;
    if (node.children.size() > 1 + 2 * Function::kArgumentsMax) {
      reporter_.report(name.offset, "expression.limit",
                       fmt::format("{} has more than {} pairs", name.text, Function::kArgumentsMax));
      return std::nullopt;
    }
    if (!token_.is(",")) break;
    advance();
  }
  return expect(")") ? add(std::move(node)) : std::nullopt;
}

bool Parser::parse_arguments(std::vector<NodeIndex>& arguments) {
  advance();
  while (!token_.is(")")) {
    const Parsed argument = parse_or();
    if (!argument) return false;
    arguments.push_back(*argument);
    if (!token_.is(",")) break;
    advance();
  }
  return expect(")");
}

Parser::Parsed Parser::finish_pattern(const Token& name, Node::Kind kind, std::vector<NodeIndex> arguments) {
  if (arguments.size() != 2 || program_.nodes[arguments[1]].kind != Node::Kind::literal ||
      !program_.nodes[arguments[1]].literal.is_text()) {
    reporter_.report(name.offset, "expression.arguments",
                     fmt::format("{} takes one pattern, as a quoted text, so that it is checked now", name.text));
    return std::nullopt;
  }
  re2::RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(1 << 20);
  const std::string_view text = *program_.nodes[arguments[1]].literal.as_text();
  auto pattern = std::make_shared<const re2::RE2>(re2::StringPiece(text.data(), text.size()), options);
  if (!pattern->ok()) {
    reporter_.report(name.offset, "expression.pattern", fmt::format("the pattern is not RE2: {}", pattern->error()));
    return std::nullopt;
  }
  Node node;
  node.kind = kind;
  node.pattern = std::move(pattern);
  node.children = {arguments[0]};
  return add(std::move(node));
}

void Parser::check_literals(const Token& name, const Function& function, const std::vector<NodeIndex>& arguments) {
  if (function.parameters.empty()) return;
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const char parameter = function.parameters[std::min(i, function.parameters.size()) - 1];
    const Node& node = program_.nodes[arguments[i]];
    if (node.kind != Node::Kind::literal || fits(parameter, node.literal)) continue;
    reporter_.report(name.offset, "expression.arguments",
                     fmt::format("argument {} of {} must be {}, not {}", i, name.text, parameter_name(parameter),
                                 to_string(node.literal.kind())));
  }
}

Parser::Parsed Parser::finish_call(const Token& name, std::vector<NodeIndex> arguments) {
  const Function* function = checks_.library.find(name.text);
  if (function == nullptr) return unknown_function(name);
  if (arguments.size() < function->arguments_min || arguments.size() > function->arguments_max) {
    reporter_.report(
        name.offset, "expression.arguments",
        fmt::format("{} takes {} arguments after its input, here {}", name.text, arguments_text(*function),
                    arguments.empty() ? "even the input is absent" : std::to_string(arguments.size() - 1)));
  }
  check_literals(name, *function, arguments);
  Node node;
  node.kind = Node::Kind::call;
  node.function = function;
  node.children = std::move(arguments);
  return add(std::move(node));
}

Parser::Parsed Parser::unknown_function(const Token& name) {
  std::vector<std::string> names = checks_.library.names();
  for (const Form& form : kListForms) names.emplace_back(form.name);
  for (const Form& form : kCallForms) names.emplace_back(form.name);
  const std::string near = nearest_name(name.text, names);
  reporter_.report(name.offset, "expression.unknown-function",
                   fmt::format("{} is not a function{}", name.text,
                               near.empty() ? std::string() : fmt::format("; did you mean {}?", near)));
  return add_literal(Value());  // stands for its result, so that the rest is judged too
}

}  // namespace isthmus::expression
