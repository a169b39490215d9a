// What the store of spans and log records asks of the cluster.
#pragma once

#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Thread contract: any thread once prepared.
struct EventStatements {
  Statement write_slot, list_slots, list_slots_back, list_owners, delete_slots;
  Statement write_origin, read_origin;
  Statement has_span, write_span, read_trace, list_traces;
  Statement write_span_block, read_span_blocks, write_trace_ids, read_trace_ids;
  Statement write_span_name, read_span_names;
  Statement has_record, write_record, read_records, read_records_back;

  Result<void> prepare(Preparation& preparation);

 private:
  void prepare_slots(Preparation& preparation);
  void prepare_spans(Preparation& preparation);
  void prepare_span_index(Preparation& preparation);
  void prepare_records(Preparation& preparation);
};

}  // namespace vigia::storage::store::cassandra
