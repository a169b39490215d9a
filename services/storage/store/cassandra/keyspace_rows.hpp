// Rows of a keyspace as somebody sees them who looks from outside: counted, and blocks decoded.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "services/storage/instance/folder_contents.hpp"
#include "services/storage/store/cassandra/chunk_block.hpp"
#include "services/storage/store/cassandra/customer_tables.hpp"

namespace vigia::storage::store::cassandra {

/// A row of a block of raw samples, by the page of the format and not by what answers readers.
/// kCorrupt where it is none.
Result<instance::RawRow> raw_row_of(customers::CustomerNumber customer, const BlockedChunk& chunk);

/// Counts the rows of one table, by customer. Thread contract: one thread.
class TableSums {
 public:
  /// Both must outlive it.
  TableSums(const CustomerTable& table, instance::FolderSums& sums);
  /// CQL that gives rows for `add`, all of them.
  std::string select(const std::string& keyspace) const;
  /// The number of a customer's id; 0: it is none.
  using NumberOf = std::function<std::uint32_t(std::string_view customer)>;
  void add(vigia::cassandra::RowReader row, const NumberOf& number_of);

 private:
  const CustomerTable& table_;
  instance::FolderSums& sums_;
  std::vector<std::string> others_;  // columns, customer_id apart
  bool has_times_ = false;
};

}  // namespace vigia::storage::store::cassandra
