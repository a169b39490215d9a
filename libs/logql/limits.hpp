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
/// What all stages of a selector look at and make for one line, in bytes: each stage its input,
/// each term and regex of a filter the text it is asked of (a large regex several times:
/// LineRegex::work_of), templates what their functions take and make, repeated searches each to the
/// end of their text. A stage for which too little is left is passed over, and the line goes on
/// with __error__. 32 stages over a line of 256 KiB.
inline constexpr std::size_t kLineWorkBytesMax = 8U << 20U;
/// Nesting of a template's conditions and parentheses.
inline constexpr std::size_t kTemplateNestingMax = 32;
/// Memory that the regexes of one selector share, automata included; each has a least beside it
/// (pipeline/line_regex.hpp). With less than a large one needs, RE2 goes on slower, still linear in
/// the line.
inline constexpr std::size_t kRegexMemoryBytes = 16U << 20U;

/// Steps of a range query, as Prometheus and Loki bound them.
inline constexpr std::size_t kMetricStepsMax = 11'000;
/// Selectors of a metric query: each reads the store once.
inline constexpr std::size_t kMetricSelectorsMax = 32;
/// Series of one part of a metric query, and bytes of their labels. Every line that brings a label
/// of its own makes a series, until an aggregation takes it.
inline constexpr std::size_t kMetricSeriesMax = 10'000;
inline constexpr std::size_t kMetricLabelBytesMax = 8U << 20U;
/// Values of one part, series × steps, and of what operators make of parts: 32 MB.
inline constexpr std::size_t kMetricValuesMax = 2'000'000;
/// What all parts of a metric query that are there at once hold, values of 16 bytes and labels,
/// until they are given back. Vectors that grow have up to as much room again, and the points of
/// the answer take the place of values: one query has some 256 MB at most.
inline constexpr std::size_t kMetricHeldBytesMax = 128U << 20U;
/// Unwrapped values that one part keeps until its windows are known: 32 MB of what all hold.
inline constexpr std::size_t kUnwrappedSamplesMax = 2'000'000;
/// Values that windows look at, each as often as windows overlap; a quantile sorts them, which is
/// some seconds of one core.
inline constexpr std::uint64_t kWindowLooksMax = 50'000'000;

}  // namespace vigia::logql
