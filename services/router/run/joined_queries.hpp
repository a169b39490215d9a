// Identical queries that are under way at once are asked of a store once.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>

#include "libs/base/clock.hpp"
#include "libs/base/task.hpp"
#include "libs/service/metrics.hpp"
#include "services/router/access/interest.hpp"
#include "services/router/plan/question.hpp"
#include "services/router/run/outcome.hpp"

namespace vigia::router::run {

/// Of one caller, who is the customer (operators over all customers are one), and of the same path,
/// text, times and options. Whoever comes while such a query has not been sent to a store gets its
/// outcome, and so does who comes up to kSentMax after that: what one learns of a store is then no
/// older than the time that a sample takes from a collector's acknowledgement to the store, so
/// nobody misses what he may count on. Of a query that has waited for half of its time for its turn
/// nobody gets the time-out but those who were there (docs/decisions/0036).
///
/// Each has its own interest: the query itself is given up when the last one has left. An error is
/// everybody's, but for that of who left. Any thread; may go before what is under way.
class JoinedQueries {
 public:
  static constexpr std::chrono::seconds kSentMax{1};

  /// The clock must outlive it and its queries.
  JoinedQueries(const Clock& clock, service::MetricRegistry& metrics);

  /// Runs one query: `begun` is to be called when something that its outcome goes by is first asked
  /// of a store, on any thread, any number of times.
  using Begun = std::function<void()>;
  using Done = Task<void(Outcome)>;
  using Run = std::function<void(
      plan::Question question, std::shared_ptr<access::Interest> interest, Begun begun, Done done)>;
  /// Calls `done` once: with the outcome, on the thread on which it comes and one after the other,
  /// each with a copy of its own; or with an error where its interest is lost.
  void start(plan::Question question, const std::shared_ptr<access::Interest>& interest,
             const Run& run, Done done);

 private:
  struct Flight;
  struct State;
  class Landing;
  using Waiting = std::map<std::uint64_t, Done>;
  static void leave(State& state, const std::shared_ptr<Flight>& flight, std::uint64_t number);

  const Clock& clock_;
  std::shared_ptr<State> state_;  // shared with what is under way
  service::Counter& joined_;
};

}  // namespace vigia::router::run
