#include "services/storage/keep/sample_copy.hpp"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>

#include "libs/chunk/chunk_reader.hpp"
#include "services/storage/keep/resolved_ids.hpp"
#include "services/storage/keep/series_pages.hpp"
#include "services/storage/keep/sound_rows.hpp"
#include "services/storage/keep/while_it_passes.hpp"
#include "services/storage/store/histogram_encoding.hpp"
#include "services/storage/store/row_merge.hpp"

namespace vigia::storage::keep {
namespace {

constexpr std::size_t kBatchBytes = 4U << 20U;
constexpr std::size_t kBatchRows = 2'000;

Result<void> check_data(const store::ChunkRow& row) {
  if (store::holds_histograms(row.encoding)) {
    const auto histograms = store::histograms_of(row);
    return histograms ? Result<void>() : forward(histograms);
  }
  if (row.encoding != store::Encoding::kFloats) {
    return fail(ErrorCode::kCorrupt,
                fmt::format("it has the unknown encoding {}", static_cast<unsigned>(row.encoding)));
  }
  const auto samples = chunk::read_samples(row.data);
  return samples ? Result<void>() : forward(samples);
}

}  // namespace

Result<CopyCounts> SampleCopy::copy_day(const CustomerId& customer, const CopiedDay& day) {
  return while_it_passes("samples", [&]() -> Result<CopyCounts> {
    CopyCounts counts;
    const auto visited = each_page(from_.catalog(), customer, {day.day, day.day},
                                   [&](const SeriesPage& page) -> Result<void> {
                                     const auto copied = copy_page(customer, day, page);
                                     if (!copied) return forward(copied);
                                     counts += *copied;
                                     return {};
                                   });
    if (!visited) return forward(visited);
    return counts;
  });
}

Result<CopyCounts> SampleCopy::copy_page(const CustomerId& customer, const CopiedDay& day,
                                         const SeriesPage& page) {
  CopyCounts counts;
  const auto keys = keys_of(page);
  SoundRows sound(from_.chunks(), customer, keys,
                  {first_ms_of(day.day), last_ms_of(day.day), Resolution::kRaw});
  std::vector<Placed> rows;
  std::size_t bytes = 0;
  for (;;) {
    auto some = sound.next();
    const store::FoundSeries& series = page[sound.at()];
    if (!some && some.error().code != ErrorCode::kCorrupt) return forward(some);
    if (!some) {
      ++counts.damaged;
      say_(fmt::format("customer {}, {}, day {}: {}", customer.text(), to_string(series.labels),
                       day.day, some.error().message));
      continue;
    }
    if (some->empty()) break;
    for (store::ChunkRow& row : *some) {
      if (!day.is_first && store::day_of(row.first_ms) != day.day) continue;
      if (!is_sound(customer, series, row)) {
        ++counts.damaged;
        continue;
      }
      bytes += sizeof(Placed) + row.data.size();
      rows.push_back({sound.at(), {keys[sound.at()].metric, std::move(row)}});
    }
    if (bytes < kBatchBytes && rows.size() < kBatchRows) continue;
    if (auto put_some = put(customer, page, rows, counts); !put_some) return forward(put_some);
    rows.clear();
    bytes = 0;
  }
  if (auto put_rest = put(customer, page, rows, counts); !put_rest) return forward(put_rest);
  return counts;
}

// One bad row is one row.
bool SampleCopy::is_sound(const CustomerId& customer, const store::FoundSeries& series,
                          const store::ChunkRow& row) const {
  auto sound = check_data(row);
  if (sound) sound = store::check_row(row, Resolution::kRaw);
  if (sound) return true;
  say_(fmt::format("customer {}, {}: the row from {} ms on, version {}: {}", customer.text(),
                   to_string(series.labels), row.first_ms, row.version, sound.error().message));
  return false;
}

Result<void> SampleCopy::put(const CustomerId& customer, const SeriesPage& page,
                             std::vector<Placed>& rows, CopyCounts& counts) {
  if (rows.empty()) return {};
  auto resolved = while_it_passes("the index", [&] { return resolve(customer, page, rows); });
  if (!resolved) return resolved;
  auto compared = while_it_passes("rows that are there", [&] { return compare(customer, rows); });
  if (!compared) return compared;
  std::vector<store::ClosedChunk> chunks;
  for (Placed& row : rows) {
    if (row.is_left) ++counts.damaged;
    if (row.is_there) ++counts.rows_there;
    if (row.is_left || row.is_there) continue;
    if (row.is_taken) ++counts.rows_behind;
    chunks.push_back(std::move(row.chunk));
  }
  counts.rows += chunks.size();
  if (chunks.empty()) return {};
  return while_it_passes("chunks", [&] { return put_now(to_.chunks(), customer, chunks); });
}

// Of each series the days of its rows alone: the index of the other store leads to no more.
Result<void> SampleCopy::resolve(const CustomerId& customer, const SeriesPage& page,
                                 std::vector<Placed>& rows) {
  DaysOfSeries days;
  for (const Placed& row : rows) {
    const auto own = days.try_emplace(row.at, store::kNoDays).first;
    own->second = joined(
        own->second, {store::day_of(row.chunk.row.first_ms), store::day_of(row.chunk.row.last_ms)});
  }
  const auto ids = resolved_ids(to_.catalog(), customer, page, days);
  if (!ids) return forward(ids);
  for (Placed& row : rows) row.chunk.row.series = ids->at(row.at);
  return {};
}

// A store replaces a row by another one of the same place: what it has there must not go.
Result<void> SampleCopy::compare(const CustomerId& customer, std::vector<Placed>& rows) {
  using Place = std::tuple<std::uint64_t, TimestampMs, store::Encoding>;
  struct OfPlace {
    std::vector<Placed*> rows;
    std::uint64_t highest = 0;  // version that lies there
  };
  std::map<Place, OfPlace> places;
  std::map<std::uint64_t, std::string> metrics;
  store::ChunkQuery query{INT64_MAX, INT64_MIN, Resolution::kRaw};
  for (Placed& row : rows) {
    const store::ChunkRow& own = row.chunk.row;
    row.is_there = row.is_taken = row.is_left = false;
    places[{own.series.value, own.first_ms, own.encoding}].rows.push_back(&row);
    metrics[own.series.value] = row.chunk.metric;
    query.from_ms = std::min(query.from_ms, own.first_ms);
    query.to_ms = std::max(query.to_ms, own.first_ms);
  }
  std::vector<store::SeriesKey> keys;
  for (const auto& [id, metric] : metrics) keys.push_back({metric, {id}});
  const auto cursor = to_.chunks().read(customer, keys, query);
  for (;;) {
    const auto page = cursor->next();
    if (!page && page.error().code != ErrorCode::kCorrupt) return forward(page);
    if (!page) {
      say_(fmt::format("customer {}, series {} of the other store: {}; its rows are not copied",
                       customer.text(), keys[cursor->at()].id.value, page.error().message));
      for (Placed& row : rows) row.is_left |= row.chunk.row.series == keys[cursor->at()].id;
      continue;
    }
    if (page->empty()) break;
    for (const store::ChunkRow& there : *page) {
      const auto own = places.find({there.series.value, there.first_ms, there.encoding});
      if (own == places.end()) continue;
      own->second.highest = std::max(own->second.highest, there.version);
      for (Placed* row : own->second.rows) note_there(*row, there);
    }
  }
  for (auto& [place, own] : places) put_behind(own.rows, own.highest);
  return {};
}

void SampleCopy::note_there(Placed& row, const store::ChunkRow& there) {
  if (row.chunk.row.data == there.data) {
    row.is_there = true;
  } else if (row.chunk.row.version == there.version) {
    row.is_taken = true;
  }
}

// Where one goes behind what is there all of its place do: their order stays as it was.
void SampleCopy::put_behind(std::vector<Placed*>& rows, std::uint64_t highest) {
  const auto is_taken = [](const Placed* row) { return row->is_taken && !row->is_there; };
  if (std::none_of(rows.begin(), rows.end(), is_taken)) return;
  std::sort(rows.begin(), rows.end(), [](const Placed* left, const Placed* right) {
    return left->chunk.row.version < right->chunk.row.version;
  });
  for (Placed* row : rows) {
    if (row->is_there) continue;
    row->is_taken = true;
    row->chunk.row.version = ++highest;
  }
}

Result<CopyCounts> SampleCopy::count_before(const CustomerId& customer, std::uint32_t day) {
  if (day == 0) return CopyCounts();
  return while_it_passes("samples", [&]() -> Result<CopyCounts> {
    CopyCounts counts;
    store::ChunkQuery query{first_ms_of(0), first_ms_of(day) - 1, Resolution::kRaw};
    query.wants_data = false;
    auto visited = each_page(
        from_.catalog(), customer, {0, day - 1}, [&](const SeriesPage& page) -> Result<void> {
          const auto keys = keys_of(page);
          const auto cursor = from_.chunks().read(customer, keys, query);
          for (;;) {
            const auto rows = cursor->next();
            if (!rows && rows.error().code != ErrorCode::kCorrupt) return forward(rows);
            if (rows && rows->empty()) return {};
            if (!rows) continue;
            counts.old_rows += static_cast<std::uint64_t>(std::count_if(
                rows->begin(), rows->end(),
                [day](const store::ChunkRow& row) { return store::day_of(row.last_ms) < day; }));
          }
        });
    if (!visited) return forward(visited);
    return counts;
  });
}

}  // namespace vigia::storage::keep
