// A session with a Cassandra cluster: what the driver gives, with a bound on what is under way and
// a deadline for each request, the waiting for a place included.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "libs/cassandra/cells.hpp"
#include "libs/cassandra/driver.hpp"
#include "libs/cassandra/in_flight.hpp"
#include "libs/cassandra/page.hpp"

namespace vigia::cassandra {

struct SessionLimits {
  /// Requests under way; more are no faster: 64 of 4 KiB kept a node as busy as 256 did.
  std::size_t in_flight_max = 64;
  /// For preparing and for changes of the schema, which wait for every node.
  Duration schema_deadline = std::chrono::seconds(30);
  /// For those who prepare: after how long a second node is asked, where it may be; 0: never.
  Duration speculative_after{};
};

/// Errors: the driver's, and kUnavailable where no place became free within the deadline.
/// Thread contract: any thread but the driver's own; the destructor once no call is under way. It
/// waits for the answers that are.
class Session {
 public:
  Session(std::unique_ptr<Driver> driver, const SessionLimits& limits);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  Result<std::unique_ptr<PreparedStatement>> prepare(const StatementSpec& spec);
  Result<void> run(std::string_view cql, Consistency consistency = Consistency::kQuorum);

  /// One page; `done` as PageDone says, also with the error of a request that was not sent. Waits
  /// for a place, so it must not be called from a `done`.
  void send(const Execution& request, PageDone done);
  /// One page, waited for.
  Result<Page> fetch(const Execution& request);
  /// Each row of all pages in the cluster's order, until `visit` says false. What `visit` was given
  /// before an error has come all the same.
  Result<void> for_each_row(const Execution& request, const std::function<bool(RowReader&)>& visit);

  /// For the end of a program: no request that is sent from now on has a deadline behind this time
  /// (steady), and what is sent after it fails at once (kUnavailable). An earlier one replaces it,
  /// a later one does not.
  void end_by(TimePoint time);

  std::size_t in_flight() const { return places_.count(); }
  Duration speculative_after() const { return limits_.speculative_after; }
  SecondRequestCounts second_requests() const { return driver_->second_requests(); }

 private:
  /// What is left of the deadline, by end_by.
  Duration clamped(Duration deadline) const;

  const SessionLimits limits_;
  std::atomic<TimePoint> end_{TimePoint::max()};
  InFlight places_;
  std::unique_ptr<Driver> driver_;  ///< ends first: its threads leave places
};

}  // namespace vigia::cassandra
