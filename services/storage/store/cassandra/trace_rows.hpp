// The spans of one trace, one after the other.
#pragma once

#include <atomic>
#include <optional>
#include <string>

#include "services/storage/store/cassandra/event_statements.hpp"
#include "services/storage/store/cassandra/log_walk.hpp"

namespace vigia::storage::store::cassandra {

/// Of times by which they are filed, both included.
struct FiledTimes {
  TimestampNs from_ns = 0;
  TimestampNs to_ns = INT64_MAX;
};

struct TraceRow {
  TimestampNs time_ns = 0;  ///< by which it is filed
  EventView event;
};

/// By time. Thread contract: one thread.
class TraceRows {
 public:
  /// All must outlive it; `kept_day`: what is filed before it is over. What cannot be read is left
  /// out and counted in `damaged`.
  TraceRows(vigia::cassandra::Session& session, const EventStatements& statements, Origins& origins,
            const CustomerId& customer, std::string trace_id, const FiledTimes& times,
            std::atomic<std::uint64_t>& damaged);
  /// Nothing at the end. A row stays until the next one.
  Result<std::optional<TraceRow>> next(std::uint32_t kept_day);

 private:
  vigia::cassandra::BoundCells cells_of(const CustomerId& customer, const FiledTimes& times) const;

  Origins& origins_;
  const std::string trace_id_;
  Rows rows_;
  std::atomic<std::uint64_t>& damaged_;
};

}  // namespace vigia::storage::store::cassandra
