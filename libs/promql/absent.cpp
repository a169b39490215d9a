#include "libs/promql/absent.hpp"

#include <algorithm>
#include <utility>

#include "libs/model/labels.hpp"

namespace vigia::promql {
namespace {

const Expr& inside_parens(const Expr& expr) {
  const auto* paren = std::get_if<Paren>(&expr.node);
  return paren == nullptr ? expr : inside_parens(*paren->expr);
}

/// Whether it is absent() of a selector that only the fence will narrow to a customer.
bool is_absent(const Call& call) {
  if (call.function->name != "absent" && call.function->name != "absent_over_time") return false;
  if (call.arguments.size() != 1) return false;
  const auto* selector = std::get_if<Selector>(&inside_parens(*call.arguments.front()).node);
  return selector != nullptr &&
         std::none_of(selector->matchers.begin(), selector->matchers.end(),
                      [](const Matcher& matcher) { return matcher.name == kCustomerLabel; });
}

class Hiding {
 public:
  void operator()(NumberLiteral& /*number*/) const {}
  void operator()(StringLiteral& /*text*/) const {}
  void operator()(Selector& /*selector*/) const {}
  void operator()(Subquery& subquery) const { hide_fence_in_absent(*subquery.expr); }
  void operator()(Call& call) const {
    for (const ExprPtr& argument : call.arguments) hide_fence_in_absent(*argument);
  }
  void operator()(Aggregation& aggregation) const {
    if (aggregation.parameter) hide_fence_in_absent(*aggregation.parameter);
    hide_fence_in_absent(*aggregation.expr);
  }
  void operator()(Binary& binary) const {
    hide_fence_in_absent(*binary.left);
    hide_fence_in_absent(*binary.right);
  }
  void operator()(Unary& unary) const { hide_fence_in_absent(*unary.operand); }
  void operator()(Paren& paren) const { hide_fence_in_absent(*paren.expr); }
};

}  // namespace

void hide_fence_in_absent(Expr& expr) {
  const auto* call = std::get_if<Call>(&expr.node);
  if (call == nullptr || !is_absent(*call)) return std::visit(Hiding{}, expr.node);
  auto absent = std::make_unique<Expr>(std::move(expr));
  expr = Expr{};
  expr.type = ValueType::kVector;
  expr.offset = absent->offset;
  expr.depth = absent->depth + 1;
  Aggregation group;
  group.op = AggregateOperator::kGroup;
  group.grouping = Aggregation::Grouping::kWithout;
  group.labels = {std::string(kCustomerLabel)};
  group.expr = std::move(absent);
  expr.node = std::move(group);
}

}  // namespace vigia::promql
