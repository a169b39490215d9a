// The tree of a statement or a condition.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "libs/ottl/value.hpp"

namespace vigia::ottl {

struct Node;
using NodePtr = std::unique_ptr<Node>;

struct BytesLiteral {
  std::string bytes;
};

/// Nothing is nil.
struct LiteralNode {
  std::variant<std::monostate, bool, std::int64_t, double, std::string, BytesLiteral> value;
};

struct EnumNode {
  std::string name;
};

struct PathStep {
  std::string name;
  std::vector<NodePtr> keys;
};

/// `resource.attributes["a"]["b"]`
struct PathNode {
  std::vector<PathStep> steps;
};

struct Argument {
  std::string name;  ///< "" where it goes by its place
  NodePtr value;
  std::size_t offset = 0;
};

/// An editor, which begins with a small letter, or a converter; only that may have keys.
struct CallNode {
  std::string name;
  std::vector<Argument> arguments;
  std::vector<NodePtr> keys;
};

struct ListNode {
  std::vector<NodePtr> elements;
};

struct MapNode {
  std::vector<std::pair<std::string, NodePtr>> entries;
};

struct NegateNode {
  NodePtr operand;
};

struct MathNode {
  char op = '+';  ///< + - * /
  NodePtr left;
  NodePtr right;
};

struct CompareNode {
  Comparison comparison = Comparison::kEqual;
  NodePtr left;
  NodePtr right;
};

/// `a and b and c`: two or more.
struct AndNode {
  std::vector<NodePtr> operands;
};

struct OrNode {
  std::vector<NodePtr> operands;
};

struct NotNode {
  NodePtr operand;
};

struct Node {
  std::variant<LiteralNode, EnumNode, PathNode, CallNode, ListNode, MapNode, NegateNode, MathNode,
               CompareNode, AndNode, OrNode, NotNode>
      node;
  std::size_t offset = 0;  ///< of the first byte in the text
};

/// `editor(…) where condition`
struct StatementTree {
  NodePtr editor;
  NodePtr where;  ///< null: always
};

}  // namespace vigia::ottl
