// Spans and log records of all customers, kept as they came: the contract of every store.
#pragma once

#include <cstdint>
#include <functional>
#include <string_view>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "libs/model/signal.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store {

/// Nanoseconds since 1970.
using TimestampNs = std::uint64_t;

inline constexpr std::size_t kTraceIdBytes = 16;

/// An item with all that it says of its origin: encoded OTLP messages, as they came.
struct EventView {
  std::string_view resource;
  std::string_view resource_schema_url;
  std::string_view scope;
  std::string_view scope_schema_url;
  std::string_view item;  ///< the Span or LogRecord
};

/// What became of the items of a request. Their sum is what came in.
struct EventCounts {
  std::uint64_t stored = 0;
  std::uint64_t repeats = 0;  ///< there already, byte for byte, from the same origin
  /// Their resource names another customer or none, or their ids are bad.
  std::uint64_t refused = 0;
  std::uint64_t expired = 0;  ///< older than their retention: taken and not stored
};

/// Thread contract: any thread. Errors: kUnavailable where the store refuses for now, kCorrupt.
/// Items that cannot be read are left out of answers and counted. `signal` is traces or logs.
class EventStore {
 public:
  virtual ~EventStore() = default;
  /// Takes an Export{Trace,Logs}ServiceRequest, durable when it returns. Each resource must carry
  /// customer.id with this customer's id. The same request again stores nothing. kInvalid where the
  /// body is no such message, kTooLarge past 100,000 items: nothing is then stored.
  virtual Result<EventCounts> write(const CustomerId& customer, Signal signal,
                                    std::string_view body) = 0;

  /// False: no more are wanted. What throws protozero::exception is left out as damaged.
  using SpanVisit = std::function<bool(const EventView&)>;
  using LogVisit = std::function<bool(TimestampNs, const EventView&)>;
  /// Gives `visit` each span of a trace (kTraceIdBytes), as they are read: some at a time are in
  /// memory, however many there are. False where the limit came before the end.
  virtual Result<bool> read_trace(const CustomerId& customer, std::string_view trace_id,
                                  const SpanVisit& visit, const WorkLimit& limit) = 0;
  /// Each log record from from_ns to to_ns, both included, in time order, those of one time in the
  /// order in which they came; as above.
  virtual Result<bool> read_logs(const CustomerId& customer, TimestampNs from_ns, TimestampNs to_ns,
                                 const LogVisit& visit, const WorkLimit& limit) = 0;

  /// Forgets whole days that are older than before_ms, all customers'; returns how many.
  virtual Result<std::size_t> expire(Signal signal, TimestampMs before_ms) = 0;
  virtual bool is_writable() const = 0;
  virtual std::uint64_t disk_bytes(Signal signal) const = 0;
  virtual std::uint64_t damaged_items(Signal signal) const = 0;
};

}  // namespace vigia::storage::store
