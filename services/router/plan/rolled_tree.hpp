// A query's tree that reads roll-ups instead of samples: which nodes have such a form, and which.
#pragma once

#include "libs/base/duration.hpp"
#include "libs/model/resolution.hpp"
#include "libs/promql/ast.hpp"
#include "libs/promql/time_range.hpp"

namespace vigia::router::plan {

/// When a tree is evaluated.
struct RolledTimes {
  promql::Evaluation evaluation;
  Duration step{0};  ///< 0: once, at evaluation.start_ms
};

/// Rewrites every selector to one of windows of `resolution`, so that the answer is that of the
/// samples (docs/decisions/0018-rollups.md says which functions have such a form, and within what
/// bound). False where a part of the tree has none, or a time, range, offset or step is not whole
/// windows: then the tree is half rewritten, and good for nothing. REQUIRES: no selector has a
/// matcher on kRollupLabel; the resolution is not raw.
bool read_rolled(promql::Expr& expr, const RolledTimes& times, promql::Dialect dialect,
                 Resolution resolution);

/// Rewrites likewise where the samples are gone, by windows that hold about what is asked for:
/// ranges grow to whole windows, a selector gives the newest sample of one window at least, and no
/// time has to be the end of a window. False where a function has no form in windows.
bool read_nearly(promql::Expr& expr, const RolledTimes& times, promql::Dialect dialect,
                 Resolution resolution);

/// Whether all times at which it is evaluated are ends of windows.
bool are_whole_windows(const RolledTimes& times, Resolution resolution);

}  // namespace vigia::router::plan
