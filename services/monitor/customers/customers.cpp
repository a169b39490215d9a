#include "services/monitor/customers/customers.hpp"

#include <algorithm>
#include <string>
#include <type_traits>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "services/monitor/store/unreadable_rows.hpp"

namespace vigia::monitor::customers {
namespace {

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const auto comma = std::min(text.find(','), text.size());
    parts.emplace_back(text.substr(0, comma));
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return parts;
}

// A flag and a moment are numbers in the database.
void read_column(const fields::CustomerField& field, const store::Row& row, std::size_t column,
                 CustomerRow& customer) {
  std::visit(
      [&](const auto& kind) {
        auto& value = customer.*kind.value;
        using Value = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Value, std::string>) {
          value = row.text(column);
        } else if constexpr (std::is_same_v<Value, std::vector<std::string>>) {
          value = split(row.text(column));
        } else {
          value = static_cast<Value>(row.integer(column));
        }
      },
      field.kind);
}

store::Value column_value(const fields::CustomerField& field, const CustomerRow& customer) {
  return std::visit(
      [&](const auto& kind) -> store::Value {
        const auto& value = customer.*kind.value;
        using Kept = std::decay_t<decltype(value)>;
        if constexpr (std::is_same_v<Kept, std::string>) {
          return value;
        } else if constexpr (std::is_same_v<Kept, std::vector<std::string>>) {
          return fmt::format("{}", fmt::join(value, ","));
        } else {
          return static_cast<std::int64_t>(value);
        }
      },
      field.kind);
}

/// All names, in the order in which a row has them, each after `mark`.
std::string names_of_columns(std::string_view mark = "") {
  std::string text = fmt::format("{}id", mark);
  for (const auto& field : kCustomerFields) text += fmt::format(", {}{}", mark, field.name);
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
  CustomerRow customer{.id = *id};
  for (const auto& field : kCustomerFields) read_column(field, row, ++at, customer);
  for (const auto& limit : kCustomerLimits) customer.limits.*limit.value = row.integer(++at);
  return customer;
}

}  // namespace

Result<std::vector<CustomerRow>> list_customers(store::DatabaseConnection& connection) {
  auto rows = connection.query(select_from_customers() + "ORDER BY id", {});
  if (!rows) return forward(rows);
  return store::read_each("customers", *rows, connection, read_customer);
}

Result<std::size_t> count_customers(store::DatabaseConnection& connection) {
  auto rows = connection.query("SELECT CAST(COUNT(*) AS TEXT) FROM customers", {});
  if (!rows) return forward(rows);
  return static_cast<std::size_t>(rows->front().count(0));
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
  for (const auto& field : kCustomerFields) values.push_back(column_value(field, customer));
  for (const auto& limit : kCustomerLimits) values.emplace_back(customer.limits.*limit.value);
  auto done = connection.execute(fmt::format("INSERT INTO customers ({}) VALUES ({})",
                                             names_of_columns(), names_of_columns(":")),
                                 values);
  if (!done) return forward(done);
  return true;
}

Result<bool> change_customer(const CustomerChange& change, store::DatabaseConnection& connection) {
  // What the change does not name stays as it is, in one statement: of two changes at once that
  // name different fields both hold. One that names nothing counts as a change all the same.
  std::string set = "id = id";
  std::vector<store::Value> values;
  const auto name = [&](std::string_view column, store::Value value) {
    if (!change.named.contains(column)) return;
    set += fmt::format(", {0} = :{0}", column);
    values.push_back(std::move(value));
  };
  for (const auto& field : kCustomerFields) name(field.name, column_value(field, change.values));
  for (const auto& limit : kCustomerLimits) name(limit.name, change.values.limits.*limit.value);
  values.emplace_back(change.values.id.text());
  auto done = connection.execute("UPDATE customers SET " + set + " WHERE id = :id", values);
  if (!done) return forward(done);
  return *done > 0;
}

}  // namespace vigia::monitor::customers
