// The tree of a PromQL expression.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/matcher.hpp"
#include "libs/promql/functions.hpp"

namespace vigia::promql {

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

struct LengthExpr;
using LengthExprPtr = std::shared_ptr<const LengthExpr>;

/// A length that is computed, as in `[2 * step()]`, in seconds: where a query's own times are known
/// fold_query_times puts a plain length in its place. Immutable, so that trees may share it.
struct LengthExpr {
  enum class Op : std::uint8_t {
    kLiteral,
    kStep,
    kRange,  ///< of the query, from its first time to its last
    kMin,
    kMax,
    kAdd,
    kSubtract,
    kMultiply,
    kDivide,
    kModulo,
    kPower,
    kNegate,  ///< of `right`
    kParen    ///< around `right`
  };
  Op op = Op::kLiteral;
  double seconds = 0;        ///< of kLiteral, with its sign
  bool is_duration = false;  ///< kLiteral written 5m and not 300
  bool is_old_word = false;  ///< min and max, as min_of and max_of were called until 3.13
  LengthExprPtr left;
  LengthExprPtr right;
  std::size_t begin = 0;  ///< bytes of the text it was read from
  std::size_t end = 0;
  std::size_t depth = 1;
};

/// Of a length that is not computed yet: more than any that is.
inline constexpr Duration kLengthUnknown = Duration::max();

/// `offset 5m`, `@ 1609746000`, `@ start()`, `@ end()`.
struct TimeShift {
  enum class At : std::uint8_t { kNone, kTimestamp, kStart, kEnd };
  Duration offset{0};         ///< negative looks ahead
  LengthExprPtr offset_expr;  ///< where it is computed: `offset` says nothing then
  bool has_offset = false;
  At at = At::kNone;
  std::int64_t timestamp_ms = 0;  ///< for At::kTimestamp
};

struct NumberLiteral {
  double value = 0;
  std::optional<Duration> length;  ///< where it was written 1h30m, which 3.x reads as 5400
};

struct StringLiteral {
  std::string value;
};

/// An instant selector, or with `range` a range selector.
struct Selector {
  std::string name;             ///< metric name outside `matchers`; empty where there is none
  bool name_in_braces = false;  ///< written {"name"}
  std::vector<Matcher> matchers;
  std::optional<Duration> range;  ///< kLengthUnknown where `range_expr` is there
  LengthExprPtr range_expr;
  /// `anchored` takes the samples at both ends of the range, `smoothed` values between samples:
  /// both read a look-back more.
  enum class Extension : std::uint8_t { kNone, kAnchored, kSmoothed };
  Extension extension = Extension::kNone;
  TimeShift shift;
};

struct Subquery {
  ExprPtr expr;
  Duration range{0};  ///< kLengthUnknown where `range_expr` is there
  LengthExprPtr range_expr;
  std::optional<Duration> step;  ///< kLengthUnknown where `step_expr` is there
  LengthExprPtr step_expr;
  TimeShift shift;
};

struct Call {
  const Function* function = nullptr;  ///< of the table in functions.hpp, never null
  std::vector<ExprPtr> arguments;
};

struct Aggregation {
  AggregateOperator op = AggregateOperator::kSum;
  enum class Grouping : std::uint8_t { kNone, kBy, kWithout };
  Grouping grouping = Grouping::kNone;
  std::vector<std::string> labels;
  ExprPtr parameter;  ///< null where the operator takes none
  ExprPtr expr;
};

enum class BinaryOperator : std::uint8_t {
  kOr,
  kAnd,
  kUnless,
  kEqual,
  kNotEqual,
  kGreater,
  kGreaterOrEqual,
  kLess,
  kLessOrEqual,
  kAdd,
  kSubtract,
  kMultiply,
  kDivide,
  kModulo,
  kAtan2,
  kPower,
  kTrimUpper,  ///< `</`: a histogram without what is above
  kTrimLower   ///< `>/`
};

/// `on (a) group_left (b)`.
struct VectorMatching {
  enum class WhichLabels : std::uint8_t { kAll, kOn, kIgnoring };
  enum class Group : std::uint8_t { kNone, kLeft, kRight };
  WhichLabels scope = WhichLabels::kAll;
  std::vector<std::string> labels;
  Group group = Group::kNone;
  std::vector<std::string> include;
  /// `fill (0)`: in the place of a partner that is missing on that side. Results are then those of
  /// either side.
  std::optional<double> fill_left;
  std::optional<double> fill_right;
  bool is_filled() const { return fill_left || fill_right; }
};

struct Binary {
  BinaryOperator op = BinaryOperator::kAdd;
  bool returns_bool = false;
  VectorMatching matching;
  ExprPtr left;
  ExprPtr right;
};

struct Unary {
  bool is_negative = false;
  ExprPtr operand;
};

struct Paren {
  ExprPtr expr;
};

struct Expr {
  std::variant<NumberLiteral, StringLiteral, Selector, Subquery, Call, Aggregation, Binary, Unary,
               Paren>
      node;
  ValueType type = ValueType::kScalar;
  std::size_t offset = 0;  ///< of the first byte in the text it was read from
  std::size_t depth = 1;   ///< of the tree below, this node included
};

}  // namespace vigia::promql
