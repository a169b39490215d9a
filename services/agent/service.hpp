// The agent: its parts in the order in which they start.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/service/program.hpp"
#include "services/agent/settings.hpp"

namespace vigia::agent {

/// kUnavailable, naming it, where a port is taken or the buffer's folder is another's.
Result<std::unique_ptr<service::Running>> start_agent(const Settings& settings);

}  // namespace vigia::agent
