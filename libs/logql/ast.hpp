// The tree of a LogQL expression.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/matcher.hpp"
#include "libs/promql/ast.hpp"

namespace vigia::logql {

/// |= and != look for a text, |~ and !~ for a regex, |> and !> for a pattern with <_> in it.
enum class LineTest : std::uint8_t {
  kContains,
  kLacks,
  kMatches,
  kDoesNotMatch,
  kHasPattern,
  kLacksPattern
};

/// `|= "a" or "b"`: a line passes where one of the terms is met; with a negative test, where none
/// is.
struct LineFilter {
  struct Term {
    std::string text;
    bool is_address = false;  ///< written ip("…"): an address, a range or a network
  };
  LineTest test = LineTest::kContains;
  std::vector<Term> terms;  ///< one at least
};

/// `label="path"`: what a parser is asked for, instead of all that it finds.
struct Extraction {
  std::string label;
  std::string path;
};

struct JsonStage {
  std::vector<Extraction> wanted;  ///< empty: everything
};

struct LogfmtStage {
  bool is_strict = false;    ///< a malformed pair is an error, and not passed over
  bool keeps_empty = false;  ///< keys without a value
  std::vector<Extraction> wanted;
};

struct RegexpStage {
  std::string regex;  ///< with one named group at least
};

struct PatternStage {
  std::string pattern;
};

struct UnpackStage {};

struct DecolorizeStage {};

struct LineFormatStage {
  std::string format;
};

/// `label=source` gives a label another name, `label="format"` another value.
struct LabelFormatStage {
  struct Item {
    std::string label;
    std::string source;
    bool is_format = false;
  };
  std::vector<Item> items;
};

/// A label, or with a matcher that label where its value is met.
struct LabelChoice {
  std::string label;
  std::optional<Matcher> only;
};

struct DropStage {
  std::vector<LabelChoice> labels;
};

struct KeepStage {
  std::vector<LabelChoice> labels;
};

enum class Comparison : std::uint8_t {
  kEqual,
  kNotEqual,
  kGreater,
  kGreaterOrEqual,
  kLess,
  kLessOrEqual
};

struct NumberCondition {
  std::string label;
  Comparison comparison = Comparison::kEqual;
  double value = 0;
};

struct DurationCondition {
  std::string label;
  Comparison comparison = Comparison::kEqual;
  Duration value{0};
};

struct BytesCondition {
  std::string label;
  Comparison comparison = Comparison::kEqual;
  std::uint64_t value = 0;
};

struct AddressCondition {
  std::string label;
  bool is_negative = false;
  std::string address;
};

struct LabelCondition;
using LabelConditionPtr = std::unique_ptr<LabelCondition>;

struct ConditionPair {
  bool is_and = true;  ///< else or
  LabelConditionPtr left;
  LabelConditionPtr right;
};

struct LabelCondition {
  std::variant<Matcher, NumberCondition, DurationCondition, BytesCondition, AddressCondition,
               ConditionPair>
      node;
  std::size_t depth = 1;
};

struct LabelFilterStage {
  LabelConditionPtr condition;
};

/// The label whose values are the samples of a range.
struct UnwrapStage {
  enum class Conversion : std::uint8_t { kNone, kDuration, kDurationSeconds, kBytes };
  std::string label;
  Conversion conversion = Conversion::kNone;
};

using Stage = std::variant<LineFilter, JsonStage, LogfmtStage, RegexpStage, PatternStage,
                           UnpackStage, DecolorizeStage, LineFormatStage, LabelFormatStage,
                           DropStage, KeepStage, LabelFilterStage, UnwrapStage>;

/// `{matchers} | stage | stage`.
struct LogSelector {
  std::vector<Matcher> matchers;
  std::vector<Stage> stages;
};

/// Labels that stay or go, as of PromQL's aggregations.
struct LabelGrouping {
  promql::Aggregation::Grouping kind = promql::Aggregation::Grouping::kNone;
  std::vector<std::string> labels;
};

enum class RangeOperator : std::uint8_t {
  kAbsentOverTime,
  kAvgOverTime,
  kBytesOverTime,
  kBytesRate,
  kCountOverTime,
  kFirstOverTime,
  kLastOverTime,
  kMaxOverTime,
  kMinOverTime,
  kQuantileOverTime,
  kRate,
  kRateCounter,
  kStddevOverTime,
  kStdvarOverTime,
  kSumOverTime
};

struct LogExpr;
using LogExprPtr = std::unique_ptr<LogExpr>;

/// `rate({…}[5m] offset 1h)`.
struct RangeAggregation {
  RangeOperator op = RangeOperator::kRate;
  std::optional<double> parameter;  ///< of quantile_over_time
  LogSelector logs;
  Duration range{0};
  std::optional<Duration> offset;
  LabelGrouping grouping;
};

enum class VectorOperator : std::uint8_t {
  kAvg,
  kBottomk,
  kCount,
  kMax,
  kMin,
  kSort,
  kSortDesc,
  kStddev,
  kStdvar,
  kSum,
  kTopk
};

struct VectorAggregation {
  VectorOperator op = VectorOperator::kSum;
  std::optional<std::uint32_t> parameter;  ///< of topk and bottomk
  LabelGrouping grouping;
  LogExprPtr expr;
};

/// `vector(1)`, or with is_scalar just the number.
struct ConstantExpr {
  double value = 0;
  bool is_scalar = true;
};

struct LabelReplaceExpr {
  LogExprPtr expr;
  std::string to;
  std::string replacement;
  std::string from;
  std::string regex;
};

/// Operators and matching are PromQL's.
struct MetricPair {
  promql::BinaryOperator op = promql::BinaryOperator::kAdd;
  bool returns_bool = false;
  promql::VectorMatching matching;
  LogExprPtr left;
  LogExprPtr right;
};

struct GroupedExpr {
  LogExprPtr expr;  ///< in parentheses
};

/// What an expression gives: lines of streams, a vector of samples, or a number.
enum class LogValue : std::uint8_t { kLogs, kVector, kScalar };

struct LogExpr {
  std::variant<LogSelector, RangeAggregation, VectorAggregation, ConstantExpr, LabelReplaceExpr,
               MetricPair, GroupedExpr>
      node;
  LogValue value = LogValue::kLogs;
  std::size_t offset = 0;  ///< of the first byte in the text it was read from
  std::size_t depth = 1;   ///< of the tree below, this node included
};

}  // namespace vigia::logql
