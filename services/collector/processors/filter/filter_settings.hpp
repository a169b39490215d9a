// What the configuration says of the processor `filter`.
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "libs/model/signal.hpp"
#include "libs/ottl/program.hpp"
#include "libs/service/config.hpp"
#include "services/collector/config/part_keys.hpp"
#include "services/collector/processors/programs/error_mode.hpp"

namespace vigia::collector::processors::filter {

/// What is met goes.
struct DropCondition {
  ottl::Condition condition;
  programs::ErrorMode error_mode = programs::ErrorMode::kIgnore;
};

/// Of one signal.
struct SignalFilter {
  std::array<std::vector<DropCondition>, ottl::kContexts> conditions;
  std::size_t accesses = 0;

  std::vector<DropCondition>& of(ottl::Context context) {
    return conditions[static_cast<std::size_t>(context)];
  }
  const std::vector<DropCondition>& of(ottl::Context context) const {
    return conditions[static_cast<std::size_t>(context)];
  }
};

struct FilterSettings {
  std::string id;  ///< of the processor
  std::map<Signal, SignalFilter> signals;
};

/// The newer `trace_conditions`, `metric_conditions`, `log_conditions`; `traces`, `metrics`, `logs`
/// with conditions by context; and the oldest, `spans`, `metrics`, `logs` with include and exclude.
/// Mistakes are noted at their line.
FilterSettings read_filter(const service::ConfigNode& node, const config::PartContext& context);

}  // namespace vigia::collector::processors::filter
