#include "services/router/run/kept_steps.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "libs/promql/stepwise.hpp"
#include "libs/promql/time_range.hpp"
#include "services/router/request/times.hpp"

namespace vigia::router::run {
namespace {

/// What is younger is never kept, whatever a store says.
constexpr TimestampMs kPastMs = std::int64_t{2} * 86'400'000;
/// Hot takes samples that are up to 48 h older than its newest, which may be some minutes old, and
/// tells nobody of them.
constexpr TimestampMs kHotSlackMs = 3'600'000;
/// One step alone is asked for as quickly as it is looked up.
constexpr std::uint32_t kStepsMin = 2;
/// What is kept is replaced when it lacks so large a part of what is past by now.
constexpr std::uint32_t kLagPart = 16;

bool has_parameter(const request::Form& form, std::string_view name) {
  return std::any_of(form.begin(), form.end(),
                     [&](const auto& parameter) { return parameter.first == name; });
}

TimestampMs step_ms_of(const plan::Question& question) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(question.step).count();
}

cache::StepGrid grid_of(const plan::Question& question) {
  return {question.times.start_ms, step_ms_of(question),
          static_cast<std::uint32_t>(question.shape.steps)};
}

promql::TimeRange touched(const std::vector<promql::TimeRange>& ranges) {
  promql::TimeRange all = ranges.front();
  for (const promql::TimeRange& range : ranges) {
    all.from_ms = std::min(all.from_ms, range.from_ms);
    all.to_ms = std::max(all.to_ms, range.to_ms);
  }
  return all;
}

}  // namespace

// What is read moves along with the step, or stands still (`@`): so the first step tells how far
// the others reach.
std::uint32_t steps_until(const promql::Expr& expr, const plan::Question& question,
                          TimestampMs edge_ms) {
  promql::Evaluation first = question.times;
  first.end_ms = first.start_ms;
  const auto ranges = promql::selector_ranges(expr, first);
  if (ranges.empty()) return 0;
  const TimestampMs reach_ms = touched(ranges).to_ms;
  if (reach_ms > edge_ms) return 0;
  // Without signs: the two may lie further apart than a signed number reaches.
  const std::uint64_t room_ms =
      static_cast<std::uint64_t>(edge_ms) - static_cast<std::uint64_t>(reach_ms);
  const std::uint64_t steps = room_ms / static_cast<std::uint64_t>(step_ms_of(question)) + 1;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(steps, question.shape.steps));
}

TimePoint read_since(const cache::KeptAnswer* found, TimePoint told_at) {
  return found == nullptr ? told_at : std::min(found->read_at, told_at);
}

bool KeptSteps::may_keep(const stores::Stores& stores, const cache::KeptAnswers& kept,
                         const plan::Question& question) {
  if (!kept.is_on() || stores.cold() == nullptr) return false;
  if (!question.caller.customer || !question.touches || question.step == Duration(0)) return false;
  // Statistics are of one evaluation; which series a limit leaves is the store's choice.
  if (!question.is_own_stats || has_parameter(question.form, "limit")) return false;
  if (question.times.start_ms < 0 || !promql::is_stepwise(*question.expr)) return false;
  return steps_until(*question.expr, question, question.now_ms - kPastMs) >= kStepsMin;
}

KeptSteps::KeptSteps(stores::Stores& stores, cache::KeptAnswers& kept, ColdWord word)
    : stores_(stores), kept_(kept), word_(std::move(word)), told_at_(stores.clock().steady()) {}

void KeptSteps::give_up(const plan::Course& course) {
  kept_.forget(course.question().caller.payer(), key_);
  is_given_up_ = true;
  steps_ = 0;
  found_.reset();
  key_.clear();
}

/// Only where the store is asked since it has all, and has it still.
bool KeptSteps::may_keep_of(const plan::Course& course) const {
  if (is_given_up_ || !word_.past) return false;
  const plan::Step& step = course.step();
  if (step.store == plan::Store::kHot) return step.standing == plan::Standing::kHolds;
  if (step.standing != plan::Standing::kLongTerm) return false;
  if (step.thinned && step.thinned->is_approximate) return false;
  return word_.kept_now && course.question().touches->from_ms >= (*word_.kept_now)[step.resolution];
}

TimestampMs KeptSteps::edge_of(const plan::Course& course) const {
  const TimestampMs edge_ms = std::min(word_.past->edge_ms, course.question().now_ms - kPastMs);
  return course.step().store == plan::Store::kHot ? edge_ms - kHotSlackMs : edge_ms;
}

/// What a step's value depends on beside its time. The start counts by the grid that it makes.
std::string KeptSteps::key_of(const plan::Course& course) const {
  const plan::Question& question = course.question();
  const plan::Step& step = course.step();
  const bool is_hot = step.store == plan::Store::kHot;
  // Another version may give other values: of a range's left end 2.x and 3.x do.
  const std::string where =
      is_hot ? fmt::format("hot {} {}", step.member, stores_.coverage().version(step.member))
             : fmt::format("cold {}", stores_.query_version());
  const std::string& text = step.thinned ? step.thinned->text : question.shape.text;
  return fmt::format("{} {} {} {} {} {}", where, to_string(step.resolution), step_ms_of(question),
                     question.times.start_ms % step_ms_of(question),
                     question.times.lookback.count(), text);
}

