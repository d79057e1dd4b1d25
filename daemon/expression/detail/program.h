#pragma once

#include <re2/re2.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "expression/library.h"
#include "expression/value.h"

namespace isthmus::expression {

/// One step of a path after its root.
struct Segment {
  enum class Kind { key, index, all };
  Kind kind = Kind::key;
  std::string key;
  std::int64_t index = 0;
};

enum class Operator { equal, unequal, less, less_equal, greater, greater_equal, in, not_in, contains };

using NodeIndex = std::uint32_t;

/// One node of a compiled expression; children are indexes into Program::nodes, always lower than the node's own.
struct Node {
  enum class Kind {
    literal,   // literal
    path,      // root or item, segments, optional
    list,      // children: its items
    call,      // function, children: its arguments
    coalesce,  // children: the first that is neither missing nor null
    compare,   // operation, children: left, right
    matches,   // pattern, children: the text
    extract,   // pattern, children: the text
    negate,
    both,
    either,
    each,  // children: list, expression of item
    where,
    any,
    all,
    choose,  // children: input, then key and value in turn
    map
  };
  Kind kind = Kind::literal;
  Value literal;
  std::string root;  // empty: the item of the innermost each
  std::vector<Segment> segments;
  std::string dotted;  // of a path: for messages and purposes; of where: that of its list
  bool optional = false;
  bool projects = false;          // has a [*]
  std::vector<std::string> keys;  // of a path: its segments, when all are keys
  const Function* function = nullptr;
  Operator operation = Operator::equal;
  std::shared_ptr<const re2::RE2> pattern;
  std::vector<NodeIndex> children;
};

/// A template's parts in order: text as it is, or a node.
struct Piece {
  std::string literal;
  std::optional<NodeIndex> node;
};

struct Program {
  std::vector<Node> nodes;
  std::vector<Piece> pieces;       // one with a node for a bare expression
  std::vector<std::string> paths;  // sorted, unique
};

}  // namespace isthmus::expression
