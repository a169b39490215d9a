#include "libs/promql/query_times.hpp"

#include <cmath>
#include <memory>
#include <utility>

#include <fmt/format.h>

namespace vigia::promql {
namespace {

constexpr double kSecondsMax = 9'223'372'036.0;

class Folding {
 public:
  Folding(const Evaluation& times, Duration step)
      : start_(seconds_of(times.start_ms)),
        end_(seconds_of(times.end_ms)),
        range_((static_cast<double>(times.end_ms) - static_cast<double>(times.start_ms)) / 1'000.0),
        step_(std::chrono::duration<double>(step).count()) {}

  Result<void> fold(Expr& expr) {
    if (const auto* call = std::get_if<Call>(&expr.node)) {
      if (const auto number = number_of(call->function->name)) {
        put(expr, *number);
        return {};
      }
    }
    return std::visit([this](auto& node) { return see(node); }, expr.node);
  }

 private:
  static double seconds_of(TimestampMs time_ms) { return static_cast<double>(time_ms) / 1'000.0; }

  std::optional<double> number_of(std::string_view function) const {
    if (function == "start") return start_;
    if (function == "end") return end_;
    if (function == "range") return range_;
    if (function == "step") return start_ == end_ ? 0 : step_;
    return std::nullopt;
  }

  /// A number has no sign in a tree.
  static void put(Expr& expr, double number) {
    if (number >= 0) {
      expr.node = NumberLiteral{number, std::nullopt};
      return;
    }
    const auto make = [&expr](auto node) {
      auto made = std::make_unique<Expr>();
      made->node = std::move(node);
      made->type = ValueType::kScalar;
      made->offset = expr.offset;
      return made;
    };
    ExprPtr literal = make(NumberLiteral{-number, std::nullopt});
    ExprPtr negative = make(Unary{true, std::move(literal)});
    negative->depth = 2;
    expr.node = Paren{std::move(negative)};
    expr.depth = 3;
  }

  Result<void> see(NumberLiteral& /*number*/) { return {}; }
  Result<void> see(StringLiteral& /*text*/) { return {}; }
  Result<void> see(Selector& selector) {
    auto range = compute(selector.range_expr, false);
    if (!range) return forward(range);
    if (*range) selector.range = **range;
    selector.range_expr = nullptr;
    return see(selector.shift);
  }
  Result<void> see(TimeShift& shift) {
    auto offset = compute(shift.offset_expr, true);
    if (!offset) return forward(offset);
    if (*offset) shift.offset = **offset;
    shift.offset_expr = nullptr;
    return {};
  }
  Result<void> see(Subquery& subquery) {
    auto range = compute(subquery.range_expr, false);
    if (!range) return forward(range);
    if (*range) subquery.range = **range;
    subquery.range_expr = nullptr;
    auto step = compute(subquery.step_expr, false);
    if (!step) return forward(step);
    if (*step) subquery.step = **step;
    subquery.step_expr = nullptr;
    auto shift = see(subquery.shift);
    return shift ? fold(*subquery.expr) : shift;
  }
  Result<void> see(Call& call) {
    for (const ExprPtr& argument : call.arguments) {
      auto folded = fold(*argument);
      if (!folded) return folded;
    }
    return {};
  }
  Result<void> see(Aggregation& aggregation) {
    if (aggregation.parameter) {
      auto folded = fold(*aggregation.parameter);
      if (!folded) return folded;
    }
    return fold(*aggregation.expr);
  }
  Result<void> see(Binary& binary) {
    auto left = fold(*binary.left);
    return left ? fold(*binary.right) : left;
  }
  Result<void> see(Unary& unary) { return fold(*unary.operand); }
  Result<void> see(Paren& paren) { return fold(*paren.expr); }

  static tl::unexpected<Error> refused(const LengthExpr& expr, std::string_view why) {
    return fail(ErrorCode::kInvalid, fmt::format("{}:{}: {}", expr.begin, expr.end, why));
  }

  Result<std::optional<Duration>> compute(const LengthExprPtr& expr, bool may_be_negative) const {
    if (!expr) return std::optional<Duration>();
    auto seconds = value_of(*expr);
    if (!seconds) return forward(seconds);
    if (!std::isfinite(*seconds)) return refused(*expr, "duration is NaN or infinite");
    if (*seconds <= 0 && !may_be_negative) {
      return refused(*expr, "duration must be greater than 0");
    }
    if (std::abs(*seconds) > kSecondsMax) return refused(*expr, "duration is out of range");
    // Whole milliseconds, towards 0, as there: of less than one nothing is left.
    const Duration length =
        std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1'000.0));
    if (length == Duration::zero() && !may_be_negative) {
      return refused(*expr, "duration must be greater than 0");
    }
    return std::optional(length);
  }

  Result<double> value_of(const LengthExpr& expr) const {
    double left = 0;
    double right = 0;
    if (expr.left) {
      const auto value = value_of(*expr.left);
      if (!value) return value;
      left = *value;
    }
    if (expr.right) {
      const auto value = value_of(*expr.right);
      if (!value) return value;
      right = *value;
    }
    switch (expr.op) {
      case LengthExpr::Op::kLiteral:
        return expr.seconds;
      case LengthExpr::Op::kStep:
        return step_;
      case LengthExpr::Op::kRange:
        return range_;
      case LengthExpr::Op::kNegate:
        return -right;
      case LengthExpr::Op::kParen:
        return right;
      default:
        return value_of_two(expr, left, right);
    }
  }

  static Result<double> value_of_two(const LengthExpr& expr, double left, double right) {
    switch (expr.op) {
      case LengthExpr::Op::kMin:
        return std::isnan(left) || left < right ? left : right;
      case LengthExpr::Op::kMax:
        return std::isnan(left) || left > right ? left : right;
      case LengthExpr::Op::kAdd:
        return left + right;
      case LengthExpr::Op::kSubtract:
        return left - right;
      case LengthExpr::Op::kMultiply:
        return left * right;
      case LengthExpr::Op::kDivide:
        if (right == 0) return refused(expr, "division by zero");
        return left / right;
      case LengthExpr::Op::kModulo:
        if (right == 0) return refused(expr, "modulo by zero");
        return std::fmod(left, right);
      default:
        return std::pow(left, right);
    }
  }

  const double start_;
  const double end_;
  const double range_;
  const double step_;
};

}  // namespace

Result<void> fold_query_times(Expr& expr, const Evaluation& times, Duration step) {
  return Folding(times, step).fold(expr);
}

}  // namespace vigia::promql
