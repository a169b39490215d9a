#include "services/router/plan/query_plan.hpp"

#include "services/router/plan/limits.hpp"

namespace vigia::router::plan {
namespace {

/// Hot could answer, and the query may hold more of it than it counts.
bool is_safer_at_long_term(const Question& question, const Knowledge& known) {
  return question.touches && known.weight != access::Weight::kLight &&
         question.shape.steps > kStepsAtOldHotMax && known.has_long_term &&
         known.dialect == promql::Dialect::kPrometheus2;
}

/// Where another cold store stands in the place of the known one, hot's part is asked for as if
/// there were none, if that reaches further back.
bool is_cold_worse(const Question& question, const Knowledge& known) {
  if (!question.touches || !known.covered.from || !known.replaced) return false;
  return known.replaced->lacks(question.touches->from_ms) &&
         known.replaced->lacks(*known.covered.from);
}

Step step_of(const std::shared_ptr<const Thinned>& form) {
  return {Store::kLongTerm, Standing::kLongTerm, form->resolution, 0, form};
}

/// Roll-ups before the samples, where the long-term store is asked first. Where hot holds all it is
/// quick, and the long-term store only helps out.
std::vector<Step> long_term_first(const Question& question, const Knowledge& known) {
  std::vector<Step> steps;
  const auto has_expired = [&](Resolution resolution) {
    return known.kept && question.touches &&
           known.kept->has_expired(resolution, question.touches->from_ms);
  };
  if (known.thinned && !has_expired(known.thinned->resolution)) {
    steps.push_back(step_of(known.thinned));
  }
  if (known.nearly && has_expired(Resolution::kRaw)) steps.push_back(step_of(known.nearly));
  steps.push_back({Store::kLongTerm, Standing::kLongTerm});
  return steps;
}

}  // namespace

bool holds_all(const Question& question, const coverage::Covered& covered) {
  if (!question.touches) return true;
  return covered.from && question.touches->from_ms >= *covered.from;
}

Result<QueryPlan> make_plan(const Question& question, const Knowledge& known) {
  const auto hot = [&](Standing standing) {
    // Without a shard: 1+1 is 2 everywhere.
    return Step{Store::kHot, standing, Resolution::kRaw, known.shard.value_or(0)};
  };
  const Step long_term{Store::kLongTerm, Standing::kLongTerm};
  if (!known.shard && question.touches) {
    if (known.has_long_term) return QueryPlan{long_term_first(question, known), std::nullopt};
    return fail(ErrorCode::kInvalid, question.caller.customer
                                         ? "the hot store of this customer is not configured"
                                         : "several hot stores and no prometheus-query: choose a "
                                           "customer by X-Vigia-Customer");
  }
  if (!known.has_long_term) return QueryPlan{{hot(Standing::kAlone)}, std::nullopt};
  const bool is_safer = is_safer_at_long_term(question, known);
  if (holds_all(question, known.covered) && !is_safer) {
    return QueryPlan{{hot(Standing::kHolds), long_term, hot(Standing::kInstead)}, std::nullopt};
  }
  if (!is_safer && is_cold_worse(question, known)) {
    return QueryPlan{{hot(Standing::kHoldsMore), long_term}, known.replaced};
  }
  QueryPlan plan{long_term_first(question, known), std::nullopt};
  plan.steps.push_back(hot(Standing::kInstead));
  return plan;
}

}  // namespace vigia::router::plan
