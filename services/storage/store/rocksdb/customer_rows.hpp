// All rows of one customer in an ordered store: forgetting them, and finding one in a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

/// Whose rows. Its series are those that the index and its copies name, sorted: only by them it is
/// known whose a row of a hash is.
struct CustomerRows {
  CustomerId id;
  customers::CustomerNumber number;
  std::vector<std::uint64_t> series;
};

/// Reads the series of the customer: 8 bytes each.
Result<CustomerRows> rows_of(kv::OrderedStore& store, const CustomerId& id,
                             customers::CustomerNumber number);

/// Forgets all of them but the customer's own number, in an order in which a kill leaves nothing
/// that a second call does not find.
Result<void> forget_rows(kv::OrderedStore& store, const CustomerRows& rows);
/// Forgets the customer's number; durable when it returns. It is given to nobody else: a row keeps
/// the highest.
Result<void> forget_number(kv::OrderedStore& store, const CustomerId& id,
                           customers::CustomerNumber number);

/// Whether the row is the customer's, its number's included.
bool is_of(const CustomerRows& rows, kv::Family family, std::string_view key,
           std::string_view value);

}  // namespace vigia::storage::store::rocksdb
