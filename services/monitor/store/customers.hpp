// Customers in the database.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor {

struct Customer {
  CustomerId id;
  std::string name;
  bool is_enabled = true;
  std::string hot_shard;
  std::int64_t points_per_second = 0;  ///< 0: no limit
  std::int64_t active_series = 0;      ///< 0: no limit
  std::int64_t assigned_ms = 0;        ///< since when hot_shard holds this customer
  std::int64_t created_ms = 0;
};

/// What a change names; the rest stays as it is in the database at that moment, so that two changes
/// at once never undo each other.
struct CustomerChange {
  std::optional<std::string> name = {};
  std::optional<bool> is_enabled = {};
  std::optional<std::int64_t> points_per_second = {};
  std::optional<std::int64_t> active_series = {};
};

/// All, by id.
Result<std::vector<Customer>> list_customers(Connection& connection);
Result<std::optional<Customer>> find_customer(const CustomerId& customer, Connection& connection);
/// False where the id is taken, also by a disabled customer.
Result<bool> insert_customer(const Customer& customer, Connection& connection);
/// False where there is no such customer.
Result<bool> change_customer(const CustomerId& customer, const CustomerChange& change,
                             Connection& connection);

}  // namespace vigia::monitor
