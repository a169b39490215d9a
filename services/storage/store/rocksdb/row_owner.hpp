// Whose a row of the database is, told by its key alone: for counting what a folder holds and for
// proving that nothing of a customer is left in it. Format: docs/formats/cold-store.md.
#pragma once

#include <optional>
#include <string_view>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb {

struct RowOwner {
  std::string_view kind;  ///< "chunks", "spans", …: as inspect shows it
  /// 0: of nobody alone, or only its value tells (hashes; customers' own rows).
  customers::CustomerNumber customer;
  /// Since 1970; nothing for rows that lie under no day.
  std::optional<std::uint32_t> day;
};

/// Nothing for a key that is none of the family's.
std::optional<RowOwner> owner_of(kv::Family family, std::string_view key);

}  // namespace vigia::storage::store::rocksdb
