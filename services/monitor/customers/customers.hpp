// Customers in the database.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libs/model/ids.hpp"
#include "libs/tenancy/directory.hpp"
#include "services/monitor/store/database.hpp"

namespace vigia::monitor::customers {

/// What a customer may send; the names are those of customers.yaml. 0: the built-in default where
/// the collector has one (label_value_bytes, labels_per_series), else no limit.
struct CustomerLimits {
  std::int64_t points_per_second = 0;
  std::int64_t spans_per_second = 0;
  std::int64_t log_records_per_second = 0;
  std::int64_t bytes_per_second = 0;
  std::int64_t active_series = 0;
  std::int64_t label_value_bytes = 0;
  std::int64_t labels_per_series = 0;
};

/// Name in the database, in customers.yaml and in the REST interface, and where it stands here and
/// in the directory.
struct CustomerLimit {
  std::string_view name;
  std::int64_t CustomerLimits::* value;
  std::uint64_t tenancy::Limits::* in_directory;
};
inline constexpr std::array<CustomerLimit, 7> kCustomerLimits = {
    CustomerLimit{"points_per_second", &CustomerLimits::points_per_second,
                  &tenancy::Limits::points_per_second},
    CustomerLimit{"spans_per_second", &CustomerLimits::spans_per_second,
                  &tenancy::Limits::spans_per_second},
    CustomerLimit{"log_records_per_second", &CustomerLimits::log_records_per_second,
                  &tenancy::Limits::log_records_per_second},
    CustomerLimit{"bytes_per_second", &CustomerLimits::bytes_per_second,
                  &tenancy::Limits::bytes_per_second},
    CustomerLimit{"active_series", &CustomerLimits::active_series, &tenancy::Limits::active_series},
    CustomerLimit{"label_value_bytes", &CustomerLimits::label_value_bytes,
                  &tenancy::Limits::label_value_bytes},
    CustomerLimit{"labels_per_series", &CustomerLimits::labels_per_series,
                  &tenancy::Limits::labels_per_series}};

/// In which customers are written to; the first where nobody chose.
inline constexpr std::array<std::string_view, 2> kLanguages = {"es", "en"};

struct CustomerRow {
  CustomerId id;
  std::string name;
  bool is_enabled = true;
  std::string hot_shard;
  CustomerLimits limits;
  std::int64_t assigned_ms = 0;  ///< since when hot_shard holds this customer
  std::int64_t created_ms = 0;
  std::string language = std::string(kLanguages[0]);  ///< of what is sent to it: one of kLanguages
};

/// What a change names; the rest stays as it is in the database at that moment, so that two changes
/// at once never undo each other.
struct CustomerChange {
  std::optional<std::string> name = {};
  std::optional<bool> is_enabled = {};
  std::optional<std::string> language = {};
  std::map<std::string_view, std::int64_t> limits = {};  ///< by the names of kCustomerLimits
};

/// All, by id.
Result<std::vector<CustomerRow>> list_customers(store::DatabaseConnection& connection);
Result<std::optional<CustomerRow>> find_customer(const CustomerId& customer,
                                                 store::DatabaseConnection& connection);
/// False where the id is taken, also by a disabled customer.
Result<bool> insert_customer(const CustomerRow& customer, store::DatabaseConnection& connection);
/// False where there is no such customer.
Result<bool> change_customer(const CustomerId& customer, const CustomerChange& change,
                             store::DatabaseConnection& connection);

}  // namespace vigia::monitor::customers
