// What the functions of the REST interface work with, and the groups that they come in.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "libs/base/clock.hpp"
#include "services/monitor/access/address.hpp"
#include "services/monitor/access/authenticator.hpp"
#include "services/monitor/access/password.hpp"
#include "services/monitor/alerting/channel_outcomes.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/live/live_poller.hpp"
#include "services/monitor/live/own_outages.hpp"
#include "services/monitor/live/router_queries.hpp"
#include "services/monitor/settings.hpp"
#include "services/monitor/store/audit.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::api {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct ApiParts {
  store::Database& database;
  access::Authenticator& authenticator;
  access::PasswordHasher& hasher;
  const live::LivePoller& live;
  live::RouterQueries& router;
  live::OwnRecords& own_records;
  const Settings& settings;
  const Clock& clock;
  std::function<void()>
      directory_changed;  ///< customers or tokens; returns when readers can see it
  std::function<void()> channels_changed;
  const alerting::ChannelOutcomes& outcomes;
};

void add_session_routes(ApiTable& table, ApiParts parts);
void add_overview_routes(ApiTable& table, ApiParts parts);
void add_customer_routes(ApiTable& table, ApiParts parts);
void add_token_routes(ApiTable& table, ApiParts parts);
void add_node_routes(ApiTable& table, ApiParts parts);
void add_user_routes(ApiTable& table, ApiParts parts);
void add_channel_routes(ApiTable& table, ApiParts parts);
void add_audit_routes(ApiTable& table, ApiParts parts);

/// All of them.
void add_all_routes(ApiTable& table, const ApiParts& parts);

/// 32 hex digits that say nothing.
std::string new_id();
bool is_object_id(std::string_view text);

/// An audit entry of this call: actor, address, time, customer of the path.
store::AuditEntry audit_of(const ApiCall& call, const Clock& clock, std::string action,
                           std::string object, std::string detail = "");

/// Which addresses a node may have; which an alert channel.
access::AddressPolicy node_addresses(const Settings& settings);
access::AddressPolicy channel_addresses(const Settings& settings);

}  // namespace vigia::monitor::api
