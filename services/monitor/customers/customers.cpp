#include "services/monitor/customers/customers.hpp"

#include <array>
#include <type_traits>

#include <fmt/format.h>

namespace vigia::monitor::customers {
namespace {

/// A column of the table, and how it is read and written. Each stands here alone: every statement
/// goes through the list.
struct Column {
  std::string_view name;
  void (*read)(const store::Row& row, std::size_t column, CustomerRow& customer);
  store::Value (*write)(const CustomerRow& customer);
};

template <std::string CustomerRow::* member>
constexpr Column text_column(std::string_view name) {
  return {name,
          [](const store::Row& row, std::size_t column, CustomerRow& customer) {
            customer.*member = row.text(column);
          },
          [](const CustomerRow& customer) { return store::Value(customer.*member); }};
}

/// A boolean is a number too.
template <auto CustomerRow::* member>
constexpr Column number_column(std::string_view name) {
  return {name,
          [](const store::Row& row, std::size_t column, CustomerRow& customer) {
            customer.*member =
                static_cast<std::decay_t<decltype(customer.*member)>>(row.integer(column));
          },
          [](const CustomerRow& customer) {
            return store::Value(static_cast<std::int64_t>(customer.*member));
          }};
}

// Without the id, which is the key, and the limits, which have a list of their own.
constexpr std::array kColumns = {text_column<&CustomerRow::name>("name"),
                                 number_column<&CustomerRow::is_enabled>("is_enabled"),
                                 text_column<&CustomerRow::hot_shard>("hot_shard"),
                                 number_column<&CustomerRow::assigned_ms>("assigned_ms"),
                                 number_column<&CustomerRow::created_ms>("created_ms"),
                                 text_column<&CustomerRow::language>("language")};

/// All names, in the order in which a row has them, each after `mark`.
std::string names_of_columns(std::string_view mark = "") {
  std::string text = fmt::format("{}id", mark);
  for (const auto& column : kColumns) text += fmt::format(", {}{}", mark, column.name);
  for (const auto& limit : kCustomerLimits) text += fmt::format(", {}{}", mark, limit.name);
  return text;
}

std::string select_from_customers() {
  return fmt::format("SELECT {} FROM customers ", names_of_columns());
}

Result<CustomerRow> read_customer(const store::Row& row) {
  std::size_t at = 0;
  auto id = CustomerId::parse(row.text(at));
  if (!id) return tl::unexpected<Error>(with_context("table customers", std::move(id.error())));
  CustomerRow customer{*id, {}, {}, {}, {}};
  for (const auto& column : kColumns) column.read(row, ++at, customer);
  for (const auto& limit : kCustomerLimits) customer.limits.*limit.value = row.integer(++at);
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
  std::vector<store::Value> values = {customer.id.text()};
  for (const auto& column : kColumns) values.push_back(column.write(customer));
  for (const auto& limit : kCustomerLimits) values.emplace_back(customer.limits.*limit.value);
  auto done = connection.execute(fmt::format("INSERT INTO customers ({}) VALUES ({})",
                                             names_of_columns(), names_of_columns(":")),
                                 values);
  if (!done) return forward(done);
  return true;
}

Result<bool> change_customer(const CustomerId& customer, const CustomerChange& change,
                             store::DatabaseConnection& connection) {
  // What the change does not name stays as it is, in one statement: of two changes at once that
  // name different fields both hold.
  std::string set;
  std::vector<store::Value> values;
  const auto keep_unless = [&](std::string_view column, store::Value value) {
    set += fmt::format("{0}{1} = COALESCE(:{1}, {1})", set.empty() ? "" : ", ", column);
    values.push_back(std::move(value));
  };
  keep_unless("name", store::value_or_null(change.name));
  keep_unless("is_enabled", store::value_or_null(change.is_enabled));
  keep_unless("language", store::value_or_null(change.language));
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
