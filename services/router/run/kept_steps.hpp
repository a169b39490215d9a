// What of one range query's steps is kept of an earlier answer, and what of its answer will be.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "libs/wire/prometheus_api/envelope.hpp"
#include "services/router/cache/kept_answers.hpp"
#include "services/router/plan/course.hpp"
#include "services/router/plan/notes.hpp"
#include "services/router/run/cold_word.hpp"

namespace vigia::router::run {

/// The first of the question's steps that read nothing later than the edge, counted.
std::uint32_t steps_until(const promql::Expr& expr, const plan::Question& question,
                          TimestampMs edge_ms);

/// When the oldest part of an answer was read, of what was kept (null: nothing was) and what was
/// read since `told_at`: however often an answer is kept on, none of it grows older than one may.
TimePoint read_since(const cache::KeptAnswer* found, TimePoint told_at);

/// Of one query, on its way from store to store. What was read of one store, in one form, stands
/// for that alone. One thread at a time.
class KeptSteps {
 public:
  /// Whether steps of it may be kept at all, by what it is and asks for; asks nobody.
  static bool may_keep(const stores::Stores& stores, const cache::KeptAnswers& kept,
                       const plan::Question& question);

  /// `word`: told before anything is read. The references must outlive it.
  KeptSteps(stores::Stores& stores, cache::KeptAnswers& kept, ColdWord word);

  /// Looks what is kept for the step at which the course stands.
  void look_up(const plan::Course& course);
  /// What is kept cannot be put together with what the store says. From here on nothing is kept,
  /// nor looked up.
  void give_up(const plan::Course& course);

  /// The question's first steps that are kept, in number.
  std::uint32_t steps() const { return steps_; }
  bool is_all(const plan::Course& course) const;
  // What is to be asked of the store, of the steps behind them; the course's own where none are
  // kept.
  request::Form form(const plan::Course& course) const;
  promql::EvaluationShape shape(const plan::Course& course) const;
  access::QueryShape likeness(const plan::Course& course) const;
  /// It stays until the next look_up.
  const std::vector<promql::TimeRange>& ranges(const plan::Course& course) const;

  /// Of the answer that join makes, at most.
  std::size_t joined_bytes(const wire::prometheus_api::Envelope& rest) const;
  /// The answer over all steps, of what is kept and the store's over the steps behind them. Nothing
  /// where the store's is not as Prometheus writes it, or so large that it is stored elsewhere:
  /// then all steps are to be asked for.
  std::optional<wire::prometheus_api::Envelope> join(
      const wire::prometheus_api::Envelope& rest) const;
  /// ", cache=FIRST/LAST": of the steps that were kept; for X-Vigia-Served.
  std::string served(const plan::Course& course) const;

  /// PromQL has remarked on something, perhaps on one step alone: the answer is no part of others.
  void keep_nothing() { key_.clear(); }
  /// Keeps what of the whole answer is past, where nothing was said against it.
  void keep(const plan::Course& course, const wire::prometheus_api::Envelope& answer,
            const plan::Notes& notes) const;

 private:
  bool may_keep_of(const plan::Course& course) const;
  TimestampMs edge_of(const plan::Course& course) const;
  std::string key_of(const plan::Course& course) const;
  void use(const plan::Course& course, std::shared_ptr<const cache::KeptAnswer> found);

  stores::Stores& stores_;
  cache::KeptAnswers& kept_;
  const ColdWord word_;
  const TimePoint told_at_;
  bool is_given_up_ = false;
  std::string key_;         // empty: nothing is kept of this step
  std::uint32_t past_ = 0;  // steps that may be kept
  std::uint32_t steps_ = 0;
  std::shared_ptr<const cache::KeptAnswer> found_;  // null: steps_ is 0
  cache::KeptMatrix::Stretch stretch_;              // of found_
  std::vector<promql::TimeRange> rest_ranges_;
};

}  // namespace vigia::router::run
