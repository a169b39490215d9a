#include "services/storage/read/series_search.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "services/storage/kv/day_set.hpp"

namespace vigia::storage {
namespace {

constexpr std::size_t kSelectedBytesMax = 64U << 20U;

Customer with_number(const SeriesIndex& index, CustomerId id, bool& is_known) {
  const auto number = index.find_customer(id);
  is_known = number.has_value();
  return {std::move(id), number.value_or(CustomerNumber{})};
}

// The owner of series whose label has that value; nothing where none can be.
std::optional<CustomerId> owner_of(std::string_view label) {
  if (label.empty()) return CustomerId::provider();
  auto id = CustomerId::parse(label);
  if (!id) return std::nullopt;
  return std::move(*id);
}

}  // namespace

std::vector<Customer> customers_for(const SeriesIndex& index, const Fence& fence,
                                    const LabelMatchers& matchers) {
  const auto wanted = equality_on(matchers, kCustomerLabel);
  if (!wanted.has_value() && !fence.has_value()) return index.customers();
  std::optional<CustomerId> one = wanted.has_value() ? owner_of(*wanted) : fence;
  if (!one.has_value() || (fence.has_value() && *one != *fence)) return {};
  bool is_known = false;
  Customer customer = with_number(index, std::move(*one), is_known);
  if (!is_known) return {};
  return {std::move(customer)};
}

std::size_t memory_bytes(const SelectedSeries& series) {
  std::size_t bytes = sizeof(series);
  for (const Label& label : series.labels) {
    bytes += sizeof(label) + label.name.size() + label.value.size();
  }
  return bytes;
}

DayRange days_between(TimestampMs from_ms, TimestampMs to_ms) {
  return {day_of(from_ms), day_of(to_ms)};
}

Result<std::vector<SelectedSeries>> select_series(const SeriesIndex& index, const Fence& fence,
                                                  const LabelMatchers& matchers,
                                                  const DayRange& days, std::size_t limit) {
  std::vector<SelectedSeries> selected;
  bool is_over = false;
  std::size_t bytes = 0;
  for (const Customer& customer : customers_for(index, fence, matchers)) {
    auto done = index.select(customer.number, matchers, days, [&](SelectedSeries series) {
      bytes += memory_bytes(series);
      is_over = selected.size() >= limit || bytes > kSelectedBytesMax;
      if (!is_over) selected.push_back(std::move(series));
      return !is_over;
    });
    if (!done) return forward(done);
    if (is_over) {
      return fail(ErrorCode::kOverLimit,
                  bytes > kSelectedBytesMax
                      ? "the query matches series with more than 64 MiB of labels; narrow it"
                      : fmt::format("the query matches more than {} series; narrow it", limit));
    }
  }
  std::sort(selected.begin(), selected.end(),
            [](const SelectedSeries& left, const SelectedSeries& right) {
              return left.labels < right.labels;
            });
  return selected;
}

}  // namespace vigia::storage
