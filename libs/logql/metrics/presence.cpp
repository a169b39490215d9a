#include "libs/logql/metrics/presence.hpp"

namespace vigia::logql::metrics {
namespace {

using WhichLabels = promql::VectorMatching::WhichLabels;

constexpr std::size_t kBitsOfAByte = 8;

}  // namespace

Labels signature_of(const Labels& labels, const promql::VectorMatching& matching) {
  if (matching.scope == WhichLabels::kOn) return kept(labels, matching.labels);
  if (matching.scope == WhichLabels::kIgnoring) return dropped(labels, matching.labels);
  return labels;
}

Result<void> Presence::add(const StepVector& side) {
  for (const StepSeries& series : side.series) {
    if (series.values.empty()) continue;
    if (const auto done = run_.look_at(series.values.size() + 1); !done) return done;
    const auto [found, is_new] = is_there_.try_emplace(signature_of(series.labels, matching_));
    if (is_new) {
      const std::size_t bits = run_.steps.count / kBitsOfAByte;
      if (const auto done = held_.take(bits + bytes_of(found->first)); !done) return done;
      found->second.resize(run_.steps.count);
    }
    for (const StepValue& value : series.values) found->second[value.step] = true;
  }
  return {};
}

Result<void> Presence::keep(StepVector& side, bool wanted) {
  for (StepSeries& series : side.series) {
    if (const auto done = run_.look_at(series.values.size() + 1); !done) return done;
    const auto partner = is_there_.find(signature_of(series.labels, matching_));
    std::erase_if(series.values, [&](const StepValue& value) {
      const bool is_there = partner != is_there_.end() && partner->second[value.step];
      return is_there != wanted;
    });
    series.values.shrink_to_fit();
  }
  side.held.shrink_to(bytes_of(side));
  return {};
}

}  // namespace vigia::logql::metrics
