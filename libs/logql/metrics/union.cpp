#include "libs/logql/metrics/union.hpp"

#include <algorithm>
#include <utility>

namespace vigia::logql::metrics {

Result<void> Union::add(StepVector side) {
  if (!all_.empty()) {
    if (const auto done = presence_.keep(side, false); !done) return done;
  }
  if (const auto done = presence_.add(side); !done) return done;
  for (StepSeries& series : side.series) {
    if (series.values.empty()) continue;
    values_ += series.values.size();
    if (const auto done = check_values(values_); !done) return done;
    auto& [values, has_unsorted] = all_[series.labels];
    if (values.empty()) {
      if (const auto done = check_series(all_.size(), 0); !done) return done;
      values = std::move(series.values);
      continue;
    }
    // A series may come from one side at one step and from another side at another.
    has_unsorted = has_unsorted || values.back().step > series.values.front().step;
    values.insert(values.end(), series.values.begin(), series.values.end());
  }
  held_.add(std::move(side.held));
  return {};
}

StepVector Union::finish() {
  StepVector output;
  for (auto& [labels, gathered] : all_) {
    auto& values = gathered.values;
    if (gathered.has_unsorted) {
      std::sort(values.begin(), values.end(),
                [](const StepValue& a, const StepValue& b) { return a.step < b.step; });
    }
    output.series.push_back({labels, std::move(values)});
  }
  output.held = std::move(held_);
  output.held.shrink_to(bytes_of(output));
  return output;
}

}  // namespace vigia::logql::metrics
