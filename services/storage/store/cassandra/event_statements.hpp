// What the store of spans and log records asks of the cluster.
#pragma once

#include <array>

#include "services/storage/store/cassandra/requests.hpp"

namespace vigia::storage::store::cassandra {

/// Of so many times records are asked for at once.
inline constexpr std::size_t kRecordTimesAtOnce = 50;

/// So many items of one partition are looked for, or written, in one request.
inline constexpr std::array<std::size_t, 3> kItemsTogether{16, 4, 1};

/// Of one table of items, by how many go together. `find` gives time and digest, of log records
/// then equal, arrival and number.
struct ItemStatements {
  std::array<Statement, kItemsTogether.size()> find, write;
};

/// Of one table of log records: between two times, and of some.
struct RecordReads {
  Statement range, range_back, times, times_back;
};

/// Thread contract: any thread once prepared.
struct EventStatements {
  Statement write_slot, list_slots, list_slots_back, list_owners, delete_slots;
  Statement write_origin, read_origin;
  ItemStatements spans, span_parts, log_rows;
  Statement read_trace, read_trace_part, list_traces;
  Statement write_span_block, read_span_blocks, write_trace_ids, read_trace_ids;
  Statement write_span_name, read_span_names;
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
