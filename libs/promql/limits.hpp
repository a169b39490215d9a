// How large a query may be. Each number bounds the time or the stack that one query can take.
#pragma once

#include <cstddef>

namespace vigia::promql {

/// Bytes of an expression. Dashboards put whole lists of nodes into one regex; a node is 20 bytes.
inline constexpr std::size_t kLengthMax = 256U << 10U;
/// Nesting of parentheses, calls, aggregations and unary signs: one level is some 10 stack frames
/// of the parser.
inline constexpr std::size_t kNestingMax = 120;
/// Depth of the tree. Larger than the nesting, since `a or b or c …` grows to the left.
inline constexpr std::size_t kDepthMax = 1'000;
/// Nodes of the tree.
inline constexpr std::size_t kNodesMax = 20'000;
/// Label matchers of all selectors together, and labels of one grouping.
inline constexpr std::size_t kMatchersMax = 5'000;

}  // namespace vigia::promql
