// Takes a customer out of a folder of RocksDB's, and proves it. Format of what lies there:
// docs/formats/cold-store.md.
#pragma once

#include <optional>
#include <string>

#include "services/storage/instance/customer_removal.hpp"

namespace vigia::storage::store::rocksdb {

/// As instance::RemoveCustomer.
Result<instance::RemovalProof> remove_customer(const CustomerId& customer,
                                               const std::string& directory,
                                               const instance::RemovalProgress& progress);

/// Whose removal was begun in the folder and is not done.
std::optional<CustomerId> unfinished_removal(const std::string& directory);

}  // namespace vigia::storage::store::rocksdb
