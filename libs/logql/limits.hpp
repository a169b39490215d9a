// How large a query of logs may be. Each number bounds the time or the stack that one can take.
#pragma once

#include <cstddef>
#include <cstdint>

namespace vigia::logql {

/// Bytes of an expression.
inline constexpr std::size_t kQueryBytesMax = 64U << 10U;
/// Nesting of parentheses and calls: one level is some 10 stack frames of the parser.
inline constexpr std::size_t kQueryNestingMax = 100;
/// Depth of the tree, and of the conditions of a label filter, which grow to the left.
inline constexpr std::size_t kQueryDepthMax = 500;
/// Nodes of the tree, stages and conditions.
inline constexpr std::size_t kQueryNodesMax = 5'000;
/// Matchers, terms, extractions, and labels of lists, together.
inline constexpr std::size_t kQueryWordsMax = 2'000;

}  // namespace vigia::logql
