// A question in the form that reads roll-ups.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "libs/model/resolution.hpp"
#include "services/router/coverage/kept_from.hpp"
#include "services/router/plan/question.hpp"

namespace vigia::router::plan {

/// Immutable; any thread.
struct Thinned {
  Resolution resolution = Resolution::kHour;
  bool is_approximate = false;               ///< its answer is near to that of the samples
  std::string text;                          ///< in the place of the question's; fenced
  std::shared_ptr<const promql::Expr> expr;  ///< as that text was read back
  std::vector<promql::TimeRange> ranges;     ///< of its selectors
};

/// The question of the coarsest windows that give the same answer (docs/decisions/0018-rollups.md,
/// "What the planner chooses"); null where that is samples, since none fit or since they are as
/// quick. What is written is read back and checked: fenced, and every selector of roll-ups.
std::shared_ptr<const Thinned> thinned_of(const Question& question);

/// The question of the finest windows that are left of the time that it touches, where the samples
/// are not: near to it, or null where a function has no form in windows.
std::shared_ptr<const Thinned> nearly_of(const Question& question, const coverage::KeptFrom& kept);

/// Whether it reaches back so far that roll-ups would be quicker, or samples may have expired.
bool is_long_ago(const Question& question);

}  // namespace vigia::router::plan
