// Which series a line belongs to.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/line_labels.hpp"
#include "libs/model/labels.hpp"

namespace vigia::logql::metrics {

/// Numbers the sets of labels that a grouping leaves of lines. Not thread-safe.
class LineGroups {
 public:
  /// kNone keeps all labels. `unwrapped` is left out, unless `by` names it; "" for none.
  LineGroups(LabelGrouping grouping, std::string unwrapped)
      : grouping_(std::move(grouping)), unwrapped_(std::move(unwrapped)) {}
  /// The number of the line's group; a new one is the largest. kTooLarge past the bounds of
  /// series.
  Result<std::size_t> number_of(const pipeline::LineLabels& line);
  /// Of lines with these labels alone.
  Result<std::size_t> number_of(const Labels& labels);
  const std::vector<Labels>& labels() const { return labels_; }

 private:
  bool is_left(std::string_view name) const;
  Result<std::size_t> number_of_pairs();

  LabelGrouping grouping_;
  std::string unwrapped_;
  std::vector<std::pair<std::string_view, std::string_view>> pairs_;
  std::string key_;
  std::unordered_map<std::string, std::size_t> numbers_;
  std::vector<Labels> labels_;
  std::size_t label_bytes_ = 0;
};

}  // namespace vigia::logql::metrics
