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

/// Of what the stages make of one line; a line that would pass one keeps what it had, with
/// __error__. Labels beside those it came with: a JSON line of 64 KiB can hold 10,000 members.
inline constexpr std::size_t kLineLabelsMax = 256;
/// Names and values of these, together.
inline constexpr std::size_t kLineLabelBytesMax = 256U << 10U;
/// A text that a template makes, and each value on the way to it: `repeat` and `regexReplaceAll`
/// multiply what they are given.
inline constexpr std::size_t kFormattedBytesMax = 256U << 10U;
/// Nesting of a JSON line; each level is one stack frame.
inline constexpr std::size_t kLineJsonDepthMax = 64;
/// Bytes that the functions of a template take and give for one line, together.
inline constexpr std::size_t kTemplateWorkBytesMax = 4U << 20U;
/// Nesting of a template's conditions and parentheses.
inline constexpr std::size_t kTemplateNestingMax = 32;
/// Memory of one compiled regex, its automaton included: with less than a large one needs, RE2
/// goes on slower, still linear in the line.
inline constexpr std::size_t kRegexMemoryBytes = 8U << 20U;

}  // namespace vigia::logql
