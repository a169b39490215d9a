#include "services/storage/keep/exemplar_copy.hpp"

#include <algorithm>

#include "services/storage/keep/while_it_passes.hpp"
#include "services/storage/store/label_bytes.hpp"

namespace vigia::storage::keep {
namespace {

constexpr std::size_t kBatch = 1'000;

}  // namespace

Result<CopyCounts> ExemplarCopy::copy(const CustomerId& customer, TimestampMs from_ms) {
  if (from_.exemplars() == nullptr) return CopyCounts();
  return while_it_passes("exemplars", [&]() -> Result<CopyCounts> {
    const std::uint64_t damaged = from_.exemplars()->damaged();
    CopyCounts counts;
    const auto copy_one = [&](const SeriesPage& page) -> Result<void> {
      const auto copied = copy_page(customer, page, from_ms);
      if (!copied) return forward(copied);
      const auto old = count_old(customer, page, from_ms);
      if (!old) return forward(old);
      counts += *copied;
      counts += *old;
      return {};
    };
    auto visited = each_page(from_.catalog(), customer, store::kAllDays, copy_one);
    if (!visited) return forward(visited);
    counts.damaged = from_.exemplars()->damaged() - damaged;
    return counts;
  });
}

Result<std::vector<store::SeriesId>> ExemplarCopy::having(const CustomerId& customer,
                                                          const SeriesPage& page,
                                                          const store::ExemplarRange& range) {
  std::vector<store::SeriesId> ids;
  for (const store::FoundSeries& series : page) ids.push_back(series.id);
  std::sort(ids.begin(), ids.end());
  return from_.exemplars()->having(customer, ids, range, unlimited_);
}

Result<CopyCounts> ExemplarCopy::count_old(const CustomerId& customer, const SeriesPage& page,
                                           TimestampMs from_ms) {
  CopyCounts counts;
  if (from_ms <= 0) return counts;
  const store::ExemplarRange range{0, from_ms - 1};
  const auto some = having(customer, page, range);
  if (!some) return forward(some);
  const auto count = [&](const store::StoredExemplar&) { return ++counts.old_exemplars != 0; };
  for (const store::SeriesId series : *some) {
    auto read = from_.exemplars()->read(customer, series, range, count, unlimited_);
    if (!read) return forward(read);
  }
  return counts;
}

Result<CopyCounts> ExemplarCopy::copy_page(const CustomerId& customer, const SeriesPage& page,
                                           TimestampMs from_ms) {
  CopyCounts counts;
  const store::ExemplarRange range{from_ms};
  const auto some_have = having(customer, page, range);
  if (!some_have) return forward(some_have);
  for (const store::FoundSeries& series : page) {
    if (!std::binary_search(some_have->begin(), some_have->end(), series.id)) continue;
    std::vector<store::NewExemplar> some;
    Result<void> written;
    const auto note = [&](const store::StoredExemplar& one) {
      some.push_back({{}, one.sample, std::string(one.label_bytes)});
      if (some.size() == kBatch) written = put(customer, series.labels, some, counts);
      return written.has_value();
    };
    if (auto read = from_.exemplars()->read(customer, series.id, range, note, unlimited_); !read) {
      return forward(read);
    }
    if (written) written = put(customer, series.labels, some, counts);
    if (!written) return forward(written);
  }
  return counts;
}

// The series' days come to hold those of its exemplars, which a reader asks by, too.
Result<void> ExemplarCopy::put(const CustomerId& customer, const Labels& labels,
                               std::vector<store::NewExemplar>& some, CopyCounts& counts) {
  if (some.empty()) return {};
  if (to_.exemplars() == nullptr) {
    counts.unkept += some.size();
    some.clear();
    return {};
  }
  const auto seed = to_.catalog().seed_of(customer);
  if (!seed) return forward(seed);
  const store::DayRange days{store::day_of(some.front().sample.timestamp_ms),
                             store::day_of(some.back().sample.timestamp_ms)};
  std::vector<store::NewSeries> series = {
      {labels, store::hash_labels(*seed, store::encode_labels(labels)), days, {}, false}};
  if (auto resolved = to_.catalog().resolve(customer, series); !resolved) return resolved;
  for (store::NewExemplar& one : some) one.series = series.front().id;
  if (auto put_some = to_.exemplars()->put(customer, some); !put_some) return put_some;
  counts.exemplars += some.size();
  some.clear();
  return {};
}

}  // namespace vigia::storage::keep
