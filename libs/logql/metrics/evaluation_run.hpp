// What all parts of one evaluation share.
#pragma once

#include <cstddef>

#include "libs/base/result.hpp"
#include "libs/logql/metrics/evaluate.hpp"
#include "libs/logql/metrics/parts_memory.hpp"
#include "libs/logql/metrics/step_series.hpp"

namespace vigia::logql::metrics {

/// Not thread-safe; of one evaluation.
class EvaluationRun {
 public:
  EvaluationRun(const Steps& steps_of_query, const OpenLines& open_lines, const GoOn& go_on,
                const CountLines& count_lines)
      : steps(steps_of_query), open(open_lines), count(count_lines), go_on_(go_on) {}

  /// To be told of each block of values that is looked at: asks now and then whether to go on.
  Result<void> look_at(std::size_t values) {
    looks_ += values;
    if (looks_ < kLooksOfAQuestion) return {};
    looks_ = 0;
    return go_on_();
  }
  Result<void> go_on() const { return go_on_(); }
  PartMemory holding() { return PartMemory(held_); }

  const Steps& steps;
  const OpenLines& open;
  const CountLines& count;  ///< may be empty

 private:
  // Some 10 us of the simplest work, some milliseconds of the hardest.
  static constexpr std::size_t kLooksOfAQuestion = 10'000;

  const GoOn& go_on_;
  PartsMemory held_;
  std::size_t looks_ = 0;
};

}  // namespace vigia::logql::metrics
