// Evaluates metric queries over lines that somebody else fetches.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/logql/ast.hpp"
#include "libs/logql/pipeline/pipeline.hpp"
#include "libs/model/labels.hpp"

namespace vigia::logql::metrics {

/// Lines of one selector, ascending by time.
class LineSource {
 public:
  virtual ~LineSource() = default;
  /// The next line, or null at the end. It is valid until the next call.
  virtual Result<const pipeline::StoredLine*> next() = 0;
};

/// Opens the lines of (after_ns, until_ns] that the matchers of the selector take; its stages are
/// run here. Called once for each selector of the query, one after another.
using OpenLines = std::function<Result<std::unique_ptr<LineSource>>(
    const LogSelector& selector, std::int64_t after_ns, std::int64_t until_ns)>;

/// Lines to be counted by whoever keeps them, instead of being read here.
struct CountAsk {
  const LogSelector& selector;             ///< its stages are line filters, all of them
  const std::vector<std::string>& labels;  ///< the only ones that matter: no other need be told
  std::int64_t after_ns = 0;               ///< not below 0
  std::int64_t until_ns = 0;               ///< lines of (after, until]
  std::int64_t width_ns = 1;  ///< of the windows (after + k × width, after + (k + 1) × width]
};

/// Some lines of one window.
struct CountedLines {
  std::int64_t time_ns = 0;        ///< some moment of the window
  const Labels* labels = nullptr;  ///< never null
  std::uint64_t lines = 0;
  std::uint64_t bytes = 0;  ///< of their texts
};

/// Gives all lines that are asked for, each once, in any order. False where they cannot be counted:
/// what was given is forgotten then, and the lines are read.
using CountLines = std::function<Result<bool>(
    const CountAsk& ask, const std::function<Result<void>(const CountedLines&)>& take)>;

/// Asked of each part and of each block of values, and of lines as their bytes go by; its error
/// ends the evaluation. What takes time without reading lines is bounded by nothing else.
using GoOn = std::function<Result<void>()>;

/// start, start + step, … up to end. An instant query has start and end alike, and any step.
struct EvaluationTimes {
  std::int64_t start_ns = 0;
  std::int64_t end_ns = 0;
  std::int64_t step_ns = 0;
};

struct MetricPoint {
  std::int64_t time_ms = 0;
  double value = 0;
};

struct MetricSeries {
  Labels labels;
  std::vector<MetricPoint> points;  ///< ascending, one at least
};

/// Sorted by labels; of an instant query whose outermost part sorts, as that part has it.
struct MetricAnswer {
  bool is_scalar = false;  ///< then one series without labels
  std::vector<MetricSeries> series;
};

/// A window ends with its step and is open on the left, as Loki's. The tree is to be fenced before.
/// kInvalid: times that are none, a stage that cannot be run, a line with __error__ ("pipeline
/// error: …"), and series that cannot be matched. kTooLarge: past a limit of limits.hpp. What
/// `open`, its lines, `count` and `go_on` fail with is handed on. Without `count` lines are read
/// always. Any thread.
Result<MetricAnswer> evaluate(
    const LogExpr& expr, const EvaluationTimes& times, const OpenLines& open,
    const GoOn& go_on = [] { return Result<void>(); }, const CountLines& count = {});

}  // namespace vigia::logql::metrics
