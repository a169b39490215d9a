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

}  // namespace vigia::storage::store
