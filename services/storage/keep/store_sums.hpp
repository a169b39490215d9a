// What a store holds of a customer's day, as its readers get it: how many, and a sum by which two
// stores are compared.
#pragma once

#include <cstdint>
#include <map>
#include <optional>

#include "services/storage/keep/copy_counts.hpp"
#include "services/storage/keep/rollup_pages.hpp"
#include "services/storage/keep/series_pages.hpp"
#include "services/storage/store/cold_store.hpp"

namespace vigia::storage::keep {

struct DaySum {
  std::uint64_t sources = 0;   ///< series, metrics, traces; of log records 0
  std::uint64_t items = 0;     ///< samples and native histograms, windows, exemplars, metrics,
                               ///< spans, log records
  std::uint64_t checksum = 0;  ///< of each with its source and time, whatever their order
  bool operator==(const DaySum&) const = default;
};

/// How often, since it was opened, the store's answers left out a span, a log record, an exemplar
/// or a metric's metadata that cannot be read: two stores that both lack one have equal sums.
std::uint64_t items_left_out(store::ColdStore& store);

/// Reads all of it. Damaged rows are left out, and told. Memory goes by the rows of one series that
/// overlap. Thread contract: one thread. The store's errors.
class StoreSums {
 public:
  /// Both must outlive it.
  StoreSums(store::ColdStore& store, const SayDamage& say) : store_(store), say_(say) {}

  /// Of several values at one time that which is answered.
  Result<DaySum> samples(const CustomerId& customer, std::uint32_t day);
  /// Windows of a period, by their days.
  Result<std::map<std::uint32_t, DaySum>> windows(const CustomerId& customer,
                                                  const RollupPeriod& period);
  /// By the days of their own times.
  Result<std::map<std::uint32_t, DaySum>> exemplars(const CustomerId& customer,
                                                    TimestampMs from_ms);
  /// By the days on which it was last noted.
  Result<std::map<std::uint32_t, DaySum>> metadata(const CustomerId& customer);
  /// REQUIRES: the store has span_days().
  Result<DaySum> spans(const CustomerId& customer, std::uint32_t day);
  /// Of a whole trace.
  Result<DaySum> trace(const CustomerId& customer, std::string_view trace_id);
  Result<DaySum> records(const CustomerId& customer, std::uint32_t day);

 private:
  Result<void> add_page(const CustomerId& customer, std::uint32_t day, const SeriesPage& page,
                        DaySum& sum);
  Result<void> add_exemplars(const CustomerId& customer, TimestampMs from_ms,
                             const SeriesPage& page, std::map<std::uint32_t, DaySum>& sums);

  store::ColdStore& store_;
  const SayDamage& say_;
  const store::WorkLimit unlimited_;
};

}  // namespace vigia::storage::keep
