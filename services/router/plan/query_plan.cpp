#include "services/router/plan/query_plan.hpp"

#include <algorithm>
#include <iterator>

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
bool is_cold_worse(const Question& question, const Knowledge& known,
                   const coverage::HotMember& member) {
  if (!member.covered.from || !known.replaced) return false;
  return known.replaced->lacks(question.touches->from_ms) &&
         known.replaced->lacks(*member.covered.from);
}

Step hot_step(std::size_t member, Standing standing) {
  return {Store::kHot, standing, Resolution::kRaw, member};
}

void append(std::vector<Step>& steps, const std::vector<coverage::HotMember>& members,
            Standing standing) {
  for (const coverage::HotMember& member : members)
    steps.push_back(hot_step(member.number, standing));
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

std::vector<coverage::HotMember> holders(const Question& question, const Knowledge& known) {
  std::vector<coverage::HotMember> found;
  std::copy_if(
      known.hot.begin(), known.hot.end(), std::back_inserter(found),
      [&](const coverage::HotMember& member) { return holds_all(question, member.covered); });
  return found;
}

/// What no selector stands in is the same wherever it is asked.
QueryPlan plan_of_nothing(const Knowledge& known) {
  QueryPlan plan;
  append(plan.steps, known.hot, Standing::kHolds);
  for (const std::size_t member : known.elsewhere) {
    plan.steps.push_back(hot_step(member, Standing::kHolds));
  }
  // Before the shards of others, which have enough to do.
  const auto behind_own = plan.steps.begin() + static_cast<std::ptrdiff_t>(known.hot.size());
  if (known.has_long_term) plan.steps.insert(behind_own, {Store::kLongTerm, Standing::kLongTerm});
  return plan;
}

/// A member of a pair that came back empty has less than the other: what it answers says so, as
/// long as it is not known that the other has no more.
QueryPlan plan_of_hot_alone(const Question& question, const Knowledge& known) {
  QueryPlan plan;
  if (known.hot.size() > 1) append(plan.steps, holders(question, known), Standing::kHolds);
  const std::vector<coverage::HotMember> all = coverage::furthest_first(known.hot);
  const bool are_known = all.back().covered.from.has_value();
  for (const coverage::HotMember& member : all) {
    const bool is_best = all.size() == 1 || (are_known && &member == &all.front());
    plan.steps.push_back(hot_step(member.number, is_best ? Standing::kAlone : Standing::kLesser));
  }
  return plan;
}

Error no_store(const Question& question) {
  if (question.caller.hot_shards.size() > 1) {
    return {ErrorCode::kInvalid,
            "this customer's series are split by node over several hot stores, and there is no "
            "prometheus-query that has all: name nodes of one of them in every selector "
            "(node_id=\"…\")"};
  }
  return {ErrorCode::kInvalid, question.caller.customer
                                   ? "the hot store of this customer is not configured"
                                   : "several hot stores and no prometheus-query: choose a "
                                     "customer by X-Vigia-Customer"};
}

}  // namespace

bool holds_all(const Question& question, const coverage::Covered& covered) {
  if (!question.touches) return true;
  return covered.from && question.touches->from_ms >= *covered.from;
}

Result<QueryPlan> make_plan(const Question& question, const Knowledge& known) {
  if (!question.touches) return plan_of_nothing(known);
  if (known.hot.empty()) {
    if (known.has_long_term) return QueryPlan{long_term_first(question, known), std::nullopt};
    return tl::unexpected<Error>(no_store(question));
  }
  if (!known.has_long_term) return plan_of_hot_alone(question, known);
  QueryPlan plan;
  const std::vector<coverage::HotMember> all = coverage::furthest_first(known.hot);
  if (!is_safer_at_long_term(question, known)) {
    append(plan.steps, holders(question, known), Standing::kHolds);
    if (!plan.steps.empty()) {
      plan.steps.push_back({Store::kLongTerm, Standing::kLongTerm});
      append(plan.steps, all, Standing::kInstead);
      return plan;
    }
    for (const coverage::HotMember& member : all) {
      if (!is_cold_worse(question, known, member)) continue;
      plan.steps.push_back(hot_step(member.number, Standing::kHoldsMore));
    }
    if (!plan.steps.empty()) {
      plan.steps.push_back({Store::kLongTerm, Standing::kLongTerm});
      plan.worse_cold = known.replaced;
      return plan;
    }
  }
  plan.steps = long_term_first(question, known);
  append(plan.steps, all, Standing::kInstead);
  return plan;
}

}  // namespace vigia::router::plan
