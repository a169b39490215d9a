#include "libs/promql/copy.hpp"

#include <memory>

namespace vigia::promql {
namespace {

ExprPtr copy_of(const ExprPtr& expr) {
  return expr ? std::make_unique<Expr>(promql::copy_of(*expr)) : nullptr;
}

// A node that holds expressions and is not listed here does not compile.
class Copying {
 public:
  NumberLiteral operator()(const NumberLiteral& number) const { return number; }
  StringLiteral operator()(const StringLiteral& text) const { return text; }
  Selector operator()(const Selector& selector) const { return selector; }
  Subquery operator()(const Subquery& subquery) const {
    return {copy_of(subquery.expr), subquery.range,     subquery.range_expr,
            subquery.step,          subquery.step_expr, subquery.shift};
  }
  Call operator()(const Call& call) const {
    Call copy{call.function, {}};
    copy.arguments.reserve(call.arguments.size());
    for (const ExprPtr& argument : call.arguments) copy.arguments.push_back(copy_of(argument));
    return copy;
  }
  Aggregation operator()(const Aggregation& aggregation) const {
    return {aggregation.op, aggregation.grouping, aggregation.labels,
            copy_of(aggregation.parameter), copy_of(aggregation.expr)};
  }
  Binary operator()(const Binary& binary) const {
    return {binary.op, binary.returns_bool, binary.matching, copy_of(binary.left),
            copy_of(binary.right)};
  }
  Unary operator()(const Unary& unary) const { return {unary.is_negative, copy_of(unary.operand)}; }
  Paren operator()(const Paren& paren) const { return {copy_of(paren.expr)}; }
};

}  // namespace

Expr copy_of(const Expr& expr) {
  Expr copy;
  copy.type = expr.type;
  copy.offset = expr.offset;
  copy.depth = expr.depth;
  std::visit([&](const auto& node) { copy.node = Copying()(node); }, expr.node);
  return copy;
}

Selector bare_of(Selector selector) {
  selector.range.reset();
  selector.range_expr = nullptr;
  selector.extension = Selector::Extension::kNone;
  selector.shift = {};
  return selector;
}

}  // namespace vigia::promql
