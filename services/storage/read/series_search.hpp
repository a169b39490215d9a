// Finding series: over one customer or, for the operator, over all.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "libs/model/ids.hpp"
#include "services/storage/lanes/answer_memory.hpp"
#include "services/storage/store/catalog.hpp"
#include "services/storage/store/work_limit.hpp"

namespace vigia::storage::read {

/// Whose series a request may see. Nothing: all customers' and `_provider`'s (operators).
using Fence = std::optional<CustomerId>;

/// The customers that a search inside the fence has to look at. An equality matcher on customer_id
/// narrows it to one, and to none where that one is outside the fence or is nobody's id.
std::vector<CustomerId> customers_for(const store::Catalog& catalog, const Fence& fence,
                                      const store::LabelMatchers& matchers);

struct SelectedSeries {
  CustomerId customer;
  store::SeriesId id;
  Labels labels;
};

store::SeriesKey key_of(const SelectedSeries& series);

/// With its labels, as the allocator gives it.
std::size_t memory_bytes(const SelectedSeries& series);

/// The days that a range of time touches; none where it ends before it begins.
store::DayRange days_between(TimestampMs from_ms, TimestampMs to_ms);

struct SeriesQuestion {
  const Fence& fence;
  const store::LabelMatchers& matchers;
  std::function<store::DayRange(const CustomerId&)> days;  ///< that are asked for of each
  std::size_t limit;
};

/// The series that all matchers match and that had samples on one of their customer's days (as
/// select says), sorted by labels. kOverLimit past the limit, and past 64 MiB of labels: never
/// silently fewer. What they need (memory_bytes) is added to `memory` as they are found. The
/// limit's error once it is over.
Result<std::vector<SelectedSeries>> select_series(const store::Catalog& catalog,
                                                  const SeriesQuestion& question,
                                                  lanes::AnswerMemory& memory,
                                                  const store::WorkLimit& limit = {});

}  // namespace vigia::storage::read
