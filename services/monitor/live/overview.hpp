// The overview: customers, their nodes and how these are, as one JSON document.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "libs/model/ids.hpp"
#include "services/monitor/customers/customers.hpp"
#include "services/monitor/live/live_state.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::live {

/// Whether what is known of this customer's alerts (nothing: the provider's own) still counts.
bool are_alerts_known(const std::optional<CustomerId>& customer, const LiveState& live,
                      std::int64_t now_ms);
/// Whether Alertmanager has answered lately, about anybody.
bool is_alertmanager_known(const LiveState& live, std::int64_t now_ms);
/// Why somebody's alerts are not known, in the contract's words.
std::string_view alerts_missing(bool has_alertmanager);

/// Schema Overview of the contract. With a customer only that one.
Result<std::string> write_overview(const std::optional<CustomerId>& customer, const LiveState& live,
                                   std::int64_t now_ms, store::DatabaseConnection& connection);

}  // namespace vigia::monitor::live
