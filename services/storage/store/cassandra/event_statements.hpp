// What the store of spans and log records asks of the cluster.
#pragma once

#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Thread contract: any thread once prepared.
struct EventStatements {
  Statement write_slot, list_slots, list_slots_back, list_owners, delete_slots;
  Statement write_origin, read_origin;
  Statement has_span, write_span, read_trace;
  Statement has_record, write_record, read_records, read_records_back;

  Result<void> prepare(Preparation& preparation);
};

}  // namespace vigia::storage::store::cassandra
