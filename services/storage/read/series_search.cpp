#include "services/storage/read/series_search.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace vigia::storage::read {
namespace {

constexpr std::size_t kSelectedBytesMax = 64U << 20U;

// What a text needs beside the std::string: nothing where it is short.
std::size_t own_block(const std::string& text) {
  constexpr std::size_t kInside = 15;
  constexpr std::size_t kBlock = 16;
  return text.size() <= kInside ? 0 : text.size() + kBlock;
}

// The owner of series whose label has that value; nothing where none can be.
std::optional<CustomerId> owner_of(std::string_view label) {
  if (label.empty()) return CustomerId::provider();
  auto id = CustomerId::parse(label);
  if (!id) return std::nullopt;
  return std::move(*id);
}

}  // namespace

std::vector<CustomerId> customers_for(const store::Catalog& catalog, const Fence& fence,
                                      const store::LabelMatchers& matchers) {
  // A fence stands beside what its customer wrote: who asks for another's, walks nobody's.
  if (store::is_contradiction(matchers, kCustomerLabel)) return {};
  const auto wanted = store::equality_on(matchers, kCustomerLabel);
  if (!wanted.has_value() && !fence.has_value()) return catalog.customers();
  std::optional<CustomerId> one = wanted.has_value() ? owner_of(*wanted) : fence;
  if (!one.has_value() || (fence.has_value() && *one != *fence)) return {};
  return {std::move(*one)};
}

store::SeriesKey key_of(const SelectedSeries& series) {
  return {std::string(series.labels.metric_name()), series.id};
}

std::size_t memory_bytes(const SelectedSeries& series) {
  std::size_t bytes = 2 * sizeof(series);  // the list grows by doubling
  bytes += own_block(series.customer.text());
  for (const Label& label : series.labels) {
    bytes += sizeof(label) + own_block(label.name) + own_block(label.value);
  }
  return bytes;
}

store::DayRange days_between(TimestampMs from_ms, TimestampMs to_ms) {
  if (to_ms < from_ms) return {UINT32_MAX, 0};
  return {store::day_of(from_ms), store::day_of(to_ms)};
}

Result<std::vector<SelectedSeries>> select_series(const store::Catalog& catalog,
                                                  const SeriesQuestion& question,
                                                  lanes::AnswerMemory& memory,
                                                  const store::WorkLimit& limit) {
  std::vector<SelectedSeries> selected;
  std::size_t bytes = 0;
  const auto take = [&](SelectedSeries series) -> Result<void> {
    const std::size_t more = memory_bytes(series);
    bytes += more;
    if (selected.size() >= question.limit) {
      return fail(ErrorCode::kOverLimit,
                  fmt::format("the query matches more than {} series; narrow it", question.limit));
    }
    if (bytes > kSelectedBytesMax) {
      return fail(ErrorCode::kOverLimit,
                  "the query matches series with more than 64 MiB of labels; narrow it");
    }
    if (auto fits = memory.add(more); !fits) return fits;
    selected.push_back(std::move(series));
    return {};
  };
  for (const CustomerId& customer : customers_for(catalog, question.fence, question.matchers)) {
    const store::SeriesQuery query{question.matchers, question.days(customer)};
    const auto cursor = catalog.select(customer, query, limit);
    for (;;) {
      auto page = cursor->next();
      if (!page) return tl::unexpected<Error>(page.error());
      if (page->empty()) break;
      for (store::FoundSeries& found : *page) {
        auto taken = take({customer, found.id, std::move(found.labels)});
        if (!taken) return tl::unexpected<Error>(taken.error());
      }
    }
  }
  std::sort(selected.begin(), selected.end(),
            [](const SelectedSeries& left, const SelectedSeries& right) {
              return left.labels < right.labels;
            });
  return selected;
}

}  // namespace vigia::storage::read
