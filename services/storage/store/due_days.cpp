#include "services/storage/store/due_days.hpp"

namespace vigia::storage::store {

Result<std::vector<DueDay>> due_days_of(DueDays& due_days, const CustomerId& customer,
                                        SeriesId series, const DayRange& days) {
  constexpr std::size_t kAtOnce = 64;
  std::vector<DueDay> all;
  for (DuePlace from{series, days.first};;) {
    const auto some = due_days.due(customer, from, kAtOnce);
    if (!some) return some;
    for (const DueDay& day : *some) {
      if (day.place.series != series || day.place.day > days.last) return all;
      all.push_back(day);
    }
    if (some->size() < kAtOnce || some->back().place.day == UINT32_MAX) return all;
    from.day = some->back().place.day + 1;
  }
}

Result<std::vector<DueDay>> DueDays::due_of(const CustomerId& customer,
                                            std::span<const SeriesId> series,
                                            const DayRange& days) {
  std::vector<DueDay> all;
  for (const SeriesId one : series) {
    const auto some = due_days_of(*this, customer, one, days);
    if (!some) return some;
    all.insert(all.end(), some->begin(), some->end());
  }
  return all;
}

}  // namespace vigia::storage::store
