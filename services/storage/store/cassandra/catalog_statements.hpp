// What the catalog asks of the cluster.
#pragma once

#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Thread contract: any thread once prepared.
struct CatalogStatements {
  Statement read_secret, add_secret;
  Statement read_customer, add_customer, list_customers;
  Statement read_id, write_id, delete_id;
  Statement claim, read_claim;
  Statement write_series, write_first_day, scan_series, delete_series, delete_first_day;
  Statement write_metric, list_shards, list_all_shards, delete_metric;
  Statement write_name, write_name_first, list_names, delete_name, delete_name_first;
  Statement write_value, write_value_first, list_values, delete_value, delete_value_first;

  Result<void> prepare(Preparation& preparation);
};

}  // namespace vigia::storage::store::cassandra
