#include "services/router/api/loki/constants.hpp"

#include <cmath>
#include <variant>

namespace vigia::router::api::loki {
namespace {

tl::unexpected<Error> no_arithmetic() {
  return fail(ErrorCode::kInvalid,
              "metric queries are not served so far: of queries without a selector + - * / % ^ of "
              "numbers and vector(…) are");
}

Result<double> calculated(promql::BinaryOperator op, double left, double right) {
  using promql::BinaryOperator;
  switch (op) {
    case BinaryOperator::kAdd:
      return left + right;
    case BinaryOperator::kSubtract:
      return left - right;
    case BinaryOperator::kMultiply:
      return left * right;
    case BinaryOperator::kDivide:
      return left / right;
    case BinaryOperator::kModulo:
      return std::fmod(left, right);
    case BinaryOperator::kPower:
      return std::pow(left, right);
    default:
      return no_arithmetic();
  }
}

/// The depth of a tree is bounded by its parser.
struct Value {
  Result<double> operator()(const logql::ConstantExpr& constant) const { return constant.value; }
  Result<double> operator()(const logql::GroupedExpr& grouped) const {
    return constant_value(*grouped.expr);
  }
  Result<double> operator()(const logql::MetricPair& pair) const {
    const auto left = constant_value(*pair.left);
    if (!left) return left;
    const auto right = constant_value(*pair.right);
    if (!right) return right;
    return calculated(pair.op, *left, *right);
  }
  template <typename Node>
  Result<double> operator()(const Node& /*node*/) const {
    return no_arithmetic();
  }
};

}  // namespace

Result<double> constant_value(const logql::LogExpr& expr) { return std::visit(Value(), expr.node); }

}  // namespace vigia::router::api::loki
