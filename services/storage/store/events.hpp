// Spans and log records of all customers, kept as they came: the contract of every store.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "libs/base/result.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/sample.hpp"
#include "libs/model/signal.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/expiry_cuts.hpp"
#include "services/storage/store/label_matcher.hpp"
#include "services/storage/store/time_spans.hpp"
#include "services/storage/store/trace_query.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store {

inline constexpr std::size_t kTraceIdBytes = 16;
/// Of a service or an operation, in bytes.
inline constexpr std::size_t kListedNameMax = 1024;

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

enum class LogDirection : std::uint8_t { kForward, kBackward };

/// Where a log record lies in the walk of a query: to go on behind it.
struct LogPlace {
  TimestampNs time_ns = 0;
  /// How many of the customer's records of that time come before it in the walk's direction, of
  /// whatever stream.
  std::uint64_t number = 0;
  bool operator==(const LogPlace&) const = default;
};

/// What came behind one request and up to another: numbers of EventStore::log_arrivals.
struct ArrivedWithin {
  std::uint64_t after = 0;
  std::uint64_t upto = UINT64_MAX;
};

/// What of a customer's log records is read. A time is no place: any number of records have the
/// same one. Of those a store keeps the order of arrival where they are not more than it can put in
/// order at once (some MiB), else parts of them, each in order. So a walk that goes on behind a
/// place is exact unless records of just that time came meanwhile; then one of them may come twice
/// or be missed.
struct LogQuery {
  TimestampNs from_ns = 0;
  TimestampNs to_ns = 0;  ///< both included
  /// By time, those of one time in the order in which they came; backward: the last one first.
  LogDirection direction = LogDirection::kForward;
  /// All match the labels of the stream (stream_selector.hpp). Null: every stream. It must outlive
  /// the call.
  const LabelMatchers* stream = nullptr;
  std::size_t records_max = SIZE_MAX;
  /// Only what comes behind this place, of a walk in the same direction, whatever its range and
  /// stream were.
  std::optional<LogPlace> after = std::nullopt;
  /// Only what came then: where EventStore::log_arrivals knows. A record that came in several
  /// requests came with the first.
  std::optional<ArrivedWithin> arrived = std::nullopt;
};

/// How far a customer's log records have come.
struct LogArrivals {
  std::uint64_t upto = 0;       ///< what came up to it can all be read, and nothing more will
  std::vector<TimeSpan> times;  ///< in which the records lie that were asked about
};

/// How a walk over log records ended.
struct LogEnd {
  /// False: the limit came before the end, or the store's own bound on what one walk looks at.
  bool is_whole = true;
  /// Of a walk that ended so: the last place that was looked at, also where its record was
  /// not asked for; behind it the next walk goes on. Nothing: none was.
  std::optional<LogPlace> looked_at = std::nullopt;
};

struct LogRecordView {
  LogPlace place;
  EventView event;
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
  using LogVisit = std::function<bool(const LogRecordView&)>;
  /// Gives `visit` each span of a trace (kTraceIdBytes), as they are read: some at a time are in
  /// memory, however many there are. False where the limit came before the end.
  virtual Result<bool> read_trace(const CustomerId& customer, std::string_view trace_id,
                                  const SpanVisit& visit, const WorkLimit& limit) = 0;
  /// Each log record that the query asks for, in its order; as above.
  virtual Result<LogEnd> read_logs(const CustomerId& customer, const LogQuery& query,
                                   const LogVisit& visit, const WorkLimit& limit) = 0;

  /// How far the customer's log records have come, and where in time those lie that came since
  /// `after`, which an earlier answer gave (without it: none are asked about). Cheap where nothing
  /// has come. Nothing is left out but, of what came while nobody had asked for two minutes or
  /// before a start, what was ten minutes late. kInvalid of a store that does not know.
  virtual Result<LogArrivals> log_arrivals(const CustomerId& customer,
                                           std::optional<std::uint64_t> after);

  /// False: no more are wanted. The place's trace_id has kTraceIdBytes.
  using TraceVisit = std::function<bool(const TracePlace&)>;
  /// Gives `visit` each trace that the query asks for, the latest first, each once over all pages
  /// of a walk; of spans that come meanwhile a trace may come out of its turn, or be missed by the
  /// walk. kInvalid of a query without a service, and, as of the two below, from a store that keeps
  /// no index of spans: an empty answer would be untrue.
  virtual Result<TraceEnd> find_traces(const CustomerId& customer, const TraceQuery& query,
                                       const TraceVisit& visit, const WorkLimit& limit);
  /// Services that have spans, in order; the limit's error once it is over. What is longer than
  /// kListedNameMax is searched and not listed.
  virtual Result<TextPage> services(const CustomerId& customer, const ServiceQuery& query,
                                    const WorkLimit& limit);
  /// Likewise the operations of a service.
  virtual Result<OperationPage> operations(const CustomerId& customer, std::string_view service,
                                           const OperationQuery& query, const WorkLimit& limit);

  /// Forgets, by customer, whole days that are older than the customer's cut; returns of how many
  /// days something went. kInvalid for cuts that differ by customer, where the store cannot.
  virtual Result<std::size_t> expire(Signal signal, const ExpiryCuts& cuts) = 0;
  virtual bool is_writable() const = 0;
  virtual std::uint64_t disk_bytes(Signal signal) const = 0;
  virtual std::uint64_t damaged_items(Signal signal) const = 0;
};

}  // namespace vigia::storage::store
