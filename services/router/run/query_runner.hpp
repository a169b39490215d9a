// One query on its way from store to store.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "libs/base/result.hpp"
#include "libs/base/task.hpp"
#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/plan/course.hpp"
#include "services/router/plan/notes.hpp"
#include "services/router/run/kept_steps.hpp"
#include "services/router/run/outcome.hpp"
#include "services/router/stores/stores.hpp"

namespace vigia::router::run {

/// Asks step by step what the course says, and tells it what came. It decides nothing itself. Any
/// thread; calls `done` once.
class QueryRunner : public std::enable_shared_from_this<QueryRunner> {
 public:
  using Done = Task<void(Outcome)>;
  using Begun = std::function<void()>;

  /// Plans with what is known now and begins. Stores and kept answers must outlive it; it lives as
  /// long as an answer is missing. `begun` is called whenever a store is sent something that the
  /// answer goes by.
  static void start(stores::Stores& stores, cache::KeptAnswers& kept, plan::Question question,
                    std::shared_ptr<access::Interest> interest, Begun begun, Done done);

  /// For start alone.
  QueryRunner(stores::Stores& stores, plan::Course course, KeptSteps kept,
              std::shared_ptr<access::Interest> interest, Begun begun, Done done);

 private:
  using Answer = Result<wire::prometheus_api::Envelope>;
  using Say = Task<void(Result<void>)>;

  const plan::Question& question() const { return course_.question(); }
  bool is_at_hot() const { return course_.step().store == plan::Store::kHot; }
  const upstream::AskedStore& store() const;
  access::Weight weight() const;
  upstream::Ask ask_of(std::string path, request::Form form) const;
  void ask();
  Result<void> check_known() const;
  Result<void> check_answer(const wire::prometheus_api::Envelope& answer) const;
  void refuse(Error error);
  void add_room_check(upstream::Ask& ask);
  void add_begun(upstream::Ask& ask) const;
  void add_coverage_check(upstream::Ask& ask);
  void count_room(const promql::EvaluationShape& shape, Say say);
  Result<void> check_coverage();
  void confirm(Answer answer);
  void take(Answer answer);
  void learn(const access::QueryShape& asked, Answer& answer);
  void settle(plan::Verdict verdict, Answer answer);
  Error error_of(Answer answer) const;
  void look_again(wire::prometheus_api::Envelope answer);
  void finish(wire::prometheus_api::Envelope answer);
  void ask_for_gaps(wire::prometheus_api::Envelope answer, plan::Notes notes);
  void end(wire::prometheus_api::Envelope answer, plan::Notes notes);
  void ask_for_all();
  void join(const wire::prometheus_api::Envelope& rest, plan::Notes notes);
  void close(wire::prometheus_api::Envelope answer, plan::Notes notes);

  stores::Stores& stores_;
  plan::Course course_;
  KeptSteps kept_;
  const std::shared_ptr<access::Interest> interest_;
  const Begun begun_;
  const Done done_;
  std::optional<std::uint64_t> samples_;  ///< of the answer that came last
  bool is_large_ = false;                 ///< its results are, as was counted
  Duration counting_left_;                ///< of the time for counting series
};

}  // namespace vigia::router::run
