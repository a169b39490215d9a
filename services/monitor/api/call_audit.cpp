#include "services/monitor/api/call_audit.hpp"

namespace vigia::monitor::api {

store::AuditEntry audit_of(const ApiCall& call, const Clock& clock, std::string action,
                           std::string object, std::string detail) {
  store::AuditEntry entry;
  entry.time_ms = clock.wall_ms();
  entry.actor = call.principal.name;
  entry.action = std::move(action);
  entry.customer = call.customer ? call.customer : call.principal.customer;
  entry.object = std::move(object);
  entry.detail = std::move(detail);
  entry.address = call.request.peer;
  return entry;
}

}  // namespace vigia::monitor::api
