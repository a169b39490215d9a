// Plans as short texts, so that a table of them reads at a glance.
#pragma once

#include <string>

#include "services/router/plan/course.hpp"

namespace vigia::router::testing {

/// "hot:holds long-term hot:instead".
std::string text_of(const plan::QueryPlan& plan);
/// "hot:holds", of the second member "hot:holds#1", "long-term"; where samples are thinned,
/// "long-term@1h".
std::string text_of(const plan::Step& step);
std::string text_of(plan::Verdict verdict);

}  // namespace vigia::router::testing
