#include "libs/promql/result_memory.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <string_view>

namespace vigia::promql {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
// promql/engine.go of 3.x: maxPointsSliceSize, and a point of two words; of 2.42, of three.
constexpr std::uint64_t kStepsWithRoomMax = 5'000;
constexpr std::uint64_t kPointBytes3 = 16;
constexpr std::uint64_t kPointBytes2 = 24;
// Labels, their map's entry and the series itself, where an operator makes them.
constexpr std::uint64_t kSeriesBytes = 256;
// 3.x: what selectors read shares its room, so that twice --query.max-samples is the most.
constexpr std::uint64_t kDenseBytesMax = 2 * 5'000'000 * kPointBytes3;
constexpr Duration kUsualStep = std::chrono::seconds(15);  // the hot store's evaluation interval

std::uint64_t plus(std::uint64_t left, std::uint64_t right) {
  return right > kMost - left ? kMost : left + right;
}

std::uint64_t times(std::uint64_t left, std::uint64_t right) {
  return right != 0 && left > kMost / right ? kMost : left * right;
}

bool contains(const std::vector<std::string>& labels, std::string_view name) {
  return std::find(labels.begin(), labels.end(), name) != labels.end();
}

bool is_text(const Expr& expr) { return expr.type == ValueType::kString; }

/// What an expression gives, and the most that was held on the way to it, with it.
struct Held {
  std::uint64_t series = 0;
  std::uint64_t bytes = 0;
  std::uint64_t most = 0;
};

bool is_of_series(const Expr& expr) {
  return expr.type == ValueType::kVector || expr.type == ValueType::kMatrix;
}

const Expr* first_of_series(const Call& call) {
  for (const ExprPtr& argument : call.arguments) {
    if (is_of_series(*argument)) return argument.get();
  }
  return nullptr;
}

std::string_view text_of(const Expr& expr) {
  if (const auto* literal = std::get_if<StringLiteral>(&expr.node)) return literal->value;
  if (const auto* paren = std::get_if<Paren>(&expr.node)) return text_of(*paren->expr);
  return {};
}

/// True where no two results that are alike for the matching come of series that are not.
class KeepsApart {
 public:
  explicit KeepsApart(const VectorMatching& matching) : matching_(matching) {}

  bool of(const Expr& expr) const { return std::visit(*this, expr.node); }
  bool operator()(const NumberLiteral& /*number*/) const { return false; }
  bool operator()(const StringLiteral& /*text*/) const { return false; }
  bool operator()(const Selector& /*selector*/) const { return true; }
  bool operator()(const Subquery& subquery) const { return of(*subquery.expr); }
  bool operator()(const Unary& unary) const { return of(*unary.operand); }
  bool operator()(const Paren& paren) const { return of(*paren.expr); }
  bool operator()(const Call& call) const {
    const std::string_view name = call.function->name;
    if (name.starts_with("absent") || name == "vector") return false;
    if (name == "label_replace" || name == "label_join") {
      if (looks_at(text_of(*call.arguments[1]))) return false;
    }
    if (name == "histogram_quantile" && looks_at("le")) return false;
    const Expr* inner = first_of_series(call);
    return inner != nullptr && of(*inner);
  }
  bool operator()(const Aggregation& aggregation) const {
    switch (aggregation.op) {
      case AggregateOperator::kTopk:
      case AggregateOperator::kBottomk:
      case AggregateOperator::kLimitk:
      case AggregateOperator::kLimitRatio:
        return of(*aggregation.expr);
      case AggregateOperator::kCountValues:
        return false;
      default:
        return keeps_labels(aggregation) && of(*aggregation.expr);
    }
  }
  bool operator()(const Binary& binary) const {
    if (!is_of_series(*binary.left)) return of(*binary.right);
    const bool is_filter =
        binary.op == BinaryOperator::kAnd || binary.op == BinaryOperator::kUnless;
    return (is_filter || !is_of_series(*binary.right)) && of(*binary.left);
  }

 private:
  bool is_on() const { return matching_.scope == VectorMatching::Scope::kOn; }
  bool looks_at(std::string_view label) const {
    return contains(matching_.labels, label) == is_on();
  }
  bool keeps_labels(const Aggregation& aggregation) const {
    if (!is_on()) return false;
    const bool is_by = aggregation.grouping != Aggregation::Grouping::kWithout;
    return std::all_of(matching_.labels.begin(), matching_.labels.end(),
                       [&](const std::string& label) {
                         return contains(aggregation.labels, label) == is_by;
                       });
  }

  const VectorMatching& matching_;
};

class Measure {
 public:
  Measure(const EvaluationShape& shape, const SeriesCounts& counts, std::size_t& selectors)
      : shape_(shape), counts_(counts), selectors_(selectors) {}

  Held of(const Expr& expr) const { return std::visit(*this, expr.node); }

  Held operator()(const NumberLiteral& /*number*/) const { return made(1, {}); }
  Held operator()(const StringLiteral& /*text*/) const { return {}; }
  Held operator()(const Selector& /*selector*/) const { return read(counts_.count(selectors_++)); }
  Held operator()(const Unary& unary) const { return of(*unary.operand); }
  Held operator()(const Paren& paren) const { return of(*paren.expr); }

  Held operator()(const Subquery& subquery) const {
    EvaluationShape inner = shape_;
    inner.length = Duration(static_cast<Duration::rep>(
        std::min(plus(length_of(shape_.length), length_of(subquery.range)),
                 static_cast<std::uint64_t>(Duration::max().count()))));
    const std::uint64_t step = length_of(subquery.step.value_or(kUsualStep));
    inner.steps = length_of(inner.length) / (step > 0 ? step : length_of(kUsualStep)) + 1;
    return Measure(inner, counts_, selectors_).of(*subquery.expr);
  }

