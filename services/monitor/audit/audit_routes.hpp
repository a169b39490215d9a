// The audit log, read and verified.
#pragma once

#include "services/monitor/api/table.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::audit {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct AuditParts {
  store::Database& database;
};

void add_audit_routes(api::ApiTable& table, AuditParts parts);

}  // namespace vigia::monitor::audit
