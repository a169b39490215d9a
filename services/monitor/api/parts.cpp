#include "services/monitor/api/parts.hpp"

#include <algorithm>

#include "libs/base/hex.hpp"
#include "libs/base/random.hpp"

namespace vigia::monitor::api {
namespace {

constexpr std::size_t kIdBytes = 16;

}  // namespace

void add_all_routes(ApiTable& table, const ApiParts& parts) {
  add_session_routes(table, parts);
  add_overview_routes(table, parts);
  add_customer_routes(table, parts);
  add_token_routes(table, parts);
  add_node_routes(table, parts);
  add_user_routes(table, parts);
  add_channel_routes(table, parts);
  add_audit_routes(table, parts);
}

std::string new_id() { return to_hex(random_bytes(kIdBytes)); }

bool is_object_id(std::string_view text) {
  return text.size() == 2 * kIdBytes && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

store::AuditEntry audit_of(const ApiCall& call, const Clock& clock, std::string action,
                           std::string object, std::string detail) {
  store::AuditEntry entry;
  entry.time_ms = clock.wall_ms();
  entry.actor = call.principal.name;
  entry.action = std::move(action);
  entry.customer = call.customer ? std::optional(call.customer->id) : call.principal.customer;
  entry.object = std::move(object);
  entry.detail = std::move(detail);
  entry.address = call.request.peer;
  return entry;
}

// Nodes are often reached through a VPN, so private addresses are usual; operators alone enter
// them.
access::AddressPolicy node_addresses(const Settings& settings) {
  return access::AddressPolicy{settings.allow_loopback_nodes, true};
}

access::AddressPolicy channel_addresses(const Settings& settings) {
  return access::AddressPolicy{settings.allow_private_channels, settings.allow_private_channels};
}

}  // namespace vigia::monitor::api
