// The first operator, made from the configuration while there is none.
#pragma once

#include <string>

#include "libs/base/clock.hpp"
#include "libs/base/result.hpp"
#include "services/monitor/store/database.hpp"
#include "services/monitor/users/password.hpp"

namespace vigia::monitor {

/// Makes the operator only while no operator exists: a password in the configuration changes
/// nothing later. False where there was one already.
Result<bool> bootstrap_operator(const std::string& user, const std::string& password,
                                users::PasswordHasher& hasher, const Clock& clock,
                                store::Database& database);

}  // namespace vigia::monitor
