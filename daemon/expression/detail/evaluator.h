#pragma once

#include "expression/detail/program.h"
#include "expression/expression.h"

namespace isthmus::expression {

/// One evaluation: counts its steps and the bytes it made, and stops at the limits. Not reused.
class Evaluator {
 public:
  Evaluator(const Program& program, const Scope& scope) : program_(program), scope_(scope) {}

  Outcome evaluate(NodeIndex index) { return node(index, nullptr); }
  /// Appends the value as text; the limit of one text holds. Empty when it did, else why it did not.
  std::string_view append(const Value& value, std::string& out);

 private:
  Outcome node(NodeIndex index, const Value* item);
  Outcome path(const Node& node, const Value* item);
  bool follow(Value value, const Node& node, std::size_t segment, Value::List& found);
  Outcome call(const Node& node, const Value* item);
  Outcome coalesce(const Node& node, const Value* item);
  Outcome compare(const Node& node, const Value* item);
  Outcome pattern(const Node& node, const Value* item);
  Outcome logic(const Node& node, const Value* item);
  Outcome each(const Node& node, const Value* item);
  Outcome list(const Node& node, const Value* item);
  Outcome choose(const Node& node, const Value* item);
  Outcome choose_one(const Node& node, const Value& input, const Value* item);
  bool spend(std::size_t steps);
  bool make(const Value& value);

  const Program& program_;
  const Scope& scope_;
  std::size_t steps_ = 0;
  std::size_t bytes_ = 0;
};

}  // namespace isthmus::expression
