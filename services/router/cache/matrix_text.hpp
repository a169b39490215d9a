// A range query's data as Prometheus writes it, looked at without copying.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "libs/model/sample.hpp"

namespace vigia::router::cache {

/// The times at which a range query is evaluated.
struct StepGrid {
  TimestampMs first_ms = 0;
  std::int64_t step_ms = 1;  ///< greater than 0
  std::uint32_t steps = 0;

  TimestampMs time(std::uint32_t step) const { return first_ms + step * step_ms; }
};

/// One series: its labels as they stand there, and what stands between the brackets of its lists.
struct SeriesText {
  std::string_view metric;      ///< {"__name__":"up",…}
  std::string_view values;      ///< [1700000000,"1"],[1700000060.5,"NaN"]; empty: it has none
  std::string_view histograms;  ///< [1700000000,{…}]
};

/// {"resultType":"matrix","result":[…]} exactly as Prometheus writes it: no white space, no other
/// fields. Nothing on anything else, which somebody else may have written.
std::optional<std::vector<SeriesText>> read_matrix(std::string_view data);

/// Calls `see` with the number of the step and the value's text (without its quotation marks, or a
/// histogram's object) of each element, until it returns false. False where one is not of the form
/// that Prometheus gives it, lies on no step of the grid, or not behind the one before it.
bool for_each_value(std::string_view values, const StepGrid& grid,
                    const std::function<bool(std::uint32_t, std::string_view)>& see);
bool for_each_histogram(std::string_view histograms, const StepGrid& grid,
                        const std::function<bool(std::uint32_t, std::string_view)>& see);

}  // namespace vigia::router::cache
