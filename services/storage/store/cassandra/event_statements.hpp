// What the store of spans and log records asks of the cluster.
#pragma once

#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Of so many times records are asked for at once.
inline constexpr std::size_t kRecordTimesAtOnce = 50;

/// Of one table of log records: between two times, and of some.
struct RecordReads {
  Statement range, range_back, times, times_back;
};

/// Thread contract: any thread once prepared.
struct EventStatements {
  Statement write_slot, list_slots, list_slots_back, list_owners, delete_slots;
  Statement write_origin, read_origin;
  Statement has_span, write_span, read_trace, list_traces;
  Statement has_span_part, write_span_part, read_trace_part;
  Statement write_span_block, read_span_blocks, write_trace_ids, read_trace_ids;
  Statement write_span_name, read_span_names;
  Statement has_record, write_record;
  RecordReads records, records_of_many, undivided_records;  ///< of many parts: fewer rows a page
  Statement write_log_times, read_log_times, read_log_times_back;
  Statement write_log_stream, read_log_streams;

  Result<void> prepare(Preparation& preparation);

 private:
  void prepare_slots(Preparation& preparation);
  void prepare_spans(Preparation& preparation);
  void prepare_span_index(Preparation& preparation);
  void prepare_records(Preparation& preparation);
  void prepare_log_index(Preparation& preparation);
};

}  // namespace vigia::storage::store::cassandra
