#include "services/monitor/store/customers.hpp"

namespace vigia::monitor {
namespace {

constexpr std::string_view kSelect =
    "SELECT id, name, is_enabled, hot_shard, points_per_second, active_series, assigned_ms, "
    "created_ms FROM customers ";

Result<Customer> read_customer(const Row& row) {
  auto id = CustomerId::parse(row.text(0));
  if (!id) return tl::unexpected<Error>(with_context("table customers", std::move(id.error())));
  return Customer{*id,
                  row.text(1),
                  row.boolean(2),
                  row.text(3),
                  row.integer(4),
                  row.integer(5),
                  row.integer(6),
                  row.integer(7)};
}

}  // namespace

Result<std::vector<Customer>> list_customers(Connection& connection) {
  auto rows = connection.query(std::string(kSelect) + "ORDER BY id", {});
  if (!rows) return forward(rows);
  std::vector<Customer> customers;
  for (const auto& row : *rows) {
    auto customer = read_customer(row);
    if (!customer) return forward(customer);
    customers.push_back(std::move(*customer));
  }
  return customers;
}

Result<std::optional<Customer>> find_customer(const CustomerId& customer, Connection& connection) {
  auto rows = connection.query(std::string(kSelect) + "WHERE id = :id", {customer.text()});
  if (!rows) return forward(rows);
  if (rows->empty()) return std::nullopt;
  auto found = read_customer(rows->front());
  if (!found) return forward(found);
  return std::optional(std::move(*found));
}

Result<bool> insert_customer(const Customer& customer, Connection& connection) {
  auto existing = find_customer(customer.id, connection);
  if (!existing) return forward(existing);
  if (*existing) return false;
  auto done = connection.execute(
      "INSERT INTO customers (id, name, is_enabled, hot_shard, points_per_second, active_series, "
      "assigned_ms, created_ms) VALUES (:a, :b, :c, :d, :e, :f, :g, :h)",
      {customer.id.text(), customer.name, std::int64_t{customer.is_enabled}, customer.hot_shard,
       customer.points_per_second, customer.active_series, customer.assigned_ms,
       customer.created_ms});
  if (!done) return forward(done);
  return true;
}

Result<bool> change_customer(const CustomerId& customer, const CustomerChange& change,
                             Connection& connection) {
  auto done = connection.execute(
      "UPDATE customers SET name = COALESCE(:a, name), is_enabled = COALESCE(:b, is_enabled), "
      "points_per_second = COALESCE(:c, points_per_second), "
      "active_series = COALESCE(:d, active_series) WHERE id = :e",
      {value_or_null(change.name), value_or_null(change.is_enabled),
       value_or_null(change.points_per_second), value_or_null(change.active_series),
       customer.text()});
  if (!done) return forward(done);
  return *done > 0;
}

}  // namespace vigia::monitor
