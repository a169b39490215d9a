// What the configuration says of the processor `transform`.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "libs/model/signal.hpp"
#include "libs/ottl/program.hpp"
#include "libs/service/config.hpp"
#include "services/collector/processors/programs/error_mode.hpp"

namespace vigia::collector::processors::transform {

/// Statements that run one behind the other for each item of their context.
struct StatementGroup {
  ottl::Context context = ottl::Context::kLog;
  programs::ErrorMode error_mode = programs::ErrorMode::kIgnore;
  std::vector<ottl::Condition> conditions;  ///< one has to be met; none: always
  std::vector<ottl::Statement> statements;
  std::size_t accesses = 0;
};

struct TransformSettings {
  std::string id;  ///< of the processor
  /// Of each signal, in order: each group is done with a request before the next begins.
  std::map<Signal, std::vector<StatementGroup>> signals;
};

/// `trace_statements`, `metric_statements`, `log_statements`: flat lists of statements, whose paths
/// say of what they are, or lists of {context, error_mode, conditions, statements}. Mistakes are
/// noted at their line.
TransformSettings read_transform(const service::ConfigNode& node);

}  // namespace vigia::collector::processors::transform
