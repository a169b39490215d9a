// When Vigía itself was away, and how a node answered, as a hot store has recorded both.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/base/duration.hpp"
#include "libs/model/ids.hpp"
#include "services/monitor/live/prometheus_answer.hpp"
#include "services/monitor/live/router_queries.hpp"

namespace vigia::monitor {

/// Seconds since 1970, from < to.
struct TimeRange {
  std::int64_t from_s = 0;
  std::int64_t to_s = 0;
  bool operator==(const TimeRange&) const = default;
};

/// Some 2,000 points at most from the start of a curve's grid to now, at a distance that divides
/// the curve's steps: of a day a minute, of an hour what the rules are evaluated at.
TimeGrid record_grid(const TimeGrid& curve, std::int64_t now_s);

/// PromQL for a hot store: `up` of the node and what is told of our own parts, each marked by the
/// label `part`. `interval`: how often the rules are evaluated. Six selectors of a series or two.
std::string record_query(const CustomerId& customer, const NodeId& node, const TimeGrid& grid,
                         Duration interval);

/// What a hot store has recorded of a node and of us over a grid.
struct Record {
  TimeGrid grid;
  std::vector<std::optional<double>> up;  ///< one a point: the share of its time; nothing: unasked
  /// Ascending, not touching: what collector, router, monitor or hot store missed. Nothing is said
  /// of times before the hot store's first record. A hot store that evaluates no rules was away.
  std::vector<TimeRange> outages;

  /// Between two times; nothing where nobody asked.
  std::optional<double> up_share(std::int64_t from_s, std::int64_t to_s) const;
};

Record read_record(const TimeGrid& grid, const std::vector<MatrixSeries>& series);

/// How much of a time lies in outages, each longer by `slack_s` at both ends: what is known of them
/// comes from scrapes and evaluations, and samples lie apart.
double outage_share(const std::vector<TimeRange>& outages, std::int64_t from_s, std::int64_t to_s,
                    std::int64_t slack_s);

/// The slack of outage_share: a scrape of our own parts, a sample of the node, an evaluation.
std::int64_t outage_slack_s(Duration interval);

}  // namespace vigia::monitor
