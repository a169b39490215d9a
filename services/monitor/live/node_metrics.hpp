// Curves of one node, as one JSON document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/live/router_queries.hpp"

namespace vigia::monitor {

/// The grid of a range of the contract ("15m" … "2y") that ends at `now_ms`: at most 370 steps, on
/// multiples of the step, so that the router may answer from roll-ups. Nothing for another range.
std::optional<TimeGrid> grid_of(std::string_view range, std::int64_t now_ms);

/// One value per step of the grid; nothing where the series has none.
std::vector<std::optional<double>> on_grid(const TimeGrid& grid,
                                           const std::vector<MatrixSeries>& series);

/// Schema NodeMetrics of the contract. Blocks while it asks the router.
Result<std::string> write_node_metrics(const CustomerId& customer, const NodeId& node,
                                       const TimeGrid& grid, RouterQueries& router);

}  // namespace vigia::monitor
