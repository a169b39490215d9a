#include "libs/promql/visit.hpp"

#include <type_traits>

namespace vigia::promql {
namespace {

/// Sees all nodes of the kind `Seen`, Selector or Call, each before what is in it.
template <typename Seen, bool kIsConst>
class NodeWalk {
 public:
  template <typename Node>
  using Ref = std::conditional_t<kIsConst, const Node&, Node&>;

  explicit NodeWalk(const std::function<void(Ref<Seen>)>& see) : see_(see) {}

  void operator()(Ref<NumberLiteral> /*number*/) const {}
  void operator()(Ref<StringLiteral> /*text*/) const {}
  void operator()(Ref<Selector> selector) const {
    if constexpr (std::is_same_v<Seen, Selector>) see_(selector);
  }
  void operator()(Ref<Subquery> subquery) const { into(*subquery.expr); }
  void operator()(Ref<Call> call) const {
    if constexpr (std::is_same_v<Seen, Call>) see_(call);
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

  const std::function<void(Ref<Seen>)>& see_;
};

}  // namespace

void for_each_selector(Expr& expr, const std::function<void(Selector&)>& see) {
  std::visit(NodeWalk<Selector, false>(see), expr.node);
}

void for_each_selector(const Expr& expr, const std::function<void(const Selector&)>& see) {
  std::visit(NodeWalk<Selector, true>(see), expr.node);
}

void for_each_call(Expr& expr, const std::function<void(Call&)>& see) {
  std::visit(NodeWalk<Call, false>(see), expr.node);
}

void for_each_call(const Expr& expr, const std::function<void(const Call&)>& see) {
  std::visit(NodeWalk<Call, true>(see), expr.node);
}

}  // namespace vigia::promql
