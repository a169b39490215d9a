// Spans or log records of all customers in an ordered store. Format: docs/formats/cold-store.md.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "libs/base/clock.hpp"
#include "libs/model/ids.hpp"
#include "libs/model/signal.hpp"
#include "services/storage/customers/customer_numbers.hpp"
#include "services/storage/customers/record_times.hpp"
#include "services/storage/store/chunks.hpp"
#include "services/storage/store/rocksdb/events/arrival_book.hpp"
#include "services/storage/store/rocksdb/events/event_row.hpp"
#include "services/storage/store/rocksdb/events/indexed_days.hpp"
#include "services/storage/store/rocksdb/events/known_origins.hpp"
#include "services/storage/store/rocksdb/events/name_rows.hpp"
#include "services/storage/store/rocksdb/events/search_memory.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::store::rocksdb::events {

/// Thread contract: any thread. Errors as the ordered store's.
class EventTable {
  struct Key {};  // only open makes one

 public:
  /// `signal` is traces or logs. Both must outlive it.
  static Result<std::unique_ptr<EventTable>> open(kv::OrderedStore& store, const Clock& clock,
                                                  Signal signal);
  EventTable(Key key, kv::OrderedStore& store, const Clock& clock, Signal signal);
  /// Before the first write: what time it is by the records, kept up and gone by, so that a clock
  /// that is behind does not file them under days past. `times` must outlive it.
  void use_record_times(customers::RecordTimes& times) { times_ = &times; }

  /// Before the first write: the time before which nothing of a customer is kept; 0: everything is.
  /// Else items of any age would make days that each reader of a trace has to look through.
  void use_oldest(std::function<TimestampMs(const CustomerId&)> oldest_ms) {
    oldest_ms_ = std::move(oldest_ms);
  }

  /// Takes an Export{Trace,Logs}ServiceRequest. Durable when it returns. Each resource must carry
  /// customer.id with this customer's id. The same request again stores nothing (what has no time,
  /// or a future one, is known again on the day on which it came and the one after); equal records
  /// within one request are all kept. A resource or scope is stored once for all items of a day.
  /// Memory goes by the body, not by items times resources. kInvalid where the body is no such
  /// message, kTooLarge past kRequestItemsMax items: nothing is then stored.
  Result<EventCounts> write(const CustomerId& customer, customers::CustomerNumber number,
                            std::string_view body);

  /// Calls `visit` for each span of a trace (16 bytes) until it returns false. One that cannot be
  /// read, or of which `visit` throws protozero::exception, is left out and counted. False where
  /// the limit came before the end.
  using Visit = std::function<bool(const EventView& event)>;
  Result<bool> read_trace(customers::CustomerNumber customer, std::string_view trace_id,
                          const Visit& visit, const WorkLimit& limit = {});
  /// SpanDays: of all customers, and of one of them.
  std::vector<std::uint32_t> days() const { return days_.between(0, UINT32_MAX); }
  Result<bool> read_day(customers::CustomerNumber customer, std::uint32_t day, const Visit& visit,
                        const WorkLimit& limit);
  /// Calls `visit` for each log record that the query asks for until it returns false; damage and
  /// limit as above.
  using LogVisit = EventStore::LogVisit;
  Result<LogEnd> read_logs(customers::CustomerNumber customer, const LogQuery& query,
                           const LogVisit& visit, const WorkLimit& limit = {});

  /// EventStore: log_arrivals.
  LogArrivals log_arrivals(const CustomerId& customer, std::optional<std::uint64_t> after) {
    return arrivals_.since(customer, after);
  }

  /// EventStore: find_traces, services, operations.
  Result<TraceEnd> find_traces(customers::CustomerNumber customer, const TraceQuery& query,
                               const EventStore::TraceVisit& visit, const WorkLimit& limit);
  Result<TextPage> services(customers::CustomerNumber customer, const ServiceQuery& query,
                            const WorkLimit& limit);
  Result<OperationPage> operations(customers::CustomerNumber customer, std::string_view service,
                                   const OperationQuery& query, const WorkLimit& limit);

  /// Forgets whole days that are older than the cut; returns of how many something went.
  Result<std::size_t> expire(const kv::DayCuts& cuts);
  bool is_writable() const { return store_.is_writable(); }
  std::uint64_t disk_bytes() const { return store_.disk_bytes(family_); }
  /// Spans or log records that were left out of answers because they cannot be read.
  std::uint64_t damaged_items() const { return damaged_items_; }

 private:
  Result<void> load_last_arrival();
  /// The days, once all of them are in the index; kDeadline where the limit comes first.
  Result<std::vector<std::uint32_t>> indexed_between(customers::CustomerNumber customer,
                                                     TimestampNs from_ns, TimestampNs to_ns,
                                                     const WorkLimit& limit);

  kv::OrderedStore& store_;
  const Clock& clock_;
  customers::RecordTimes* times_ = nullptr;
  std::function<TimestampMs(const CustomerId&)> oldest_ms_ = [](const CustomerId&) {
    return TimestampMs{0};
  };
  Signal signal_;
  kv::Family family_;
  kv::DaySet days_;
  IndexedDays indexed_;
  KnownNames names_;
  KnownOrigins origins_;
  SearchMemory searches_;  // of spans
  ArrivalBook arrivals_;
  std::atomic<std::uint64_t> damaged_items_{0};
};

}  // namespace vigia::storage::store::rocksdb::events
