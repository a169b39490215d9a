#include "libs/promql/cost.hpp"

#include <limits>

namespace vigia::promql {
namespace {

constexpr Duration kUsualStep = std::chrono::seconds(15);  // the hot store's evaluation interval
constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

std::uint64_t plus(std::uint64_t left, std::uint64_t right) {
  return right > kMost - left ? kMost : left + right;
}

std::uint64_t length_of(Duration duration) {
  return duration.count() > 0 ? static_cast<std::uint64_t>(duration.count()) : 0;
}

/// How often the store evaluates inner expressions: a subquery runs its expression at each step
/// over its own range and all that the ones around it cover. The sums saturate, since ranges of
/// nested subqueries add up to more than 64 bits.
class EvaluationCounter {
 public:
  explicit EvaluationCounter(std::uint64_t outer_ns) : outer_ns_(outer_ns) {}

  std::uint64_t operator()(const NumberLiteral& /*number*/) const { return 0; }
  std::uint64_t operator()(const StringLiteral& /*text*/) const { return 0; }
  std::uint64_t operator()(const Selector& /*selector*/) const { return 0; }
  std::uint64_t operator()(const Subquery& subquery) const {
    const std::uint64_t covered = plus(outer_ns_, length_of(subquery.range));
    const std::uint64_t step = length_of(subquery.step.value_or(kUsualStep));
    const std::uint64_t own = covered / (step > 0 ? step : length_of(kUsualStep));
    return plus(own, std::visit(EvaluationCounter(covered), subquery.expr->node));
  }
  std::uint64_t operator()(const Call& call) const {
    std::uint64_t sum = 0;
    for (const ExprPtr& argument : call.arguments) sum = plus(sum, of(*argument));
    return sum;
  }
  std::uint64_t operator()(const Aggregation& aggregation) const {
    const std::uint64_t parameter = aggregation.parameter ? of(*aggregation.parameter) : 0;
    return plus(parameter, of(*aggregation.expr));
  }
  std::uint64_t operator()(const Binary& binary) const {
    return plus(of(*binary.left), of(*binary.right));
  }
  std::uint64_t operator()(const Unary& unary) const { return of(*unary.operand); }
  std::uint64_t operator()(const Paren& paren) const { return of(*paren.expr); }

 private:
  std::uint64_t of(const Expr& expr) const { return std::visit(*this, expr.node); }

  std::uint64_t outer_ns_;
};

}  // namespace

std::uint64_t subquery_evaluations(const Expr& expr, Duration outer) {
  return std::visit(EvaluationCounter(length_of(outer)), expr.node);
}

}  // namespace vigia::promql
