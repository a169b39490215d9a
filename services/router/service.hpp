// vigia-router, put together.
#pragma once

#include <memory>

#include "libs/base/result.hpp"
#include "libs/service/program.hpp"
#include "services/router/settings.hpp"

namespace vigia::router {

/// Starts everything. kInvalid for a directory file that is wrong, kUnavailable for a port that is
/// taken. Stores that do not answer are no error: they may come later.
Result<std::unique_ptr<service::Running>> start(Settings settings);

/// For service::run_program.
service::ProgramDescription describe_program();

}  // namespace vigia::router
