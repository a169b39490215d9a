// Where a customer's alerts are told.
#pragma once

#include <functional>

#include "libs/base/clock.hpp"
#include "services/monitor/access/address.hpp"
#include "services/monitor/api/table.hpp"
#include "services/monitor/channels/channel_outcomes.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::channels {

/// Everything outlives the table. Thread contract: the functions run on workers.
struct ChannelParts {
  store::Database& database;
  const Clock& clock;
  const ChannelOutcomes& outcomes;
  access::AddressPolicy addresses;  ///< that a channel may have
  bool has_mail_server = false;
  std::function<void()> channels_changed;
};

void add_channel_routes(api::ApiTable& table, ChannelParts parts);

}  // namespace vigia::monitor::channels
