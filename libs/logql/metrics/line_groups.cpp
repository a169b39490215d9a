#include "libs/logql/metrics/line_groups.hpp"

#include <algorithm>

#include "libs/logql/metrics/step_series.hpp"

namespace vigia::logql::metrics {

using Grouping = promql::Aggregation::Grouping;

bool LineGroups::is_left(std::string_view name) const {
  const bool is_named =
      std::find(grouping_.labels.begin(), grouping_.labels.end(), name) != grouping_.labels.end();
  if (grouping_.kind == Grouping::kBy) return is_named;
  return !is_named && (unwrapped_.empty() || name != unwrapped_);
}

Result<std::size_t> LineGroups::number_of(const pipeline::LineLabels& line) {
  pairs_.clear();
  line.for_each([this](std::string_view name, std::string_view value) {
    if (is_left(name)) pairs_.emplace_back(name, value);
  });
  return number_of_pairs();
}

Result<std::size_t> LineGroups::number_of(const Labels& labels) {
  pairs_.clear();
  for (const Label& label : labels) {
    if (is_left(label.name)) pairs_.emplace_back(label.name, label.value);
  }
  return number_of_pairs();
}

Result<std::size_t> LineGroups::number_of_pairs() {
  std::sort(pairs_.begin(), pairs_.end());
  key_.clear();
  // Lengths, since a value may hold any byte.
  for (const auto& [name, value] : pairs_) {
    key_.append(name).append(1, '=').append(std::to_string(value.size())).append(1, ':');
    key_.append(value);
  }
  const auto known = numbers_.find(key_);
  if (known != numbers_.end()) return known->second;
  label_bytes_ += key_.size();
  if (const auto done = check_series(labels_.size() + 1, label_bytes_); !done) return forward(done);
  std::vector<Label> labels;
  for (const auto& [name, value] : pairs_) {
    labels.push_back(Label{std::string(name), std::string(value)});
  }
  labels_.push_back(Labels::from(std::move(labels)));
  numbers_.emplace(key_, labels_.size() - 1);
  return labels_.size() - 1;
}

}  // namespace vigia::logql::metrics
