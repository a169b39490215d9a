// Where Go's regexp, which the stores read matchers with, takes less than RE2.
#pragma once

#include <string_view>

#include "libs/promql/functions.hpp"

namespace vigia::promql::internal {

/// True for a regex that RE2 takes and a Prometheus of that dialect refuses: `\C`, a `\Q` without
/// its `\E` (which would take in what Prometheus puts behind the regex), names of groups that are
/// no ASCII words, scripts of a newer Unicode, and groups in groups to a depth from which on Go may
/// refuse them. Of what RE2 does not take it says nothing. Any thread.
bool is_refused_by_go(std::string_view regex, Dialect dialect);

}  // namespace vigia::promql::internal
