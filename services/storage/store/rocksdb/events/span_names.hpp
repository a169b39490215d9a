// Lists of a customer's services and their operations, over days.
#pragma once

#include <string_view>
#include <vector>

#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/store/events.hpp"
#include "services/storage/store/rocksdb/kv/ordered_store.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Thread contract: one thread.
class SpanNames {
 public:
  /// All must outlive it. `days`: those that are looked at.
  SpanNames(kv::OrderedStore& store, customers::CustomerNumber customer,
            const std::vector<std::uint32_t>& days, const WorkLimit& limit)
      : store_(store), customer_(customer), days_(days), limit_(limit) {}

  /// A page ends at 1,000 names or 1 MiB of them, however many are asked for; is_last says whether
  /// there are more.
  Result<TextPage> services(const ServiceQuery& query) const;
  Result<OperationPage> operations(std::string_view service, const OperationQuery& query) const;

 private:
  kv::OrderedStore& store_;
  const customers::CustomerNumber customer_;
  const std::vector<std::uint32_t>& days_;
  const WorkLimit& limit_;
};

}  // namespace vigia::storage::store::rocksdb::events
