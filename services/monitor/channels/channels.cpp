#include "services/monitor/channels/channels.hpp"

#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::channels {
namespace {

// What the database holds for each state.
ChannelState read_state(const std::string& text) {
  if (text == "active") return ChannelState::kActive;
  return text == "not_active" ? ChannelState::kNotActive : ChannelState::kPending;
}

Result<ChannelRow> read_channel(const store::Row& row) {
  auto customer = CustomerId::parse(row.text(1));
  if (!customer) return forward(customer);
  return ChannelRow{row.text(0),
                    *customer,
                    row.text(2),
                    row.text(3),
                    row.text(4),
                    row.integer(5),
                    read_state(row.text(6)),
                    row.text(7),
                    row.text(8),
                    row.text(9),
                    ChannelOutcome{row.integer(10), row.integer(11), row.text(12)},
                    static_cast<std::size_t>(row.count(13))};
}

Result<std::vector<ChannelRow>> select_channels(const std::string& where,
                                                const std::vector<store::Value>& values,
                                                store::DatabaseConnection& connection) {
  auto rows = connection.query(
      "SELECT id, customer_id, type, target, channel, created_ms, state, reason, "
      "COALESCE((SELECT language FROM customers WHERE customers.id = channels.customer_id), 'es'), "
      "COALESCE((SELECT name FROM customers WHERE customers.id = channels.customer_id), "
      "customer_id), delivered_ms, failed_ms, failure, "
      "CAST((SELECT COUNT(*) FROM nodes WHERE nodes.customer_id = channels.customer_id "
      "AND nodes.retired_ms = 0) AS TEXT) "
      "FROM channels " +
          where,
      values);
  if (!rows) return forward(rows);
  return store::read_each("channels", *rows, connection, read_channel);
}

}  // namespace

std::string_view to_string(ChannelState state) {
  switch (state) {
    case ChannelState::kActive:
      return "active";
    case ChannelState::kNotActive:
      return "not_active";
    default:
      return "pending";
  }
}

Result<std::vector<ChannelRow>> list_all_channels(store::DatabaseConnection& connection) {
  return select_channels("ORDER BY customer_id, created_ms, id", {}, connection);
}

Result<std::vector<ChannelRow>> list_channels(const CustomerId& customer,
                                              store::DatabaseConnection& connection) {
  return select_channels("WHERE customer_id = :c ORDER BY created_ms, id", {customer.text()},
                         connection);
}

Result<std::optional<ChannelRow>> find_channel(const CustomerId& customer, const std::string& id,
                                               store::DatabaseConnection& connection) {
  auto found =
      select_channels("WHERE customer_id = :c AND id = :i", {customer.text(), id}, connection);
  if (!found) return forward(found);
  if (found->empty()) return std::nullopt;
  return std::move(found->front());
}

Result<void> insert_channel(const ChannelRow& channel, store::DatabaseConnection& connection) {
  auto done = connection.execute(
      "INSERT INTO channels (id, customer_id, type, target, channel, created_ms, state, reason) "
      "VALUES (:a, :b, :c, :d, :e, :f, :g, :h)",
      {channel.id, channel.customer.text(), channel.type, channel.target, channel.channel,
       channel.created_ms, std::string(to_string(channel.state)), channel.reason});
  if (!done) return forward(done);
  return {};
}

Result<bool> delete_channel(const CustomerId& customer, const std::string& id,
                            store::DatabaseConnection& connection) {
  auto done = connection.execute("DELETE FROM channels WHERE id = :a AND customer_id = :b",
                                 {id, customer.text()});
  if (!done) return forward(done);
  return *done > 0;
}

Result<void> note_channel_states(const std::vector<ChannelRow>& channels,
                                 store::DatabaseConnection& connection) {
  for (const auto& channel : channels) {
    auto done = connection.execute(
        "UPDATE channels SET state = :a, reason = :b WHERE id = :c AND customer_id = :d",
        {std::string(to_string(channel.state)), channel.reason, channel.id,
         channel.customer.text()});
    if (!done) return forward(done);
  }
  return {};
}

Result<void> note_channel_outcomes(const std::vector<NamedOutcome>& outcomes,
                                   store::DatabaseConnection& connection) {
  for (const auto& [customer, id, outcome] : outcomes) {
    if (outcome.delivered_ms != 0) {
      auto done = connection.execute(
          "UPDATE channels SET delivered_ms = :a WHERE id = :b AND customer_id = :c",
          {outcome.delivered_ms, id, customer.text()});
      if (!done) return forward(done);
    }
    if (outcome.failed_ms != 0) {
      auto done = connection.execute(
          "UPDATE channels SET failed_ms = :a, failure = :b WHERE id = :c AND customer_id = :d",
          {outcome.failed_ms, outcome.failure, id, customer.text()});
      if (!done) return forward(done);
    }
  }
  return {};
}

}  // namespace vigia::monitor::channels
