#include "adapter/detail/value_template.h"

#include <array>
#include <charconv>
#include <string_view>

#include "config/reader.h"

namespace isthmus::adapter::detail {
namespace {

using config::Node;
using expression::Expression;
using expression::MapScope;
using expression::Outcome;
using expression::Scope;
using expression::Template;
using expression::Value;

Built failed(std::string reason) { return {Built::Status::failed, {}, std::move(reason), false}; }
Built given(Value value) { return {Built::Status::value, std::move(value), {}, false}; }

/// Unquoted null, true, false and whole numbers are themselves, as a JSON reader would take them.
std::optional<Value> literal_of(const Node& node) {
  if (node.kind == Node::Kind::null) return Value();
  if (node.kind != Node::Kind::scalar || node.quoted) return std::nullopt;
  if (node.text == "null" || node.text == "~") return Value();
  if (node.text == "true") return Value::of(true);
  if (node.text == "false") return Value::of(false);
  const std::string_view digits = std::string_view(node.text).substr(node.text.starts_with('-') ? 1 : 0);
  if (digits.empty() || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  std::int64_t number = 0;
  const char* end = node.text.data() + node.text.size();
  const auto [stop, error] = std::from_chars(node.text.data(), end, number);
  if (error != std::errc{} || stop != end) return std::nullopt;
  return Value::of(number);
}

}  // namespace

expression::Origin origin(const Node& node, const std::string& path) {
  return {node.file ? *node.file : std::string(), node.line, node.column, path};
}

std::optional<Template> compile_template(const Node& node, const std::string& path, const Compile& compile) {
  const std::optional<std::string> text = config::as_text(node, path, compile.diagnostics);
  if (!text) return std::nullopt;
  return Template::compile(*text, origin(node, path), {compile.library, compile.names}, compile.diagnostics);
}

std::optional<Expression> compile_expression(const Node& node, const std::string& path, const Compile& compile) {
  const std::optional<std::string> text = config::as_text(node, path, compile.diagnostics);
  if (!text) return std::nullopt;
  return Expression::compile(*text, origin(node, path), {compile.library, compile.names}, compile.diagnostics);
}

ValueTemplate::Child ValueTemplate::compile(const Node& node, const std::string& path, const Compile& compile) {
  auto out = std::make_shared<ValueTemplate>();
  if (auto literal = literal_of(node)) {
    out->literal_ = *std::move(literal);
    return out;
  }
  if (node.kind == Node::Kind::scalar) {
    out->kind_ = Kind::text;
    out->text_ =
        Template::compile(node.text, origin(node, path), {compile.library, compile.names}, compile.diagnostics);
    return out->text_ ? out : nullptr;
  }
  if (node.kind == Node::Kind::map) return compile_map(node, path, compile);
  out->kind_ = Kind::list;
  bool good = true;
  for (std::size_t i = 0; i < node.items.size(); ++i) {
    out->children_.push_back(ValueTemplate::compile(node.items[i], path + "[" + std::to_string(i) + "]", compile));
    good = good && out->children_.back() != nullptr;
  }
  return good ? out : nullptr;
}

ValueTemplate::Child ValueTemplate::compile_each(const Node& node, const std::string& path, const Compile& compile) {
  auto out = std::make_shared<ValueTemplate>();
  out->kind_ = Kind::each;
  config::MapReader reader(node, path, compile.diagnostics);
  const Node* list = reader.required("$each");
  out->as_ = reader.optional_text("$as", "item");
  const Node* where = reader.optional("$where");
  const Node* value = reader.required("$value");
  reader.finish();
  const Compile inner = compile.with({out->as_});
  if (list != nullptr) out->text_ = compile_template(*list, path + ".$each", compile);
  if (where != nullptr) out->when_ = compile_expression(*where, path + ".$where", inner);
  if (value != nullptr) out->children_.push_back(ValueTemplate::compile(*value, path + ".$value", inner));
  const bool good = out->text_ && (where == nullptr || out->when_) && !out->children_.empty() && out->children_[0];
  return good ? out : nullptr;
}

ValueTemplate::Child ValueTemplate::compile_map(const Node& node, const std::string& path, const Compile& compile) {
  if (node.find("$each") != nullptr) return compile_each(node, path, compile);
  auto out = std::make_shared<ValueTemplate>();
  out->kind_ = Kind::object;
  bool good = true;
  for (const config::Entry& entry : node.entries) {
    const std::string here = path + "." + entry.key;
    if (entry.key == "$when") {
      out->when_ = compile_expression(entry.value, here, compile);
      good = good && out->when_;
    } else if (entry.key == "$value") {
      out->children_.push_back(ValueTemplate::compile(entry.value, here, compile));
      good = good && out->children_.back() != nullptr;
    } else if (entry.key == "$first" || entry.key == "$merge") {
      out->kind_ = entry.key == "$first" ? Kind::first : Kind::merge;
      for (const Node& item : entry.value.items) {
        out->children_.push_back(ValueTemplate::compile(item, here, compile));
        good = good && out->children_.back() != nullptr;
      }
    } else {
      auto key =
          Template::compile(entry.key, expression::Origin{node.file ? *node.file : "", entry.line, entry.column, here},
                            {compile.library, compile.names}, compile.diagnostics);
      Child child = ValueTemplate::compile(entry.value, here, compile);
      good = good && key && child;
      if (key && child) out->members_.emplace_back(*std::move(key), std::move(child));
    }
  }
  if (!out->members_.empty() && !out->children_.empty()) {
    config::report(node, "descriptor.value", path, "$value, $first and $merge stand alone, without other members",
                   compile.diagnostics);
    good = false;
  }
  return good ? out : nullptr;
}

Built ValueTemplate::build(const Scope& scope) const {
  if (kind_ != Kind::each && when_) {
    switch (when_->test(scope)) {
      case Expression::Truth::no:
        return {};
      case Expression::Truth::failed:
        return failed("a condition could not be decided");
      case Expression::Truth::yes:
        break;
    }
  }
  switch (kind_) {
    case Kind::literal:
      return given(literal_);
    case Kind::text: {
      Outcome outcome = text_->evaluate(scope);
      if (!outcome.ok()) return failed(std::string(outcome.reason()));
      if (outcome.value().is_null()) return {};
      return given(std::move(outcome).value());
    }
    case Kind::object:
      return build_object(scope);
    case Kind::list:
      return build_list(scope);
    case Kind::each:
      return build_each(scope);
    case Kind::first:
      return build_first(scope);
    case Kind::merge:
      return build_merge(scope);
  }
  return {};
}

Built ValueTemplate::build_object(const Scope& scope) const {
  if (members_.empty() && !children_.empty()) return children_.front()->build(scope);
  Value::Object members;
  for (const auto& [key, child] : members_) {
    Outcome name = key.evaluate(scope);
    if (!name.ok()) return failed(std::string(name.reason()));
    Built built = child->build(scope);
    if (built.status == Built::Status::failed) return built;
    if (built.status == Built::Status::value) members.emplace_back(name.value().to_text(), std::move(built.value));
  }
  return given(Value::object(std::move(members)));
}

Built ValueTemplate::build_list(const Scope& scope) const {
  Value::List items;
  for (const Child& child : children_) {
    Built built = child->build(scope);
    if (built.status == Built::Status::failed) return built;
    if (built.status == Built::Status::omitted) continue;
    if (!built.splice) {
      items.push_back(std::move(built.value));
      continue;
    }
    for (Value& item : built.value.items()) items.push_back(std::move(item));
  }
  return given(Value::list(std::move(items)));
}

Built ValueTemplate::build_each(const Scope& scope) const {
  Outcome list = text_->evaluate(scope);
  if (!list.ok()) return failed(std::string(list.reason()));
  if (list.value().is_null()) return {};
  Value::List items;
  for (Value& item : list.value().items()) {
    MapScope inner(&scope);
    inner.set(as_, item);
    if (when_ && when_->test(inner) != Expression::Truth::yes) continue;
    Built built = children_.front()->build(inner);
    if (built.status == Built::Status::failed) return built;
    if (built.status == Built::Status::value) items.push_back(std::move(built.value));
  }
  Built out = given(Value::list(std::move(items)));
  out.splice = true;
  return out;
}

Built ValueTemplate::build_first(const Scope& scope) const {
  for (const Child& child : children_) {
    Built built = child->build(scope);
    if (built.status != Built::Status::omitted) return built;
  }
  return {};
}

Built ValueTemplate::build_merge(const Scope& scope) const {
  Value::Object members;
  for (const Child& child : children_) {
    Built built = child->build(scope);
    if (built.status == Built::Status::failed) return built;
    for (const auto& [name, value] : built.value.members()) {
      bool replaced = false;
      for (auto& [known, old] : members) {
        if (known != name) continue;
        old = value;
        replaced = true;
      }
      if (!replaced) members.emplace_back(std::string(name), value);
    }
  }
  return given(Value::object(std::move(members)));
}

}  // namespace isthmus::adapter::detail
