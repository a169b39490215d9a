#include "libs/promql/visit.hpp"

#include <type_traits>

namespace vigia::promql {
namespace {

template <bool kIsConst>
class SelectorWalk {
 public:
  template <typename Node>
  using Ref = std::conditional_t<kIsConst, const Node&, Node&>;

  explicit SelectorWalk(const std::function<void(Ref<Selector>)>& see) : see_(see) {}

  void operator()(Ref<NumberLiteral> /*number*/) const {}
  void operator()(Ref<StringLiteral> /*text*/) const {}
  void operator()(Ref<Selector> selector) const { see_(selector); }
  void operator()(Ref<Subquery> subquery) const { into(*subquery.expr); }
  void operator()(Ref<Call> call) const {
    for (const ExprPtr& argument : call.arguments) into(*argument);
  }
  void operator()(Ref<Aggregation> aggregation) const {
    if (aggregation.parameter) into(*aggregation.parameter);
    into(*aggregation.expr);
  }
  void operator()(Ref<Binary> binary) const {
    into(*binary.left);
    into(*binary.right);
  }
  void operator()(Ref<Unary> unary) const { into(*unary.operand); }
  void operator()(Ref<Paren> paren) const { into(*paren.expr); }

 private:
  void into(Ref<Expr> expr) const { std::visit(*this, expr.node); }

  const std::function<void(Ref<Selector>)>& see_;
};

}  // namespace

void for_each_selector(Expr& expr, const std::function<void(Selector&)>& see) {
  std::visit(SelectorWalk<false>(see), expr.node);
}

void for_each_selector(const Expr& expr, const std::function<void(const Selector&)>& see) {
  std::visit(SelectorWalk<true>(see), expr.node);
}

}  // namespace vigia::promql
