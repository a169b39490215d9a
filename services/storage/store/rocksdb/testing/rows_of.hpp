// What a store on RocksDB holds, read whole, for tests of what is in it.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv_chunk_store.hpp"

namespace vigia::storage::store::rocksdb {

/// All rows of a series that overlap the range.
inline Result<std::vector<ChunkRow>> rows_of(const KvChunkStore& chunks,
                                             customers::CustomerNumber customer, SeriesId series,
                                             const RowWalk::Range& range) {
  std::vector<ChunkRow> rows;
  RowWalk walk = chunks.walk(customer, series, range);
  for (;;) {
    auto row = walk.next();
    if (!row) return tl::unexpected<Error>(row.error());
    if (!row->has_value()) return rows;
    rows.push_back(std::move(**row));
  }
}

/// All series of a customer that match and may have samples on one of the days.
inline Result<std::vector<FoundSeries>> series_of(kv::OrderedStore& store,
                                                  customers::CustomerNumber customer,
                                                  const DayRange& days = kAllDays,
                                                  const LabelMatchers& matchers = {},
                                                  const WorkLimit& limit = {}) {
  std::vector<FoundSeries> found;
  index::SeriesWalk walk(store, {customer, matchers, days}, limit);
  for (;;) {
    auto series = walk.next();
    if (!series) return tl::unexpected<Error>(series.error());
    if (!series->has_value()) return found;
    found.push_back(std::move(**series));
  }
}

/// All label names of a customer, or all values of one, on the days.
inline std::vector<std::string> label_names(const index::SeriesIndex& of,
                                            customers::CustomerNumber customer,
                                            const DayRange& days) {
  std::vector<std::string> names;
  EXPECT_TRUE(of.label_names(customer, {days, ""}, [&](std::string_view name) {
    names.emplace_back(name);
    return true;
  }));
  return names;
}

inline std::vector<std::string> label_values(const index::SeriesIndex& of,
                                             customers::CustomerNumber customer,
                                             std::string_view name, const DayRange& days) {
  std::vector<std::string> values;
  EXPECT_TRUE(of.label_values(customer, name, {days, ""}, [&](std::string_view value) {
    values.emplace_back(value);
    return true;
  }));
  return values;
}

}  // namespace vigia::storage::store::rocksdb
