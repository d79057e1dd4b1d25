#include "expression/detail/compare.h"

#include <fmt/format.h>

#include <algorithm>

namespace isthmus::expression {
namespace {

// Below zero, zero, above zero; empty when there is no order between the two.
std::optional<int> order(const Value& left, const Value& right) {
  if (const auto a = left.as_text(), b = right.as_text(); a && b) return a->compare(*b);
  if (left.kind() == Value::Kind::integer && right.kind() == Value::Kind::integer) {
    return *left.as_integer() < *right.as_integer() ? -1 : *left.as_integer() > *right.as_integer() ? 1 : 0;
  }
  if (const auto a = left.as_real(), b = right.as_real(); a && b) return *a < *b ? -1 : *a > *b ? 1 : 0;
  return std::nullopt;
}

bool holds(Operator operation, int order) {
  switch (operation) {
    case Operator::less:
      return order < 0;
    case Operator::less_equal:
      return order <= 0;
    case Operator::greater:
      return order > 0;
    default:
      return order >= 0;
  }
}

std::optional<bool> is_in(const Value& needle, const Value& hay) {
  if (hay.is_null()) return false;
  if (hay.is_list()) {
    const Value::List items = hay.items();
    return std::find(items.begin(), items.end(), needle) != items.end();
  }
  const auto text = needle.as_text();
  if (!text) return needle.is_null() ? std::optional<bool>(false) : std::nullopt;
  if (const auto in = hay.as_text()) return in->find(*text) != std::string_view::npos;
  if (hay.is_object()) return !hay.get(*text).is_null();
  return std::nullopt;
}

Outcome cannot(std::string_view what, const Value& left, const Value& right) {
  return Outcome::failed(fmt::format("{} {} and {}", what, to_string(left.kind()), to_string(right.kind())));
}

}  // namespace

Outcome compare_values(Operator operation, const Value& left, const Value& right) {
  if (operation == Operator::equal) return Value::of(left == right);
  if (operation == Operator::unequal) return Value::of(!(left == right));
  if (operation == Operator::in || operation == Operator::not_in || operation == Operator::contains) {
    const bool reversed = operation == Operator::contains;
    const auto found = reversed ? is_in(right, left) : is_in(left, right);
    if (!found) return cannot("cannot look for one in the other:", left, right);
    return Value::of(*found == (operation != Operator::not_in));
  }
  const auto ordered = order(left, right);
  if (!ordered) return cannot("there is no order between", left, right);
  return Value::of(holds(operation, *ordered));
}

std::size_t json_bytes(const Value& value, std::size_t enough) {
  switch (value.kind()) {
    case Value::Kind::text:
      return value.size() + 2;
    case Value::Kind::list: {
      std::size_t bytes = 2;
      for (const Value& item : value.items()) {
        bytes += 1 + json_bytes(item, enough);
        if (bytes > enough) break;
      }
      return bytes;
    }
    case Value::Kind::object: {
      std::size_t bytes = 2;
      for (const auto& member : value.members()) {
        bytes += member.first.size() + 4 + json_bytes(member.second, enough);
        if (bytes > enough) break;
      }
      return bytes;
    }
    default:
      return 8;
  }
}

}  // namespace isthmus::expression
