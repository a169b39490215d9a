// The agent: its parts in the order in which they start.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/service/program.hpp"
#include "services/agent/settings.hpp"

namespace vigia::agent {

/// kUnavailable, naming it, where a port is taken or the buffer's folder is another's.
Result<std::unique_ptr<service::Running>> start(Settings settings);

/// For service::run_program.
service::ProgramDescription describe_program();

}  // namespace vigia::agent
