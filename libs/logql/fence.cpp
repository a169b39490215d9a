#include "libs/logql/fence.hpp"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "libs/logql/internal/log_parser.hpp"
#include "libs/logql/printer.hpp"
#include "libs/model/labels.hpp"

namespace vigia::logql {
namespace {

// A node that holds selectors and is not listed here does not compile.
template <bool kIsConst>
class LogsWalk {
 public:
  template <typename Node>
  using Ref = std::conditional_t<kIsConst, const Node&, Node&>;

  explicit LogsWalk(const std::function<void(Ref<LogSelector>)>& see) : see_(see) {}

  void operator()(Ref<LogSelector> selector) const { see_(selector); }
  void operator()(Ref<RangeAggregation> made) const { see_(made.logs); }
  void operator()(Ref<VectorAggregation> made) const { into(*made.expr); }
  void operator()(Ref<ConstantExpr> /*constant*/) const {}
  void operator()(Ref<LabelReplaceExpr> made) const { into(*made.expr); }
  void operator()(Ref<MetricPair> pair) const {
    into(*pair.left);
    into(*pair.right);
  }
  void operator()(Ref<GroupedExpr> grouped) const { into(*grouped.expr); }

 private:
  void into(Ref<LogExpr> expr) const { std::visit(*this, expr.node); }

  const std::function<void(Ref<LogSelector>)>& see_;
};

Matcher matcher_of(const CustomerId& customer) {
  return Matcher{MatchType::kEqual, std::string(kCustomerLabel), customer.text()};
}

bool has_matcher(const LogSelector& selector, const Matcher& wanted) {
  return std::find(selector.matchers.begin(), selector.matchers.end(), wanted) !=
         selector.matchers.end();
}

}  // namespace

void for_each_logs(LogExpr& expr, const std::function<void(LogSelector&)>& see) {
  std::visit(LogsWalk<false>(see), expr.node);
}

void for_each_logs(const LogExpr& expr, const std::function<void(const LogSelector&)>& see) {
  std::visit(LogsWalk<true>(see), expr.node);
}

void fence(const CustomerId& customer, LogExpr& expr) {
  const Matcher matcher = matcher_of(customer);
  for_each_logs(expr, [&](LogSelector& selector) {
    if (!has_matcher(selector, matcher)) selector.matchers.push_back(matcher);
  });
}

bool is_fenced(const CustomerId& customer, const LogExpr& expr) {
  const Matcher matcher = matcher_of(customer);
  bool all = true;
  for_each_logs(expr,
                [&](const LogSelector& selector) { all = all && has_matcher(selector, matcher); });
  return all;
}

Result<std::string> fenced_text(const CustomerId& customer, LogExpr& expr) {
  fence(customer, expr);
  // A fault in printer or parser costs a query, never another customer's data.
  std::string text = print(expr);
  auto again = internal::parse_printed_logs(text);
  if (!again && again.error().code == ErrorCode::kTooLarge) return forward(again);
  if (!again || !is_fenced(customer, **again) || print(**again) != text) {
    return fail(ErrorCode::kInternal, "the query could not be rewritten safely and was not asked");
  }
  return text;
}

}  // namespace vigia::logql
