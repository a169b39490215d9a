// Copies a customer's spans and log records from one store into another, a day at a time.
#pragma once

#include <optional>

#include "services/storage/keep/copy_clock.hpp"
#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

/// Log records keep their order, and equal ones of one time stay as many: what has one time goes in
/// one request, up to 90,000 records or 64 MiB of it. Memory goes by that. Durable when a call
/// returns; the same again writes nothing. Thread contract: one thread.
class EventCopy {
 public:
  /// All must outlive it. `clock` is that of `to`.
  EventCopy(store::ColdStore& from, store::ColdStore& to, CopyClock& clock)
      : from_(from), to_(to), clock_(clock) {}

  /// REQUIRES: `from` has span_days().
  Result<CopyCounts> copy_spans(const CustomerId& customer, std::uint32_t day);
  Result<CopyCounts> copy_records(const CustomerId& customer, std::uint32_t day);
  /// How many lie there: of what is not copied.
  Result<CopyCounts> count_spans(const CustomerId& customer, std::uint32_t day);
  Result<CopyCounts> count_records(const CustomerId& customer, std::uint32_t day);

 private:
  store::ColdStore& from_;
  store::ColdStore& to_;
  CopyClock& clock_;
  const store::WorkLimit unlimited_;
};

/// Gives `visit` each log record of the day, however many there are. The store's error; kInternal
/// where its walk does not go on.
Result<void> each_record_of(store::EventStore& events, const CustomerId& customer,
                            std::uint32_t day, const store::EventStore::LogVisit& visit);
/// The first day from `day` on under which a log record lies; nothing: there is none.
Result<std::optional<std::uint32_t>> next_day_with_records(store::EventStore& events,
                                                           const CustomerId& customer,
                                                           std::uint32_t day);

}  // namespace vigia::storage::keep
