#include "libs/promql/info.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "libs/model/labels.hpp"
#include "libs/promql/regex_budget.hpp"
#include "libs/promql/visit.hpp"

namespace vigia::promql {
namespace {

constexpr std::string_view kInfo = "info";
constexpr std::string_view kTargetInfo = "target_info";

bool is_info(const Call& call) { return call.function->name == kInfo; }

/// Only where nothing is said of names: of other names than some Prometheus makes .+_info.
void name_target_info(Selector& selector) {
  const auto is_of_name = [](const Matcher& matcher) { return matcher.name == kNameLabel; };
  if (selector.name_in_braces ||
      std::any_of(selector.matchers.begin(), selector.matchers.end(), is_of_name)) {
    return;
  }
  selector.matchers.insert(
      selector.matchers.begin(),
      Matcher{MatchType::kEqual, std::string(kNameLabel), std::string(kTargetInfo)});
}

/// Whether all results have the stored customer_id; false where that is not sure.
class KeepsCustomer {
 public:
  bool of(const Expr& expr) const { return std::visit(*this, expr.node); }
  bool operator()(const NumberLiteral& /*number*/) const { return false; }
  bool operator()(const StringLiteral& /*text*/) const { return false; }
  bool operator()(const Selector& /*selector*/) const { return true; }
  bool operator()(const Subquery& subquery) const { return of(*subquery.expr); }
  bool operator()(const Unary& unary) const { return of(*unary.operand); }
  bool operator()(const Paren& paren) const { return of(*paren.expr); }
  bool operator()(const Call& call) const {
    const std::string_view name = call.function->name;
    const bool makes_labels =
        name == "label_join" || name == "label_replace" || name == "histogram_quantiles";
    if (makes_labels || name == "vector" || name.starts_with("absent")) {
      return false;
    }
    bool has_series = false;
    for (const ExprPtr& argument : call.arguments) {
      const bool is_of_series =
          argument->type == ValueType::kVector || argument->type == ValueType::kMatrix;
      if (!is_of_series) continue;
      has_series = true;
      if (!of(*argument)) return false;
    }
    return has_series;
  }
  bool operator()(const Aggregation& aggregation) const {
    const auto& labels = aggregation.labels;
    const bool is_named = std::find(labels.begin(), labels.end(), kCustomerLabel) != labels.end();
    switch (aggregation.op) {
      case AggregateOperator::kTopk:
      case AggregateOperator::kBottomk:
      case AggregateOperator::kLimitk:
      case AggregateOperator::kLimitRatio:
        return of(*aggregation.expr);
      case AggregateOperator::kCountValues:
        return false;
      default:
        break;
    }
    const bool is_without = aggregation.grouping == Aggregation::Grouping::kWithout;
    return is_named != is_without && of(*aggregation.expr);
  }
  bool operator()(const Binary& binary) const {
    const bool is_left = binary.left->type == ValueType::kVector;
    const bool is_right = binary.right->type == ValueType::kVector;
    if (!is_left) return of(*binary.right);
    if (!is_right) return of(*binary.left);
    switch (binary.op) {
      case BinaryOperator::kAnd:
      case BinaryOperator::kUnless:
        return of(*binary.left);
      case BinaryOperator::kOr:
        return of(*binary.left) && of(*binary.right);
      default:
        return !binary.matching.is_filled() && keeps(binary.matching) && of(*binary.left) &&
               of(*binary.right);
    }
  }

 private:
  static bool keeps(const VectorMatching& matching) {
    const bool is_named = std::find(matching.labels.begin(), matching.labels.end(),
                                    kCustomerLabel) != matching.labels.end();
    const bool is_on = matching.scope == VectorMatching::WhichLabels::kOn;
    return matching.group != VectorMatching::Group::kNone ? matching.include.empty()
                                                          : is_named == is_on;
  }
};

/// Whether a series without the label does not match.
bool needs_the_label(const Matcher& matcher, RegexBudget& budget) {
  switch (matcher.type) {
    case MatchType::kEqual:
      return !matcher.value.empty();
    case MatchType::kNotEqual:
      return matcher.value.empty();
    case MatchType::kRegex:
      return budget.look_at(matcher.value) == RegexBudget::RegexKind::kNeedsText;
    case MatchType::kNotRegex:
      return budget.look_at(matcher.value) == RegexBudget::RegexKind::kTakesEmpty;
  }
  return false;
}

bool names_a_label(const Call& call, RegexBudget& budget) {
  const auto* selector = std::get_if<Selector>(&call.arguments.back()->node);
  if (call.arguments.size() != 2 || selector == nullptr) return false;
  return std::any_of(selector->matchers.begin(), selector->matchers.end(),
                     [&](const Matcher& matcher) {
                       return matcher.name != kNameLabel && matcher.name != kCustomerLabel &&
                              needs_the_label(matcher, budget);
                     });
}

Result<void> check(const Call& call, RegexBudget& budget) {
  if (!names_a_label(call, budget)) {
    return fail(ErrorCode::kInvalid,
                "info() is offered with the labels that it is to add, one of which each series "
                "needs, as in info(rate(x[5m]), {k8s_cluster_name=~\".+\"}): without them it would "
                "not mean the same where it is kept to one customer's series");
  }
  if (!KeepsCustomer().of(*call.arguments.front())) {
    return fail(ErrorCode::kInvalid,
                "info() is offered of what still has the label customer_id: keep it, as in "
                "info(sum by (customer_id, instance, job) (x), …), or aggregate what info() gives");
  }
  return {};
}

}  // namespace

void write_info_selectors(Expr& expr) {
  for_each_call(expr, [](Call& call) {
    if (!is_info(call) || call.arguments.empty()) return;
    if (call.arguments.size() == 1) {
      auto selector = std::make_unique<Expr>();
      selector->type = ValueType::kVector;
      selector->offset = call.arguments.front()->offset;
      selector->node = Selector{};
      call.arguments.push_back(std::move(selector));
    }
    auto* selector = std::get_if<Selector>(&call.arguments.back()->node);
    if (selector != nullptr) name_target_info(*selector);
  });
}

bool are_info_selectors_written(const Expr& expr) {
  bool are_written = true;
  for_each_call(expr, [&](const Call& call) {
    are_written = are_written && (!is_info(call) || call.arguments.size() == 2);
  });
  return are_written;
}

Result<void> check_info_can_be_fenced(const Expr& expr) {
  Result<void> checked;
  RegexBudget budget;
  for_each_call(expr, [&](const Call& call) {
    if (checked && is_info(call)) checked = check(call, budget);
  });
  return checked;
}

}  // namespace vigia::promql
