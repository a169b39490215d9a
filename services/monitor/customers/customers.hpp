// Customers in the database.
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/monitor/fields/customer_fields.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::customers {

using fields::CustomerRow;
using fields::kCustomerFields;
using fields::kCustomerLimits;

/// What a change names; the rest stays as it is in the database at that moment, so that two changes
/// at once never undo each other.
struct CustomerChange {
  CustomerRow values;                     ///< of these the named ones; whose they are
  std::set<std::string_view> named = {};  ///< by the names of kCustomerFields and kCustomerLimits
};

/// All that can be read, by id.
Result<std::vector<CustomerRow>> list_customers(store::DatabaseConnection& connection);
/// All, those too that cannot be read.
Result<std::size_t> count_customers(store::DatabaseConnection& connection);
Result<std::optional<CustomerRow>> find_customer(const CustomerId& customer,
                                                 store::DatabaseConnection& connection);
/// False where the id is taken, also by a disabled customer.
Result<bool> insert_customer(const CustomerRow& customer, store::DatabaseConnection& connection);
/// False where there is no such customer.
Result<bool> change_customer(const CustomerChange& change, store::DatabaseConnection& connection);

}  // namespace vigia::monitor::customers
