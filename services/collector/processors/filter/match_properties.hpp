// `include` and `exclude` of the filter, as conditions.
#pragma once

#include <string>
#include <vector>

#include "libs/model/signal.hpp"
#include "libs/ottl/context.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"

namespace vigia::collector::processors::filter {

/// A condition, and what its items are.
struct MatchCondition {
  ottl::Context context = ottl::Context::kLog;
  std::string text;
};

/// What matches what one of `include` and `exclude` says: of metrics their names and their
/// resources apart, of spans and log records all that is said together. Nothing where nothing is
/// said; mistakes are noted.
std::vector<MatchCondition> read_match(const service::ConfigNode& node, Signal signal,
                                       config::Notes& notes);

}  // namespace vigia::collector::processors::filter
