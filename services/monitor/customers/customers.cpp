#include "services/monitor/customers/customers.hpp"

#include <fmt/format.h>

namespace vigia::monitor::customers {
namespace {

// Rows are read by position: the limits stand behind all other columns, in the order of their
// table, so that a new limit is a line there and nothing here.
constexpr std::size_t kFirstLimit = 7;  // of the columns

std::string select_from_customers() {
  std::string text = "SELECT id, name, is_enabled, hot_shard, assigned_ms, created_ms, language";
  for (const auto& limit : kCustomerLimits) text += ", " + std::string(limit.name);
  return text + " FROM customers ";
}

Result<CustomerRow> read_customer(const store::Row& row) {
  auto id = CustomerId::parse(row.text(0));
  if (!id) return tl::unexpected<Error>(with_context("table customers", std::move(id.error())));
  CustomerRow customer{*id, row.text(1),    row.boolean(2), row.text(3),
                       {},  row.integer(4), row.integer(5), row.text(6)};
  for (std::size_t i = 0; i < kCustomerLimits.size(); ++i) {
    customer.limits.*kCustomerLimits[i].value = row.integer(kFirstLimit + i);
  }
  return customer;
}

}  // namespace

Result<std::vector<CustomerRow>> list_customers(store::DatabaseConnection& connection) {
  auto rows = connection.query(select_from_customers() + "ORDER BY id", {});
  if (!rows) return forward(rows);
  std::vector<CustomerRow> customers;
  for (const auto& row : *rows) {
    auto customer = read_customer(row);
    if (!customer) return forward(customer);
    customers.push_back(std::move(*customer));
  }
  return customers;
}

Result<std::optional<CustomerRow>> find_customer(const CustomerId& customer,
                                                 store::DatabaseConnection& connection) {
  auto rows = connection.query(select_from_customers() + "WHERE id = :id", {customer.text()});
  if (!rows) return forward(rows);
  if (rows->empty()) return std::nullopt;
  auto found = read_customer(rows->front());
  if (!found) return forward(found);
  return std::optional(std::move(*found));
}

Result<bool> insert_customer(const CustomerRow& customer, store::DatabaseConnection& connection) {
  auto existing = find_customer(customer.id, connection);
  if (!existing) return forward(existing);
  if (*existing) return false;
  std::string columns = "id, name, is_enabled, hot_shard, assigned_ms, created_ms, language";
  std::string places = ":a, :b, :c, :d, :e, :f, :g";
  std::vector<store::Value> values = {
      customer.id.text(), customer.name,        std::int64_t{customer.is_enabled},
      customer.hot_shard, customer.assigned_ms, customer.created_ms,
      customer.language};
  for (const auto& limit : kCustomerLimits) {
    columns += ", " + std::string(limit.name);
    places += ", :" + std::string(limit.name);
    values.emplace_back(customer.limits.*limit.value);
  }
  auto done =
      connection.execute("INSERT INTO customers (" + columns + ") VALUES (" + places + ")", values);
  if (!done) return forward(done);
  return true;
}

Result<bool> change_customer(const CustomerId& customer, const CustomerChange& change,
                             store::DatabaseConnection& connection) {
  // What the change does not name stays as it is, in one statement: of two changes at once that
  // name different fields both hold.
  std::string set =
      "name = COALESCE(:a, name), is_enabled = COALESCE(:b, is_enabled), "
      "language = COALESCE(:c, language)";
  std::vector<store::Value> values = {store::value_or_null(change.name),
                                      store::value_or_null(change.is_enabled),
                                      store::value_or_null(change.language)};
  for (const auto& limit : kCustomerLimits) {
    const auto found = change.limits.find(limit.name);
    if (found == change.limits.end()) continue;
    set += fmt::format(", {0} = :{0}", limit.name);
    values.emplace_back(found->second);
  }
  values.emplace_back(customer.text());
  auto done = connection.execute("UPDATE customers SET " + set + " WHERE id = :id", values);
  if (!done) return forward(done);
  return *done > 0;
}

}  // namespace vigia::monitor::customers
