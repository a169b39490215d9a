#include "services/router/run/joined_queries.hpp"

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include <fmt/format.h>

namespace vigia::router::run {
namespace {

/// All that an outcome depends on. Each value comes behind its length, so that none looks like two.
std::string key_of(const plan::Question& question) {
  const access::Caller& caller = question.caller;
  std::string key =
      fmt::format("{} {} {} {} {} {} {} {}", caller.customer ? "customer" : "operator",
                  caller.payer(), caller.hot_shard, caller.assigned_ms, caller.active_series,
                  question.path, question.timeout.count(), question.is_own_stats);
  // Of two who may take other amounts of the same customer's data each has his own refusal.
  key += fmt::format(" {} {} {}", caller.limits.series, caller.limits.samples, caller.limits.bytes);
  for (const auto& [name, value] : question.form) {
    key += fmt::format(" {}={}:", name, value.size());
    key += value;
  }
  return key;
}

}  // namespace

/// One query, and who waits for it. Guarded by the mutex of State.
struct JoinedQueries::Flight {
  std::string key;
  TimePoint created;
  Duration timeout{0};
  std::optional<TimePoint> begun;
  Waiting waiting;
  std::uint64_t next_number = 0;
  const std::shared_ptr<access::Interest> interest = std::make_shared<access::Interest>();

  bool may_join(TimePoint now) const {
    return begun ? now - *begun <= kSentMax : now - created <= timeout / 2;
  }
};

struct JoinedQueries::State {
  std::mutex mutex;
  std::map<std::string, std::shared_ptr<Flight>, std::less<>> flights;  // the last one of each key

  /// Nobody may join any more. With the mutex.
  void close(const std::shared_ptr<Flight>& flight) {
    const auto found = flights.find(flight->key);
    if (found != flights.end() && found->second == flight) flights.erase(found);
  }
};

/// What the query tells its end to. One that is let go without an end, by a store that stops or a
/// fault of ours, lets go all who wait for it: their exchanges answer by themselves.
class JoinedQueries::Landing {
 public:
  Landing(std::shared_ptr<State> state, std::shared_ptr<Flight> flight)
      : state_(std::move(state)), flight_(std::move(flight)) {}
  Landing(Landing&&) noexcept = default;
  Landing& operator=(Landing&&) noexcept = delete;
  ~Landing() {
    if (flight_ != nullptr) (void)take();
  }

  void operator()(Outcome outcome) {
    Waiting waiting = take();
    while (!waiting.empty()) {
      const auto next = waiting.extract(waiting.begin());
      // One copy at a time, which its exchange counts or lets go before the next one is made.
      next.mapped()(waiting.empty() ? std::move(outcome) : Outcome(outcome));
    }
  }

 private:
  Waiting take() {
    Waiting waiting;
    const std::lock_guard lock(state_->mutex);
    waiting.swap(flight_->waiting);
    state_->close(flight_);
    return waiting;
  }

  std::shared_ptr<State> state_;
  std::shared_ptr<Flight> flight_;  // null after a move
};

JoinedQueries::JoinedQueries(const Clock& clock, service::MetricRegistry& metrics)
    : clock_(clock),
      state_(std::make_shared<State>()),
      joined_(metrics.counter("vigia_router_queries_joined_total",
                              "Queries that got the outcome of an identical one of their "
                              "customer's that was under way")) {}

void JoinedQueries::start(plan::Question question,
                          const std::shared_ptr<access::Interest>& interest, const Run& run,
                          Done done) {
  std::string key = key_of(question);
  const TimePoint now = clock_.steady();
  std::shared_ptr<Flight> flight;
  bool is_first = false;
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(state_->mutex);
    std::shared_ptr<Flight>& last = state_->flights[key];
    if (last == nullptr || !last->may_join(now)) {
      is_first = true;
      last = std::make_shared<Flight>();
      last->key = std::move(key);
      last->created = now;
      last->timeout = question.timeout;
    }
    flight = last;
    number = flight->next_number++;
    flight->waiting.emplace(number, std::move(done));
  }
  // Weakly: what waits holds its interest.
  interest->on_lost(flight, [state = state_, weak = std::weak_ptr(flight), number] {
    if (const auto left = weak.lock()) leave(*state, left, number);
  });
  if (!is_first) return joined_.add();
  run(
      std::move(question), flight->interest,
      [clock = &clock_, state = state_, weak = std::weak_ptr(flight)] {
        const auto begun = weak.lock();
        if (begun == nullptr) return;
        const std::lock_guard lock(state->mutex);
        if (!begun->begun) begun->begun = clock->steady();
      },
      Landing(state_, flight));
}

void JoinedQueries::leave(State& state, const std::shared_ptr<Flight>& flight,
                          std::uint64_t number) {
  Done done;
  bool is_last = false;
  {
    const std::lock_guard lock(state.mutex);
    const auto found = flight->waiting.find(number);
    if (found == flight->waiting.end()) return;  // it has its outcome
    done = std::move(found->second);
    flight->waiting.erase(found);
    is_last = flight->waiting.empty();
    if (is_last) state.close(flight);
  }
  // Each ends one way or the other; what this one is told nobody reads.
  done({fail(ErrorCode::kDeadline, "the client has left"), {}});
  if (is_last) flight->interest->lose();
}

}  // namespace vigia::router::run
