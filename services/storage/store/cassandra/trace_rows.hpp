// The spans of one trace, one after the other.
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "services/storage/store/cassandra/event_places.hpp"
#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/log_walk.hpp"

namespace vigia::storage::store::cassandra {

/// What spans are read with, and where is counted what cannot be read.
struct SpanTables {
  vigia::cassandra::Session& session;
  const EventStatements& statements;
  EventPlaces& places;
  std::atomic<std::uint64_t>& damaged;
  const WorkLimit* limit = nullptr;  ///< as Rows'
};

/// Of times by which they are filed, both included.
struct FiledTimes {
  TimestampNs from_ns = 0;
  TimestampNs to_ns = INT64_MAX;
};

struct TraceRow {
  TimestampNs time_ns = 0;  ///< by which it is filed
  EventView event;
};

/// Wherever they lie, each once; by time where there are not very many. Thread contract: one
/// thread.
class TraceRows {
 public:
  /// All must outlive it.
  TraceRows(const SpanTables& tables, Origins& origins, const CustomerId& customer,
            std::string trace_id, const FiledTimes& times)
      : tables_(tables),
        origins_(origins),
        customer_(customer),
        trace_id_(std::move(trace_id)),
        times_(times) {}
  /// Nothing at the end. A row stays until the next one. `kept_day`: what is filed before it is
  /// over. What cannot be read is left out.
  Result<std::optional<TraceRow>> next(std::uint32_t kept_day);

 private:
  Result<void> open();
  Result<bool> open_next();
  bool is_known(TimestampNs time_ns, std::string_view digest);

  const SpanTables tables_;
  Origins& origins_;
  const CustomerId& customer_;
  const std::string trace_id_;
  const FiledTimes times_;
  std::unique_ptr<Rows> rows_;       // of one part
  std::vector<PlacedPart> further_;  // parts
  std::size_t opened_ = 0;
  std::unordered_set<std::string> known_;  // where there are several parts
};

}  // namespace vigia::storage::store::cassandra
