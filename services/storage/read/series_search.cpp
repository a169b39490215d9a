#include "services/storage/read/series_search.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "services/storage/store/rocksdb/kv/day_set.hpp"

namespace vigia::storage::read {
namespace {

constexpr std::size_t kSelectedBytesMax = 64U << 20U;

// What a text needs beside the std::string: nothing where it is short.
std::size_t own_block(const std::string& text) {
  constexpr std::size_t kInside = 15;
  constexpr std::size_t kBlock = 16;
  return text.size() <= kInside ? 0 : text.size() + kBlock;
}

store::rocksdb::index::Customer with_number(const store::rocksdb::index::SeriesIndex& index,
                                            CustomerId id, bool& is_known) {
  const auto number = index.find_customer(id);
  is_known = number.has_value();
  return {std::move(id), number.value_or(store::CustomerNumber{})};
}

// The owner of series whose label has that value; nothing where none can be.
std::optional<CustomerId> owner_of(std::string_view label) {
  if (label.empty()) return CustomerId::provider();
  auto id = CustomerId::parse(label);
  if (!id) return std::nullopt;
  return std::move(*id);
}

}  // namespace

std::vector<store::rocksdb::index::Customer> customers_for(
    const store::rocksdb::index::SeriesIndex& index, const Fence& fence,
    const store::LabelMatchers& matchers) {
  const auto wanted = store::equality_on(matchers, kCustomerLabel);
  if (!wanted.has_value() && !fence.has_value()) return index.customers();
  std::optional<CustomerId> one = wanted.has_value() ? owner_of(*wanted) : fence;
  if (!one.has_value() || (fence.has_value() && *one != *fence)) return {};
  bool is_known = false;
  store::rocksdb::index::Customer customer = with_number(index, std::move(*one), is_known);
  if (!is_known) return {};
  return {std::move(customer)};
}

std::size_t memory_bytes(const store::rocksdb::index::SelectedSeries& series) {
  std::size_t bytes = 2 * sizeof(series);  // the list grows by doubling
  for (const Label& label : series.labels) {
    bytes += sizeof(label) + own_block(label.name) + own_block(label.value);
  }
  return bytes;
}

store::DayRange days_between(TimestampMs from_ms, TimestampMs to_ms) {
  return {store::rocksdb::kv::day_of(from_ms), store::rocksdb::kv::day_of(to_ms)};
}

Result<std::vector<store::rocksdb::index::SelectedSeries>> select_series(
    const store::rocksdb::index::SeriesIndex& index, const SeriesQuestion& question,
    lanes::AnswerMemory& memory, const lanes::WorkLimit& limit) {
  std::vector<store::rocksdb::index::SelectedSeries> selected;
  std::size_t bytes = 0;
  Result<void> fits;
  for (const store::rocksdb::index::Customer& customer :
       customers_for(index, question.fence, question.matchers)) {
    const auto take = [&](store::rocksdb::index::SelectedSeries series) {
      const std::size_t more = memory_bytes(series);
      bytes += more;
      if (selected.size() >= question.limit) {
        fits =
            fail(ErrorCode::kOverLimit,
                 fmt::format("the query matches more than {} series; narrow it", question.limit));
      } else if (bytes > kSelectedBytesMax) {
        fits = fail(ErrorCode::kOverLimit,
                    "the query matches series with more than 64 MiB of labels; narrow it");
      } else {
        fits = memory.add(more);
      }
      if (fits) selected.push_back(std::move(series));
      return fits.has_value();
    };
    const auto done = index.select(customer.number, question.matchers, question.days, take, limit);
    if (!done) return forward(done);
    if (!fits) return forward(fits);
  }
  std::sort(selected.begin(), selected.end(),
            [](const store::rocksdb::index::SelectedSeries& left,
               const store::rocksdb::index::SelectedSeries& right) {
              return left.labels < right.labels;
            });
  return selected;
}

}  // namespace vigia::storage::read
