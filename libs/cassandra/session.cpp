#include "libs/cassandra/session.hpp"

#include <algorithm>
#include <chrono>
#include <future>
#include <utility>

#include "libs/base/fault.hpp"

namespace vigia::cassandra {
namespace {

/// What is left of a deadline that began when this was made; never less than nothing.
class Remaining {
 public:
  explicit Remaining(Duration deadline) : end_(std::chrono::steady_clock::now() + deadline) {}
  Duration operator()() const {
    return std::max<Duration>(end_ - std::chrono::steady_clock::now(), Duration());
  }

 private:
  std::chrono::time_point<std::chrono::steady_clock, Duration> end_;
};

}  // namespace

Session::Session(std::unique_ptr<Driver> driver, const SessionLimits& limits)
    : limits_(limits), places_(limits.in_flight_max), driver_(std::move(driver)) {}

// The driver gives what runs some seconds when it ends; here each has its own deadline, so that
// what was written is known to be so.
Session::~Session() { places_.wait_for_none(); }

Result<std::unique_ptr<PreparedStatement>> Session::prepare(const StatementSpec& spec) {
  return driver_->prepare(spec, limits_.schema_deadline);
}

Result<void> Session::run(std::string_view cql, Consistency consistency) {
  return driver_->run(cql, consistency, limits_.schema_deadline);
}

void Session::send(const Execution& request, PageDone done) {
  const Duration deadline = clamped(request.deadline);
  if (deadline <= Duration()) {
    done(fail(ErrorCode::kUnavailable, "Cassandra: this program ends, nothing more is asked"));
    return;
  }
  const Remaining remaining(deadline);
  Result<InFlightPlace> place = places_.enter(request.owner, deadline);
  if (!place) {
    done(forward(place));
    return;
  }
  // The place is left once `done` has come: a page counts as long as nobody has taken it over.
  auto leaving = [place = std::move(*place), done = std::move(done)](Result<Page> page) {
    contain_faults("an answer of Cassandra", [&] { done(std::move(page)); });
  };
  Execution sent = request;
  sent.deadline = remaining();
  driver_->execute(sent, std::move(leaving));
}

void Session::end_by(TimePoint time) {
  TimePoint end = end_;
  while (time < end && !end_.compare_exchange_weak(end, time)) {
  }
}

Duration Session::clamped(Duration deadline) const {
  const TimePoint end = end_;
  if (end == TimePoint::max()) return deadline;
  return std::min<Duration>(deadline, end - std::chrono::steady_clock::now());
}

Result<Page> Session::fetch(const Execution& request) {
  // Shared by this frame and the driver's thread, which may still be in set_value when get returns.
  auto promise = std::make_shared<std::promise<Result<Page>>>();
  std::future<Result<Page>> page = promise->get_future();
  send(request, [promise](Result<Page> answer) { promise->set_value(std::move(answer)); });
  return page.get();
}

Result<void> Session::for_each_row(const Execution& request,
                                   const std::function<bool(RowReader&)>& visit) {
  const Remaining remaining(request.deadline);
  std::string paging_state(request.paging_state);
  while (true) {
    Result<Page> page =
        fetch({request.statement, request.cells, request.owner, remaining(), paging_state});
    if (!page) return forward(page);
    for (std::size_t row = 0; row < page->rows(); ++row) {
      RowReader reader = page->row(row);
      if (!visit(reader)) return {};
    }
    // A page may be empty and not the last one: where rows of it have expired, or are filtered.
    if (page->paging_state().empty()) return {};
    paging_state = page->paging_state();
  }
}

}  // namespace vigia::cassandra
