#include "expression/detail/evaluator.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "expression/detail/compare.h"

namespace isthmus::expression {
namespace {

using Kind = Node::Kind;

Outcome too_much() { return Outcome::failed("the evaluation met a limit of steps, items or bytes"); }

Value step(const Value& value, const Segment& segment) {
  return segment.kind == Segment::Kind::key ? value.get(segment.key) : value.at(segment.index);
}

}  // namespace

bool Evaluator::spend(std::size_t steps) {
  steps_ += steps;
  return steps_ <= Limits::steps_max;
}

// Counts what a function made. Borrowed lists and objects cost nothing: they are bounded by the document they lie in.
bool Evaluator::make(const Value& value) {
  if (const auto text = value.as_text()) {
    bytes_ += text->size();
    return text->size() <= Limits::text_bytes_max && bytes_ <= Limits::value_bytes_max;
  }
  if (value.is_list()) {
    bytes_ += value.size() * sizeof(Value);
    return value.size() <= Limits::items_max && bytes_ <= Limits::value_bytes_max;
  }
  return true;
}

std::string_view Evaluator::append(const Value& value, std::string& out) {
  constexpr std::string_view too_long = "the text is longer than the limit";
  const bool composed = value.is_list() || value.is_object();
  if (composed && json_bytes(value, Limits::text_bytes_max) > Limits::text_bytes_max) return too_long;
  if (const auto text = value.as_text()) {
    if (text->size() > Limits::text_bytes_max - std::min(out.size(), Limits::text_bytes_max)) return too_long;
    out.reserve(out.size() + text->size() + 128);  // room for what stands beside it
  }
  value.append_text(out);
  return out.size() > Limits::text_bytes_max ? too_long : std::string_view();
}

Outcome Evaluator::node(NodeIndex index, const Value* item) {
  if (!spend(1)) return too_much();
  const Node& node = program_.nodes[index];
  switch (node.kind) {
    case Kind::literal:
      return make(node.literal) ? Outcome(node.literal) : too_much();
    case Kind::path:
      return path(node, item);
    case Kind::list:
      return list(node, item);
    case Kind::call:
      return call(node, item);
    case Kind::coalesce:
      return coalesce(node, item);
    case Kind::compare:
      return compare(node, item);
    case Kind::matches:
    case Kind::extract:
      return pattern(node, item);
    case Kind::negate:
    case Kind::both:
    case Kind::either:
      return logic(node, item);
    case Kind::choose:
    case Kind::map:
      return choose(node, item);
    default:
      return each(node, item);
  }
}

Outcome Evaluator::path(const Node& node, const Value* item) {
  Value value = node.root.empty() ? *item : scope_.lookup(node.root);
  if (!node.keys.empty()) {
    value = value.get_path(node.keys);
  } else if (!node.projects) {
    for (const Segment& segment : node.segments) {
      if (value.is_null()) break;
      value = step(value, segment);
    }
  } else {
    Value::List found;
    if (!value.is_null() && !follow(std::move(value), node, 0, found)) return too_much();
    value = Value::list(std::move(found));
  }
  if (value.is_null() && !node.optional) return Outcome::missing(node.dotted);
  if (const auto text = value.as_text()) {
    bytes_ += text->size();
    if (bytes_ > Limits::value_bytes_max) return too_much();
  }
  return value;
}

// Collects what the rest of the path finds; absent members of a projection are left out.
bool Evaluator::follow(Value value, const Node& node, std::size_t segment, Value::List& found) {
  for (; segment < node.segments.size(); ++segment) {
    if (value.is_null()) return true;
    if (node.segments[segment].kind != Segment::Kind::all) {
      value = step(value, node.segments[segment]);
      continue;
    }
    if (value.size() > Limits::items_max || !spend(value.size())) return false;
    for (Value& item : value.items()) {
      if (!follow(std::move(item), node, segment + 1, found)) return false;
    }
    return true;
  }
  if (!value.is_null()) found.push_back(std::move(value));
  return found.size() <= Limits::items_max;
}

Outcome Evaluator::call(const Node& node, const Value* item) {
  constexpr std::size_t kept = 4;  // most calls need no allocation
  std::array<Value, kept> few;
  std::vector<Value> many;
  const std::size_t count = node.children.size();
  if (count > kept) many.resize(count);
  const std::span<Value> arguments(count > kept ? many.data() : few.data(), count);
  for (std::size_t i = 0; i < count; ++i) {
    Outcome argument = this->node(node.children[i], item);
    if (!argument.ok()) return argument;
    if (i == 0 && argument.value().is_null() && node.function->null_input == Function::NullInput::gives_null) {
      return Value();
    }
    arguments[i] = std::move(argument).value();
  }
  // A function may look at every item of a list it is given.
  if (count > 0 && arguments[0].is_list() && !spend(arguments[0].size())) return too_much();
  Outcome result = node.function->call(arguments);
  if (result.ok() && !make(result.value())) return too_much();
  if (result.status() == Outcome::Status::failed) {
    return Outcome::failed(fmt::format("{}: {}", node.function->name, result.reason()));
  }
  return result;
}

Outcome Evaluator::coalesce(const Node& node, const Value* item) {
  Outcome outcome = Value();
  for (const NodeIndex child : node.children) {
    outcome = this->node(child, item);
    const bool absent = outcome.status() == Outcome::Status::missing || (outcome.ok() && outcome.value().is_null());
    if (!absent) return outcome;
  }
  return outcome;
}

Outcome Evaluator::compare(const Node& node, const Value* item) {
  Outcome left = this->node(node.children[0], item);
  if (!left.ok()) return left;
  Outcome right = this->node(node.children[1], item);
  if (!right.ok()) return right;
  if (!spend(left.value().size() / 16 + right.value().size() / 16)) return too_much();
  return compare_values(node.operation, left.value(), right.value());
}

Outcome Evaluator::pattern(const Node& node, const Value* item) {
  Outcome input = this->node(node.children[0], item);
  if (!input.ok()) return input;
  if (input.value().is_null()) return node.kind == Kind::matches ? Value::of(false) : Value();
  const auto text = input.value().as_text();
  if (!text) {
    return Outcome::failed(fmt::format("a pattern is held against text, not {}", to_string(input.value().kind())));
  }
  if (!spend(text->size() / 64)) return too_much();
  const re2::StringPiece piece(text->data(), text->size());
  if (node.kind == Kind::matches) return Value::of(re2::RE2::PartialMatch(piece, *node.pattern));
  std::array<re2::StringPiece, 2> groups;
  const int wanted = node.pattern->NumberOfCapturingGroups() > 0 ? 2 : 1;
  if (!node.pattern->Match(piece, 0, piece.size(), re2::RE2::UNANCHORED, groups.data(), wanted)) {
    return Outcome::missing("extract: the pattern is not in the text");
  }
  const re2::StringPiece& group = groups[static_cast<std::size_t>(wanted) - 1];
  if (group.data() == nullptr) return Outcome::missing("extract: its group is not in the text");
  return Value::text(std::string(group.data(), group.size()));
}

Outcome Evaluator::logic(const Node& node, const Value* item) {
  if (node.kind == Kind::negate) {
    Outcome operand = this->node(node.children[0], item);
    return operand.ok() ? Outcome(Value::of(!operand.value().truthy())) : operand;
  }
  const bool decides = node.kind == Kind::either;
  for (const NodeIndex child : node.children) {
    Outcome operand = this->node(child, item);
    if (!operand.ok()) return operand;
    if (operand.value().truthy() == decides) return Value::of(decides);
  }
  return Value::of(!decides);
}

Outcome Evaluator::list(const Node& node, const Value* item) {
  Value::List items;
  for (const NodeIndex child : node.children) {
    Outcome value = this->node(child, item);
    if (!value.ok()) return value;
    items.push_back(std::move(value).value());
  }
  return Value::list(std::move(items));
}

Outcome Evaluator::each(const Node& node, const Value* item) {
  Outcome source = this->node(node.children[0], item);
  if (!source.ok()) return source;
  const bool judges = node.kind == Kind::any || node.kind == Kind::all;
  if (source.value().is_null()) return judges ? Value::of(node.kind == Kind::all) : Value();
  if (!source.value().is_list()) {
    return Outcome::failed(
        fmt::format("each, where, any and all work on a list, not {}", to_string(source.value().kind())));
  }
  if (source.value().size() > Limits::items_max || !spend(source.value().size())) return too_much();
  Value::List kept;
  for (Value& element : source.value().items()) {
    Outcome result = this->node(node.children[1], &element);
    if (!result.ok()) return result;
    const bool truth = result.value().truthy();
    if (judges && truth == (node.kind == Kind::any)) return Value::of(truth);
    if (node.kind == Kind::each && !result.value().is_null()) kept.push_back(std::move(result).value());
    if (node.kind == Kind::where && truth) kept.push_back(std::move(element));
  }
  if (judges) return Value::of(node.kind == Kind::all);
  Value made = Value::list(std::move(kept));
  return make(made) ? Outcome(std::move(made)) : too_much();
}

Outcome Evaluator::choose(const Node& node, const Value* item) {
  Outcome input = this->node(node.children[0], item);
  if (!input.ok()) return input;
  if (node.kind == Kind::choose || !input.value().is_list()) return choose_one(node, input.value(), item);
  Value::List mapped;
  for (const Value& element : input.value().items()) {
    if (!spend(node.children.size())) return too_much();
    Outcome one = choose_one(node, element, item);
    if (!one.ok()) return one;
    mapped.push_back(std::move(one).value());
  }
  return Value::list(std::move(mapped));
}

Outcome Evaluator::choose_one(const Node& node, const Value& input, const Value* item) {
  for (std::size_t i = 1; i + 1 < node.children.size(); i += 2) {
    if (program_.nodes[node.children[i]].literal == input) return this->node(node.children[i + 1], item);
  }
  if (node.kind == Kind::map) return input;
  return Outcome::missing("choose: no pair for what it was given");
}

}  // namespace isthmus::expression
