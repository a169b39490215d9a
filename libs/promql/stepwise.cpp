#include "libs/promql/stepwise.hpp"

#include <algorithm>
#include <array>
#include <string_view>

namespace vigia::promql {
namespace {

constexpr std::string_view kNameLabel = "__name__";

/// Series of one name differ in another label: without their names they still do.
bool has_one_name(const Selector& selector) {
  if (!selector.name.empty()) return true;
  return std::any_of(selector.matchers.begin(), selector.matchers.end(), [](const Matcher& each) {
    return each.name == kNameLabel && each.type == MatchType::kEqual && !each.value.empty();
  });
}

bool is_fixed(const TimeShift& shift) {
  return shift.at == TimeShift::At::kNone || shift.at == TimeShift::At::kTimestamp;
}

/// A node that is not listed does not compile.
class Look {
 public:
  void operator()(const NumberLiteral& /*number*/) {}
  void operator()(const StringLiteral& /*text*/) {}
  void operator()(const Selector& selector) {
    // What is anchored or smoothed reads beyond its range: nobody has shown it.
    is_stepwise_ = is_stepwise_ && is_fixed(selector.shift) && has_one_name(selector) &&
                   selector.extension == Selector::Extension::kNone;
  }
  void operator()(const Subquery& subquery) {
    is_stepwise_ = is_stepwise_ && is_fixed(subquery.shift);
    looks_at_series_ = true;
    into(*subquery.expr);
  }
  void operator()(const Call& call) {
    constexpr std::array<std::string_view, 4> kMakeLabels{"label_replace", "label_join",
                                                          "histogram_quantiles", "info"};
    const bool makes_labels =
        std::find(kMakeLabels.begin(), kMakeLabels.end(), call.function->name) != kMakeLabels.end();
    if (makes_labels) is_stepwise_ = false;
    for (const ExprPtr& argument : call.arguments) into(*argument);
  }
  void operator()(const Aggregation& aggregation) {
    if (aggregation.op == AggregateOperator::kLimitk ||
        aggregation.op == AggregateOperator::kLimitRatio) {
      is_stepwise_ = false;
    }
    if (aggregation.parameter) into(*aggregation.parameter);
    into(*aggregation.expr);
  }
  void operator()(const Binary& binary) {
    if (binary.op == BinaryOperator::kOr) joins_names_ = true;
    if (binary.matching.is_filled()) is_stepwise_ = false;  // series of either side
    into(*binary.left);
    into(*binary.right);
  }
  void operator()(const Unary& unary) {
    if (unary.is_negative) looks_at_series_ = true;
    into(*unary.operand);
  }
  void operator()(const Paren& paren) { into(*paren.expr); }

  /// `or` puts series of several names side by side, one at this step and one at that; a minus, and
  /// functions of ranges, take the names from series as a whole.
  bool is_stepwise() const { return is_stepwise_ && !(joins_names_ && looks_at_series_); }

 private:
  void into(const Expr& expr) { std::visit(*this, expr.node); }

  bool is_stepwise_ = true;
  bool joins_names_ = false;
  bool looks_at_series_ = false;
};

}  // namespace

bool is_stepwise(const Expr& expr) {
  Look look;
  std::visit(look, expr.node);
  return look.is_stepwise();
}

}  // namespace vigia::promql
