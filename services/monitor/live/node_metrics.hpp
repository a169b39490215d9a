// Curves of one node, as one JSON document.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/live/router_queries.hpp"

namespace vigia::monitor::live {

/// The grid of a range of the contract ("15m" … "2y") that ends at `now_ms`: at most 370 steps, on
/// multiples of the step, so that the router may answer from roll-ups. Nothing for another range.
std::optional<TimeGrid> grid_of(std::string_view range, std::int64_t now_ms);

/// One value per step of the grid; nothing where the series has none.
std::vector<std::optional<double>> on_grid(const TimeGrid& grid,
                                           const std::vector<MatrixSeries>& series);

/// PromQL for everything that a curve is drawn from, over the `window_ms` before each step: one
/// question, each answer's series marked by the label `part`. No sample of the time is left out: a
/// peak of a second is in the largest value of its step, at whatever distance the steps are. It
/// costs seven selectors of the node's own series, whatever the range.
std::string curve_query(const CustomerId& customer, const NodeId& node, std::int64_t window_ms);

/// One measure step by step; as long as the times.
struct Measure {
  std::vector<std::optional<double>> average;
  std::vector<std::optional<double>> minimum;
  std::vector<std::optional<double>> maximum;
};

struct NodeCurves {
  std::vector<std::int64_t> times;  ///< seconds; the last may be less than a step after the others
  Measure cpu;
  Measure memory;
  std::vector<std::optional<double>> samples;

  /// One more step at `time_s` from the parts of an instant answer.
  void append(std::int64_t time_s, const std::map<std::string, double, std::less<>>& parts);
};

NodeCurves read_curves(const TimeGrid& grid, const std::vector<MatrixSeries>& series);

/// Of all samples of the range; nothing where there is none.
struct RangeSummary {
  double minimum = 0;
  double average = 0;
  double maximum = 0;
};
std::optional<RangeSummary> summary_of(const Measure& measure,
                                       const std::vector<std::optional<double>>& samples);

/// Whose curves over what; `known_from_ms`: since when the node is in the directory.
struct CurveAsk {
  CustomerId customer;
  NodeId node;
  TimeGrid grid;
  std::int64_t now_ms = 0;
  std::int64_t known_from_ms = 0;
};

class OwnRecords;

struct CurveSources {
  RouterQueries& router;
  OwnRecords& own_records;
};

/// Schema NodeMetrics of the contract, up to now. Blocks while it asks the router: one question
/// about the grid, where its steps are long one about what lies after the last, one how the node
/// answered, and one when Vigía was away. Where the last two fail a warning says so, and what is
/// missing of the curve is nobody's.
Result<std::string> write_node_metrics(const CurveAsk& ask, const CurveSources& sources);

}  // namespace vigia::monitor::live
