// How large a query may be. Each number bounds the time or the stack that one query can take.
#pragma once

#include <cstddef>
#include <cstdint>

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
/// Regexes of one request that are no lists of words, together: bytes, sets of characters in them,
/// and memory compiled. The worst that keeps to them takes 40 ms of one core.
inline constexpr std::size_t kRegexBytesMax = 16U << 10U;
inline constexpr std::size_t kRegexClassesMax = 64;
inline constexpr std::size_t kRegexMemoryMax = 512U << 10U;
/// Bytes of labels that a query may make for one series (labels_made.hpp): sixteen times the most
/// that a store holds for one.
inline constexpr std::uint64_t kLabelBytesMadeMax = 1U << 20U;
/// Evaluations of all subqueries together (cost.hpp): two years by the minute, and some. Prometheus
/// repeats a constant over a subquery's steps in a loop that no time-out ends, so that one query of
/// 50 y by 1 ms holds a core and memory of everybody's store.
inline constexpr std::uint64_t kSubqueryEvaluationsMax = 2'000'000;
/// Bytes of results that a query may hold at one moment (result_memory.hpp): more than four times
/// what as many samples take as --query.max-samples lets pass, so that no query is refused for its
/// samples, and less than what the largest query takes that the flag lets pass, with its JSON.
inline constexpr std::uint64_t kResultBytesMax = 384U << 20U;

}  // namespace vigia::promql
