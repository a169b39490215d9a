// vigia-monitor: the control plane. The parts in the order in which they start.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/service/program.hpp"
#include "services/monitor/settings.hpp"

namespace vigia::monitor {

/// Starts everything. kUnavailable where a port is taken or the database cannot be used.
Result<std::unique_ptr<service::Running>> start(Settings settings);

/// For service::run_program.
service::ProgramDescription describe_program();

}  // namespace vigia::monitor
