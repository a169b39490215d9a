// Where a customer's alerts are sent, in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::channels {

enum class ChannelState : std::uint8_t { kPending, kActive, kNotActive };
std::string_view to_string(ChannelState state);

/// How telling a channel went: when something last arrived, and when and why it last did not.
struct ChannelOutcome {
  std::int64_t delivered_ms = 0;  ///< 0: never known to
  std::int64_t failed_ms = 0;     ///< likewise
  std::string failure = {};       ///< a sentence for its owner; "" where nothing failed
  bool operator==(const ChannelOutcome&) const = default;
};

struct ChannelRow {
  std::string id;
  CustomerId customer;
  std::string type;     ///< "webhook", "email", "slack"
  std::string target;   ///< URL (its path may be a secret) or address
  std::string channel;  ///< Slack's #name, or ""
  std::int64_t created_ms = 0;
  ChannelState state = ChannelState::kPending;  ///< whether Alertmanager has it
  std::string reason = {};                      ///< why it is not active, else ""
  std::string language = "es";                  ///< its customer's
  std::string customer_name = {};
  ChannelOutcome outcome = {};
  std::size_t customer_nodes = 0;  ///< that are not retired
};

struct NamedOutcome {
  CustomerId customer;
  std::string channel_id;
  ChannelOutcome outcome;
};

/// Of every customer, by customer and age; without rows whose customer cannot be read, which are
/// logged.
Result<std::vector<ChannelRow>> list_all_channels(store::DatabaseConnection& connection);
Result<std::vector<ChannelRow>> list_channels(const CustomerId& customer,
                                              store::DatabaseConnection& connection);
/// Nothing where that customer has no such channel.
Result<std::optional<ChannelRow>> find_channel(const CustomerId& customer, const std::string& id,
                                               store::DatabaseConnection& connection);
Result<void> insert_channel(const ChannelRow& channel, store::DatabaseConnection& connection);
/// False where that customer has no such channel.
Result<bool> delete_channel(const CustomerId& customer, const std::string& id,
                            store::DatabaseConnection& connection);

/// Keeps state and reason of those that still exist; the rest of the row stays.
Result<void> note_channel_states(const std::vector<ChannelRow>& channels,
                                 store::DatabaseConnection& connection);
/// The same with how telling them went; what is 0 or "" in it stays as it is.
Result<void> note_channel_outcomes(const std::vector<NamedOutcome>& outcomes,
                                   store::DatabaseConnection& connection);

}  // namespace vigia::monitor::channels
