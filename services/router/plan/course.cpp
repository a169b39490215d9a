#include "services/router/plan/course.hpp"

#include <algorithm>
#include <utility>

#include "services/router/plan/limits.hpp"

namespace vigia::router::plan {

namespace {

/// Of the member that the first step at hot asks.
coverage::Covered covered_of(const QueryPlan& plan, const Knowledge& known) {
  const auto step = std::find_if(plan.steps.begin(), plan.steps.end(),
                                 [](const Step& each) { return each.store == Store::kHot; });
  if (step == plan.steps.end()) return {};
  const auto member =
      std::find_if(known.hot.begin(), known.hot.end(),
                   [&](const coverage::HotMember& each) { return each.number == step->member; });
  return member == known.hot.end() ? coverage::Covered() : member->covered;
}

}  // namespace

bool makes_suspect(Reply reply) { return reply == Reply::kAway || reply == Reply::kLost; }

Course::Course(Question question, QueryPlan plan, const Knowledge& known)
    : question_(std::move(question)),
      plan_(std::move(plan)),
      position_{0, known.weight},
      raw_weight_(known.weight),
      covered_(covered_of(plan_, known)),
      kept_(known.kept) {
  if (is_thinned()) position_.weight = known.thinned_weight;
}

const std::shared_ptr<const promql::Expr>& Course::expr() const {
  return is_thinned() ? step().thinned->expr : question_.expr;
}

const std::vector<promql::TimeRange>& Course::ranges() const {
  return is_thinned() ? step().thinned->ranges : question_.ranges;
}

request::Form Course::form() const {
  request::Form form = question_.form;
  if (!is_thinned()) return form;
  for (auto& [name, value] : form) {
    if (name == "query") value = step().thinned->text;
  }
  return form;
}

access::QueryShape Course::likeness() const {
  access::QueryShape shape = question_.shape;
  if (is_thinned()) shape.text = step().thinned->text;
  return shape;
}

/// What was known of the query as it was asked so far says nothing of the other form.
void Course::go_on() {
  if (is_thinned()) position_.weight = raw_weight_;
  ++position_.step;
}

std::optional<std::size_t> Course::next_long_term() const {
  for (std::size_t i = position_.step + 1; i < plan_.steps.size(); ++i) {
    if (plan_.steps[i].store == Store::kLongTerm) return i;
  }
  return std::nullopt;
}

bool Course::has_other_member() const {
  if (!has_next()) return false;
  const Step& next = plan_.steps[position_.step + 1];
  return next.store == Store::kHot && next.standing == Standing::kHolds &&
         next.member != step().member;
}

/// A hot store of 2.x tells how many series there are and not which of them are alike, and counts a
/// histogram as one sample: the long-term store's 3.x may have room where it has none. The other
/// member of the shard has no more.
bool Course::may_leave_old_hot(promql::Dialect hot_dialect) const {
  return step().standing == Standing::kHolds && next_long_term() &&
         hot_dialect == promql::Dialect::kPrometheus2;
}

void Course::go_to_long_term() { position_.step = *next_long_term(); }

promql::EvaluationShape Course::shape(promql::Dialect hot_dialect) const {
  // prometheus-query is a 3.x.
  const bool is_hot = step().store == Store::kHot;
  return {is_hot ? hot_dialect : promql::Dialect::kPrometheus3, question_.shape.steps,
          question_.length};
}

Result<void> Course::heed_coverage(const coverage::Covered& now) {
  covered_ = now;
  if (holds_all(question_, now) || !may_leave()) return {};
  go_on();
  return fail(ErrorCode::kOverLimit, "the hot store covers less than when this query came");
}

Result<void> Course::heed_room(const Result<std::uint64_t>& bytes, promql::Dialect hot_dialect) {
  const bool may_go = may_leave_old_hot(hot_dialect);
  if (!bytes) {
    // It may read several parts of what samples are read of once.
    if (is_thinned() && bytes.error().code == ErrorCode::kInvalid) leave_thinned();
    if (may_go && bytes.error().code == ErrorCode::kInvalid) go_to_long_term();
    return tl::unexpected<Error>(bytes.error());
  }
  if (*bytes <= kLightResultBytesMax || position_.weight != access::Weight::kLight) return {};
  position_.weight = access::Weight::kHeavy;
  if (may_go && question_.shape.steps > kStepsAtOldHotMax) go_to_long_term();
  return fail(ErrorCode::kOverLimit, "this query has to wait among the heavy ones");
}

Verdict Course::take(Reply reply, const coverage::Covered& now) {
  return step().store == Store::kHot ? take_from_hot(reply, now) : take_from_long_term(reply);
}

Verdict Course::take_from_hot(Reply reply, coverage::Covered now) {
  switch (reply) {
    case Reply::kWhole:
    case Reply::kShort:
    case Reply::kMaybeShort:
      if (!question_.touches) return Verdict::kDone;
      // It may have gone and come back meanwhile, and be whole again since this was evaluated.
      if (now.suspicions != covered_.suspicions) now.from.reset();
      return heed_coverage(now) ? Verdict::kDone : Verdict::kNext;
    case Reply::kRefused:
    case Reply::kBrokenOff:
      return Verdict::kRefuse;
    case Reply::kAway:
    case Reply::kFaulty:
      return leave_failed();
    case Reply::kLost:
      return take_lost();
    case Reply::kFailed:
      return Verdict::kFail;
  }
  return Verdict::kFail;
}

/// It may be what the store did not survive. But like one that was answered before, and held little
/// of the store, is not: it was there when the store went. Twice is no chance.
Verdict Course::take_lost() {
  const bool is_harmless = position_.weight == access::Weight::kLight && !was_lost_;
  was_lost_ = true;
  return is_harmless && has_other_member() ? leave_failed() : Verdict::kFail;
}

/// Storage has no roll-ups of a part of what is asked for, or the query failed in a form that the
/// caller did not give it. A store that does not answer has no samples either.
bool Course::is_refused_thinned(Reply reply) const {
  if (!is_thinned()) return false;
  if (reply == Reply::kRefused) return true;
  return refusal_ && (reply == Reply::kShort || reply == Reply::kBrokenOff);
}

Verdict Course::leave_thinned() {
  refusal_.reset();
  go_on();
  return Verdict::kNext;
}

Verdict Course::take_from_long_term(Reply reply) {
  if (is_refused_thinned(reply)) return leave_thinned();
  switch (reply) {
    case Reply::kWhole:
      return Verdict::kDone;
    case Reply::kMaybeShort:
      return question_.touches ? Verdict::kLookAgain : Verdict::kDone;
    case Reply::kRefused:
      return Verdict::kRefuse;
    case Reply::kShort:
    case Reply::kBrokenOff:
    case Reply::kAway:
    case Reply::kFaulty:
      return leave_failed();
    case Reply::kLost:
    case Reply::kFailed:
      return Verdict::kFail;
  }
  return Verdict::kFail;
}

Verdict Course::take_second_look(Reply reply) {
  // What the caller gets is the first answer: this one only says whether it is whole.
  if (reply == Reply::kWhole || reply == Reply::kMaybeShort) return Verdict::kDone;
  if (is_refused_thinned(reply)) return leave_thinned();
  return reply == Reply::kLost ? Verdict::kFail : leave_failed();
}

Verdict Course::leave_failed() {
  const Step failed = step();
  const auto behind = plan_.steps.begin() + static_cast<std::ptrdiff_t>(position_.step) + 1;
  plan_.steps.erase(std::remove_if(behind, plan_.steps.end(),
                                   [&](const Step& step) {
                                     return step.store == failed.store &&
                                            step.member == failed.member;
                                   }),
                    plan_.steps.end());
  if (!has_next()) return Verdict::kFail;
  go_on();
  return Verdict::kNext;
}

}  // namespace vigia::router::plan
