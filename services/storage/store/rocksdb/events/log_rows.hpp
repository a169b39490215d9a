// A customer's log records of a day, by time in one direction.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/rocksdb/events/log_slots.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Thread contract: one thread.
class LogRows {
 public:
  /// `store` must outlive it.
  LogRows(kv::OrderedStore& store, customers::CustomerNumber customer, const LogDay& of);

  /// Moves to the first row of this time or behind it, in the direction; never back. False where
  /// there is none: at the end, or where `status` is an error.
  bool move_to(TimestampNs time_ns);
  bool next();
  TimestampNs time_ns() const { return time_ns_; }
  std::string_view value() const { return scan_->value(); }
  Result<void> status() const { return scan_->status(); }

 private:
  const std::string prefix_;
  const bool is_backward_;
  std::unique_ptr<kv::Scan> scan_;
  bool has_row_ = false;
  TimestampNs time_ns_ = 0;  // of the row
};

}  // namespace vigia::storage::store::rocksdb::events