  Held operator()(const Call& call) const {
    const Expr* of_series = first_of_series(call);
    if (of_series != nullptr && std::holds_alternative<Selector>(of_series->node) &&
        of_series->type == ValueType::kMatrix) {
      return of_range(call);
    }
    std::vector<Held> arguments;
    std::uint64_t series = 1;
    for (const ExprPtr& argument : call.arguments) {
      if (is_text(*argument)) continue;
      arguments.push_back(of(*argument));
      if (argument.get() == of_series) series = arguments.back().series;
    }
    const bool is_one =
        call.function->result == ValueType::kScalar || call.function->name.starts_with("absent");
    return made(is_one ? 1 : series, arguments);
  }

  Held operator()(const Aggregation& aggregation) const {
    std::vector<Held> arguments;
    if (aggregation.parameter && !is_text(*aggregation.parameter)) {
      arguments.push_back(of(*aggregation.parameter));
    }
    arguments.push_back(of(*aggregation.expr));
    return made(series_of(aggregation, arguments.back().series), arguments);
  }

  Held operator()(const Binary& binary) const {
    const std::size_t first_left = selectors_;
    const Held left = of(*binary.left);
    const std::size_t first_right = selectors_;
    const Held right = of(*binary.right);
    const bool is_by_vectors = is_of_series(*binary.left) && is_of_series(*binary.right);
    if (!is_by_vectors) {
      return made(is_of_series(*binary.right) ? right.series : left.series, {left, right});
    }
    if (binary.op == BinaryOperator::kOr) {
      return made(plus(left.series, right.series), {left, right});
    }
    const VectorMatching& matching = binary.matching;
    const bool is_right_many = matching.group == VectorMatching::Group::kRight;
    const std::uint64_t many = is_right_many ? right.series : left.series;
    if (matching.include.empty()) return made(many, {left, right});
    // A result has labels of its partner, which may be another one at every step.
    const std::uint64_t partners =
        is_right_many ? alike(*binary.left, matching, first_left, first_right, left.series)
                      : alike(*binary.right, matching, first_right, selectors_, right.series);
    return made(times(many, std::min(partners, shape_.steps)), {left, right});
  }

 private:
  static std::uint64_t length_of(Duration duration) {
    return duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
  }

  std::uint64_t series_of(const Aggregation& aggregation, std::uint64_t series) const {
    switch (aggregation.op) {
      case AggregateOperator::kCountValues:  // each value at each step is a series of its own
        return times(series, shape_.steps);
      case AggregateOperator::kTopk:
      case AggregateOperator::kBottomk:
      case AggregateOperator::kLimitk:
      case AggregateOperator::kLimitRatio:
        return series;
      default: {
        const bool is_one = aggregation.labels.empty() &&
                            aggregation.grouping != Aggregation::Grouping::kWithout;
        return is_one ? std::min<std::uint64_t>(series, 1) : series;
      }
    }
  }

  std::uint64_t alike(const Expr& expr, const VectorMatching& matching, std::size_t first,
                      std::size_t last, std::uint64_t series) const {
    const bool is_of_one = last == first + 1;
    if (!is_of_one || contains(matching.labels, "__name__") || !KeepsApart(matching).of(expr)) {
      return series;
    }
    return std::min(series, counts_.alike(first, matching));
  }

  std::uint64_t room(std::uint64_t series) const {
    const bool is_old = shape_.dialect == Dialect::kPrometheus2;
    const std::uint64_t points = is_old ? shape_.steps : std::min(shape_.steps, kStepsWithRoomMax);
    return times(series, plus(times(points, is_old ? kPointBytes2 : kPointBytes3), kSeriesBytes));
  }

  /// Of a selector, alone or under a function over its range.
  Held read(std::uint64_t series) const {
    std::uint64_t bytes = room(series);
    if (shape_.dialect == Dialect::kPrometheus3) {
      bytes = std::min(bytes, plus(kDenseBytesMax, times(series, kSeriesBytes)));
    }
    return {series, bytes, bytes};
  }

  Held of_range(const Call& call) const {
    std::uint64_t others = 0;
    std::uint64_t most = 0;
    std::uint64_t series = 0;
    for (const ExprPtr& argument : call.arguments) {
      if (argument->type == ValueType::kMatrix) {
        series = counts_.count(selectors_++);
      } else if (!is_text(*argument)) {
        const Held other = of(*argument);
        most = std::max(most, plus(others, other.most));
        others = plus(others, other.bytes);
      }
    }
    Held held = read(call.function->name.starts_with("absent") ? 1 : series);
    held.most = std::max(most, plus(others, held.bytes));
    return held;
  }

  /// A result that is made while what it is made of is there.
  Held made(std::uint64_t series, const std::vector<Held>& arguments) const {
    Held held{series, room(series), 0};
    std::uint64_t there = 0;
    for (const Held& argument : arguments) {
      held.most = std::max(held.most, plus(there, argument.most));
      there = plus(there, argument.bytes);
    }
    held.most = std::max(held.most, plus(there, held.bytes));
    return held;
  }

  const EvaluationShape shape_;
  const SeriesCounts& counts_;
  std::size_t& selectors_;  // seen so far
};

}  // namespace

std::uint64_t result_bytes(const Expr& expr, const EvaluationShape& shape,
                           const SeriesCounts& counts) {
  std::size_t selectors = 0;
  return Measure(shape, counts, selectors).of(expr).most;
}

}  // namespace vigia::promql