void KeptSteps::look_up(const plan::Course& course) {
  steps_ = 0;
  found_.reset();
  key_.clear();
  if (!may_keep_of(course)) return;
  const plan::Question& question = course.question();
  const TimestampMs edge_ms = edge_of(course);
  past_ = std::min(steps_until(*question.expr, question, edge_ms),
                   steps_until(*course.expr(), question, edge_ms));
  if (past_ < kStepsMin) return;
  key_ = key_of(course);
  auto found =
      kept_.find(question.caller.payer(), key_, word_.past->state, stores_.clock().steady());
  if (found) use(course, std::move(found));
  kept_.count(steps_ == 0      ? cache::KeptPart::kNothing
              : is_all(course) ? cache::KeptPart::kAll
                               : cache::KeptPart::kSome);
}

/// What is kept has to begin where the question does, or before: else all is asked for, and kept.
void KeptSteps::use(const plan::Course& course, std::shared_ptr<const cache::KeptAnswer> found) {
  const plan::Question& question = course.question();
  const cache::StepGrid& kept = found->matrix.grid();
  if (kept.first_ms > question.times.start_ms) return;
  const std::int64_t begin = (question.times.start_ms - kept.first_ms) / kept.step_ms;
  if (begin >= kept.steps) return;
  const auto first = static_cast<std::uint32_t>(begin);
  const std::uint32_t steps = std::min(kept.steps - first, past_);
  if (steps < kStepsMin) return;
  steps_ = steps;
  stretch_ = {first, first + steps};
  found_ = std::move(found);
  promql::Evaluation rest = question.times;
  rest.start_ms += steps_ * kept.step_ms;
  if (!is_all(course)) rest_ranges_ = promql::selector_ranges(*course.expr(), rest);
}

bool KeptSteps::is_all(const plan::Course& course) const {
  return steps_ > 0 && steps_ == course.question().shape.steps;
}

request::Form KeptSteps::form(const plan::Course& course) const {
  request::Form form = course.form();
  if (steps_ == 0) return form;
  const plan::Question& question = course.question();
  for (auto& [name, value] : form) {
    if (name != "start") continue;
    value = request::format_seconds(question.times.start_ms + steps_ * step_ms_of(question));
  }
  return form;
}

promql::EvaluationShape KeptSteps::shape(const plan::Course& course) const {
  promql::EvaluationShape shape = course.shape(stores_.coverage().dialect());
  shape.steps -= steps_;
  shape.length -= steps_ * course.question().step;
  return shape;
}

access::QueryShape KeptSteps::likeness(const plan::Course& course) const {
  access::QueryShape likeness = course.likeness();
  if (steps_ == 0 || rest_ranges_.empty()) return likeness;
  likeness.steps -= steps_;
  likeness.touches = touched(rest_ranges_);
  return likeness;
}

const std::vector<promql::TimeRange>& KeptSteps::ranges(const plan::Course& course) const {
  return steps_ == 0 ? course.ranges() : rest_ranges_;
}

std::size_t KeptSteps::joined_bytes(const wire::prometheus_api::Envelope& rest) const {
  return found_->matrix.text_bytes() + rest.data_size();
}

std::optional<wire::prometheus_api::Envelope> KeptSteps::join(
    const wire::prometheus_api::Envelope& rest) const {
  if (rest.is_stored()) return std::nullopt;
  std::string body(wire::prometheus_api::Envelope::kPlainStart);
  body.reserve(body.size() + joined_bytes(rest) + 1);
  if (!found_->matrix.append_joined(stretch_, rest.data(), body)) return std::nullopt;
  body += '}';
  auto joined = wire::prometheus_api::Envelope::read(std::move(body));
  if (!joined) return std::nullopt;
  return std::move(*joined);
}

std::string KeptSteps::served(const plan::Course& course) const {
  if (steps_ == 0) return {};
  const cache::StepGrid grid = grid_of(course.question());
  return fmt::format(", cache={}/{}", request::format_time(grid.time(0)),
                     request::format_time(grid.time(steps_ - 1)));
}

void KeptSteps::keep(const plan::Course& course, const wire::prometheus_api::Envelope& answer,
                     const plan::Notes& notes) const {
  if (key_.empty() || !notes.warnings.empty() || answer.is_stored()) return;
  // Nothing new, or too little for the work.
  if (steps_ > 0 && past_ - steps_ < std::max<std::uint32_t>(past_ / kLagPart, 1)) return;
  // It is packed to about half of that, but for what it has of labels.
  if (answer.data().size() / 4 > kept_.answer_bytes_max()) return;
  auto matrix = cache::KeptMatrix::read(answer.data(), grid_of(course.question()), 0, past_);
  if (!matrix) return;
  kept_.keep(course.question().caller.payer(), key_,
             std::make_shared<const cache::KeptAnswer>(cache::KeptAnswer{
                 word_.past->state, read_since(found_.get(), told_at_), std::move(*matrix)}));
}

}  // namespace vigia::router::run
