// A plan under way: the plan, and the position in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "libs/base/result.hpp"
#include "libs/promql/result_memory.hpp"
#include "services/router/plan/query_plan.hpp"
#include "services/router/plan/replies.hpp"

namespace vigia::router::plan {

/// What an answer makes of the course.
enum class Verdict {
  kDone,       ///< it goes to the caller
  kRefuse,     ///< it goes to the caller, whose own fault it tells
  kNext,       ///< the course stands at the next step, which is to be asked
  kLookAgain,  ///< the same store is to be asked by bare_reading whether something is missing
  kFail,       ///< the caller gets an error: nobody else may answer
};

/// Decides, and asks nobody: whoever runs it tells what came. A query may wait for minutes, its
/// series be counted for half of one, and the store be wiped meanwhile: what hot covers is told
/// when the turn has come, and again when the answer is there. One thread at a time.
class Course {
 public:
  Course(Question question, QueryPlan plan, const Knowledge& known);

  /// Where it stands. It moves on by itself while a step has its turn: who asked then, and finds
  /// that it has moved, asks again.
  struct Position {
    std::size_t step = 0;
    access::Weight weight = access::Weight::kLight;
    bool operator==(const Position&) const = default;
  };
  const Position& position() const { return position_; }
  const Step& step() const { return plan_.steps[position_.step]; }
  const Question& question() const { return question_; }
  const QueryPlan& plan() const { return plan_; }
  /// What hot covers, as it was told last.
  const coverage::Covered& covered() const { return covered_; }
  const std::optional<coverage::KeptFrom>& kept() const { return kept_; }
  /// The query in the form in which the step asks it.
  const std::shared_ptr<const promql::Expr>& expr() const;
  const std::vector<promql::TimeRange>& ranges() const;
  request::Form form() const;
  access::QueryShape likeness() const;
  /// How the store that is asked now makes results.
  promql::EvaluationShape shape(promql::Dialect hot_dialect) const;

  /// The turn at hot has come. An error where the request must not go: the course has moved.
  Result<void> heed_coverage(const coverage::Covered& now);
  /// The results take so many bytes at the most, or have no room. An error where the request must
  /// not go: the course has moved, or the error is the caller's.
  Result<void> heed_room(const Result<std::uint64_t>& bytes, promql::Dialect hot_dialect);

  /// An answer of this kind is there. `now`: what hot covers; of no matter at the long-term store.
  Verdict take(Reply reply, const coverage::Covered& now);
  /// What the long-term store refused, so that whoever answers instead says so.
  void note_refusal(std::optional<Error> refusal) { refusal_ = std::move(refusal); }
  const std::optional<Error>& refusal() const { return refusal_; }
  /// What the same store said when it was looked at again.
  Verdict take_second_look(Reply reply);

 private:
  bool has_next() const { return position_.step + 1 < plan_.steps.size(); }
  /// The next step that asks the long-term store; nothing where none is left.
  std::optional<std::size_t> next_long_term() const;
  /// Whether the step behind asks another member of hot that holds all.
  bool has_other_member() const;
  bool is_thinned() const { return step().thinned != nullptr; }
  void go_on();
  /// Whether hot was asked only since it was known to hold all.
  bool may_leave() const { return step().standing == Standing::kHolds && has_next(); }
  bool may_leave_old_hot(promql::Dialect hot_dialect) const;
  void go_to_long_term();
  Verdict take_lost();
  Verdict take_from_hot(Reply reply, coverage::Covered now);
  Verdict take_from_long_term(Reply reply);
  bool is_refused_thinned(Reply reply) const;
  /// Goes on to the samples.
  Verdict leave_thinned();
  /// Goes on to a store that has not failed.
  Verdict leave_failed();

  Question question_;
  QueryPlan plan_;
  Position position_;
  access::Weight raw_weight_;
  coverage::Covered covered_;
  std::optional<coverage::KeptFrom> kept_;
  std::optional<Error> refusal_;
  bool was_lost_ = false;
};

/// Whether a hot store that answered so may come back empty: one that is gone. A fault that it
/// tells of, perhaps of this query alone, says nothing about what it holds.
bool makes_suspect(Reply reply);

}  // namespace vigia::router::plan
