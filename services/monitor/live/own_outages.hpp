// When Vigía itself was away, and how a node answered, as the hot stores have recorded both.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/ids.hpp"
#include "services/monitor/live/prometheus_answer.hpp"
#include "services/monitor/live/router_queries.hpp"

namespace vigia::monitor::live {

/// Seconds since 1970, from < to.
struct TimeRange {
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
  bool operator==(const TimeRange&) const = default;
};

/// Some 2,000 points at most from the start of a curve's grid to now, at a distance that divides
/// the curve's steps: of a day a minute, of an hour what the rules are evaluated at.
TimeGrid record_grid(const TimeGrid& curve, std::int64_t now_s);

/// PromQL for how a node answered (`up`) and for when Vigía was away to its customer alone, each
/// marked by the label `part`: a series or two of three selectors.
std::string node_record_query(const CustomerId& customer, const NodeId& node, const TimeGrid& grid);

/// PromQL for when Vigía was away to everybody, by what the rules record every `interval`.
std::string own_record_query(const TimeGrid& grid, Duration interval);

/// What is recorded of a node and of us over a grid.
struct Record {
  TimeGrid grid;
  std::vector<std::optional<double>> up;  ///< one a point: the share of its time; nothing: unasked
  /// Ascending, not touching: what collector, router, monitor or hot store missed. Nothing is said
  /// of times before the first record. Times in which no rule was evaluated: the hot store was
  /// away.
  std::vector<TimeRange> outages;

  /// Between two times; nothing where nobody asked.
  std::optional<double> up_share(std::int64_t from_s, std::int64_t to_s) const;
};

/// Of the answers to both questions.
Record read_record(const TimeGrid& grid, const std::vector<MatrixSeries>& series);

/// How much of a time lies in outages, each longer by `slack_s` at both ends: what is known of them
/// comes from scrapes and evaluations, and samples lie apart.
double outage_share(const std::vector<TimeRange>& outages, std::int64_t from_s, std::int64_t to_s,
                    std::int64_t slack_s);

/// The slack of outage_share: a scrape of our own parts, a sample of the node, an evaluation.
std::int64_t outage_slack_s(Duration interval);

/// What is recorded of our own parts, asked once for all who look at the same times. Thread
/// contract: any thread but an event loop; blocks.
class OwnRecords {
 public:
  /// `interval`: how often the rules are evaluated.
  OwnRecords(RouterQueries& router, Duration interval) : router_(router), interval_(interval) {}

  /// kUnavailable where the router does not answer.
  Result<RangeAnswer> of(const TimeGrid& grid);
  Duration interval() const { return interval_; }

 private:
  struct Kept {
    TimeGrid grid;
    RangeAnswer answer;
  };
  RouterQueries& router_;
  const Duration interval_;
  std::mutex mutex_;
  std::deque<Kept> kept_;  ///< guarded by mutex_; the newest last, kOwnRecordsMax at most
};

}  // namespace vigia::monitor::live
