// What the suites of the contract ask stores with. Which stores that are says a header of their
// own, since some need more than a folder (store/cassandra/testing/contract_stores.hpp).
#pragma once

#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "libs/chunk/chunk_writer.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"

#ifndef VIGIA_CONTRACT_STORES
#define VIGIA_CONTRACT_STORES "services/storage/store/testing/contract_stores.hpp"
#define VIGIA_CONTRACT_TYPES StoresInFolders
#endif
#include VIGIA_CONTRACT_STORES

namespace vigia::storage::store {

inline constexpr std::uint32_t kDay = 20'000;
inline constexpr TimestampMs kStart = kDay * kDayMs;
inline constexpr TimestampNs kStartNs = static_cast<TimestampNs>(kStart) * 1'000'000;
inline constexpr TimestampNs kDayNs = static_cast<TimestampNs>(kDayMs) * 1'000'000;
inline const std::string kTrace(kTraceIdBytes, '\x0a');

using Stores = VIGIA_CONTRACT_TYPES;

template <typename Store>
class ContractFixture : public ::testing::Test {
 protected:
  Catalog& catalog() { return store_.cold().catalog(); }
  ChunkStore& chunks() { return store_.cold().chunks(); }
  EventStore& events() { return store_.cold().events(); }

  static Labels labels(const std::string& metric, const std::string& pod) {
    return Labels::from({{"__name__", metric}, {"pod", pod}});
  }
  NewSeries resolve(const CustomerId& customer, const Labels& labels,
                    const DayRange& days = {kDay, kDay}) {
    const std::uint64_t seed = catalog().seed_of(customer).value();
    std::vector<NewSeries> series = {
        {labels, hash_labels(seed, to_string(labels)), days, {}, false}};
    EXPECT_TRUE(catalog().resolve(customer, series).has_value());
    return series[0];
  }
  std::vector<FoundSeries> select(const CustomerId& customer,
                                  const std::vector<Matcher>& matchers = {},
                                  const DayRange& days = kAllDays) {
    const auto compiled = compile_matchers(matchers).value();
    const SeriesQuery query{compiled, days};
    const auto cursor = catalog().select(customer, query, unlimited_);
    std::vector<FoundSeries> all;
    for (;;) {
      auto page = cursor->next().value();
      if (page.empty()) return all;
      std::move(page.begin(), page.end(), std::back_inserter(all));
    }
  }
  std::vector<std::string> texts(const CustomerId& customer, const std::string& name,
                                 const DayRange& days = kAllDays) {
    std::vector<std::string> all;
    TextQuery query{days, ""};
    for (;;) {
      const auto page = name.empty()
                            ? catalog().label_names(customer, query, unlimited_).value()
                            : catalog().label_values(customer, name, query, unlimited_).value();
      all.insert(all.end(), page.texts.begin(), page.texts.end());
      if (page.is_last || page.texts.empty()) return all;
      query.after = page.texts.back();
    }
  }

  static ClosedChunk chunk(const SeriesKey& key, TimestampMs first_ms, const std::string& data,
                           std::uint64_t version = kInOrder) {
    return {key.metric,
            {key.id, first_ms, first_ms + 1'000, version, Encoding::kFloats, data},
            Resolution::kRaw};
  }
  // Of one sample, which can be merged.
  static ClosedChunk packed(const SeriesKey& key, double value, std::uint64_t version,
                            Resolution resolution) {
    chunk::ChunkWriter writer;
    writer.append({kStart, value});
    return {key.metric,
            {key.id, kStart, kStart, version, Encoding::kFloats, std::string(writer.bytes())},
            resolution};
  }
  void put(const CustomerId& customer, const std::vector<ClosedChunk>& closed) {
    ASSERT_TRUE(put_now(chunks(), customer, closed).has_value());
  }
  // The rows' data, page after page.
  std::vector<std::string> read(const CustomerId& customer, const std::vector<SeriesKey>& series,
                                const ChunkQuery& query) {
    std::vector<std::string> data;
    const auto cursor = chunks().read(customer, series, query);
    for (;;) {
      const auto page = cursor->next().value();
      if (page.empty()) return data;
      for (const ChunkRow& row : page) data.push_back(row.data);
    }
  }

  // The records of cliente-a, and the place of the last one.
  std::vector<std::string> logs(const LogQuery& query, std::optional<LogPlace>* last = nullptr) {
    std::vector<std::string> records;
    std::optional<LogPlace> place;
    const auto note = [&](const LogRecordView& record) {
      records.emplace_back(record.event.item);
      place = record.place;
      return true;
    };
    EXPECT_TRUE(events().read_logs(a_, query, note, unlimited_)->is_whole);
    if (last != nullptr && place) *last = place;
    return records;
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::parse("cliente-b").value();
  const SeriesKey key_{"m", {77}};
  const ChunkQuery all_{0, INT64_MAX};
  const WorkLimit unlimited_;
  Store store_;
};

}  // namespace vigia::storage::store
