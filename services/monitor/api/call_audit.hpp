// What the audit log is told of a call.
#pragma once

#include <string>

#include "libs/base/clock.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/store/audit.hpp"

namespace vigia::monitor::api {

/// An audit entry of this call: actor, address, time, customer of the path.
store::AuditEntry audit_of(const ApiCall& call, const Clock& clock, std::string action,
                           std::string object, std::string detail = "");

}  // namespace vigia::monitor::api
