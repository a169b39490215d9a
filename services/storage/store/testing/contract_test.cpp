// What every cold store keeps to. A new store is one line in `Stores` and a struct that opens it.
#include <algorithm>
#include <atomic>
#include <optional>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/clock.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/rocksdb_cold_store.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/otlp_bodies.hpp"
#include "services/storage/testing/temporary_folder.hpp"

namespace vigia::storage::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::uint32_t kDay = 20'000;
constexpr TimestampMs kStart = kDay * kDayMs;
constexpr TimestampNs kStartNs = static_cast<TimestampNs>(kStart) * 1'000'000;
constexpr TimestampNs kDayNs = static_cast<TimestampNs>(kDayMs) * 1'000'000;
const std::string kTrace(kTraceIdBytes, '\x0a');

struct InMemory {
  ColdStore& cold() { return store; }
  MemoryColdStore store;
};

struct OnRocksDb {
  ColdStore& cold() { return *store; }
  TemporaryFolder folder;
  ManualClock clock{kStart * 1'000'000};
  std::unique_ptr<rocksdb::kv::OrderedStore> kv =
      rocksdb::kv::open_rocksdb({folder.path()}).value();
  std::unique_ptr<rocksdb::RocksDbColdStore> store =
      rocksdb::RocksDbColdStore::open(*kv, clock, 1U << 20U).value();
};

template <typename Store>
class ContractTest : public ::testing::Test {
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
                                 std::uint32_t first_day = 0) {
    std::vector<std::string> all;
    TextQuery query{first_day, ""};
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
    EXPECT_TRUE(events().read_logs(a_, query, note, unlimited_).value());
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

using Stores = ::testing::Types<InMemory, OnRocksDb>;
TYPED_TEST_SUITE(ContractTest, Stores, );

TYPED_TEST(ContractTest, ASeriesThatIsResolvedTwiceHasOneId) {
  const NewSeries first = this->resolve(this->a_, this->labels("m", "1"));
  EXPECT_TRUE(first.is_new);
  EXPECT_GT(first.id.value, 0U);
  EXPECT_LT(first.id.value, std::uint64_t{1} << 63U);
  const NewSeries again = this->resolve(this->a_, this->labels("m", "1"));
  EXPECT_FALSE(again.is_new);
  EXPECT_EQ(again.id, first.id);
  EXPECT_NE(this->resolve(this->a_, this->labels("m", "2")).id, first.id);
  EXPECT_NE(this->resolve(this->b_, this->labels("m", "1")).id, first.id);
}

TYPED_TEST(ContractTest, ASeriesTwiceInOneRequestHasOneId) {
  std::vector<NewSeries> series(2);
  for (NewSeries& one : series) one.labels = this->labels("m", "1");
  ASSERT_TRUE(this->catalog().resolve(this->a_, series).has_value());
  EXPECT_EQ(series[0].id, series[1].id);
  EXPECT_EQ(this->select(this->a_).size(), 1U);
}

TYPED_TEST(ContractTest, WhatWasResolvedIsFoundByItsHash) {
  const NewSeries series = this->resolve(this->a_, this->labels("m", "1"));
  const auto known = this->catalog().find(series.wire_hash);
  ASSERT_TRUE(known.has_value());
  EXPECT_EQ(known->id, series.id);
  EXPECT_TRUE(known->days.contains({kDay, kDay}));
  const std::uint64_t others = this->catalog().seed_of(this->b_).value();
  EXPECT_FALSE(
      this->catalog().find(hash_labels(others, to_string(this->labels("m", "1")))).has_value());
}

TYPED_TEST(ContractTest, MetricsAreToldByTheIds) {
  const SeriesId one = this->resolve(this->a_, this->labels("m", "1")).id;
  const SeriesId two = this->resolve(this->a_, this->labels("n", "1")).id;
  EXPECT_THAT(this->catalog().metrics_of(this->a_, {two, one, {12'345}}).value(),
              ElementsAre("n", "m", ""));
  EXPECT_THAT(this->catalog().metrics_of(this->b_, {one}).value(), ElementsAre(""));
}

TYPED_TEST(ContractTest, SelectFindsEachMatchOnceByMetric) {
  std::set<std::string> pods;
  for (int pod = 0; pod < 700; ++pod) {
    pods.insert(std::to_string(pod));
    this->resolve(this->a_, this->labels(pod % 2 == 0 ? "b" : "a", std::to_string(pod)));
  }
  const auto all = this->select(this->a_);
  ASSERT_EQ(all.size(), 700U);
  std::string last;
  for (const FoundSeries& series : all) {
    EXPECT_LE(last, series.labels.metric_name());
    last = series.labels.metric_name();
    EXPECT_EQ(pods.erase(std::string(series.labels.get("pod"))), 1U);
  }
  EXPECT_EQ(this->select(this->a_, {{MatchType::kEqual, "__name__", "a"}}).size(), 350U);
  EXPECT_EQ(this->select(this->a_, {{MatchType::kRegex, "pod", "1|2|3"}}).size(), 3U);
  EXPECT_THAT(this->select(this->a_, {{MatchType::kEqual, "__name__", "c"}}), IsEmpty());
}

TYPED_TEST(ContractTest, OnlySeriesOfTheDaysAreFound) {
  this->resolve(this->a_, this->labels("m", "1"), {kDay, kDay + 1});
  this->resolve(this->a_, this->labels("m", "2"), {kDay + 5, kDay + 5});
  EXPECT_EQ(this->select(this->a_, {}, {kDay + 1, kDay + 2}).size(), 1U);
  EXPECT_THAT(this->select(this->a_, {}, {kDay + 2, kDay + 4}), IsEmpty());
  this->resolve(this->a_, this->labels("m", "1"), {kDay + 3, kDay + 3});
  EXPECT_EQ(this->select(this->a_, {}, {kDay + 2, kDay + 4}).size(), 1U);
}

TYPED_TEST(ContractTest, NamesAndValuesComeInOrderPageByPage) {
  std::set<std::string> pods;
  for (int pod = 0; pod < 30; ++pod) {
    pods.insert(std::to_string(pod));
    this->resolve(this->a_, this->labels("m", std::to_string(pod)));
  }
  this->resolve(this->a_, Labels::from({{"__name__", "m"}, {"zone", "z"}}), {kDay - 9, kDay - 9});
  EXPECT_EQ(this->texts(this->a_, "pod"), std::vector<std::string>(pods.begin(), pods.end()));
  EXPECT_THAT(this->texts(this->a_, ""), ElementsAre("__name__", "pod", "zone"));
  EXPECT_THAT(this->texts(this->a_, "", kDay), ElementsAre("__name__", "pod"));
  EXPECT_THAT(this->texts(this->a_, "zone", kDay), IsEmpty());
  EXPECT_THAT(this->texts(this->a_, "nothing"), IsEmpty());
}

TYPED_TEST(ContractTest, CustomersNeverSeeOneAnother) {
  const NewSeries series = this->resolve(this->a_, this->labels("m", "1"));
  const SeriesKey key{"m", series.id};
  this->put(this->a_, {this->chunk(key, kStart, "a")});
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "text")})));
  ASSERT_TRUE(this->events().write(this->a_, Signal::kTraces,
                                   export_of("cliente-a", {span_of(kTrace, 's', kStartNs)})));
  EXPECT_THAT(this->catalog().customers(), ElementsAre(this->a_));
  EXPECT_THAT(this->select(this->b_), IsEmpty());
  EXPECT_THAT(this->texts(this->b_, "pod"), IsEmpty());
  EXPECT_THAT(this->read(this->b_, {key}, this->all_), IsEmpty());
  EXPECT_FALSE(this->chunks().newest(this->b_, key, 0).value().has_value());
  int seen = 0;
  const auto count = [&](const auto&...) { return ++seen > 0; };
  EXPECT_TRUE(this->events().read_logs(this->b_, {0, UINT64_MAX}, count, this->unlimited_).value());
  EXPECT_TRUE(this->events().read_trace(this->b_, kTrace, count, this->unlimited_).value());
  EXPECT_EQ(seen, 0);
  EXPECT_TRUE(this->events().read_trace(this->a_, kTrace, count, this->unlimited_).value());
  EXPECT_EQ(seen, 1);
}

TYPED_TEST(ContractTest, ChunksOfManySeriesArePutAtOnceAndReadInTheOrderAsked) {
  const SeriesKey other{"n", {78}};
  this->put(this->a_, {this->chunk(this->key_, kStart + 5'000, "2"),
                       this->chunk(other, kStart, "3"), this->chunk(this->key_, kStart, "1")});
  EXPECT_THAT(this->read(this->a_, {this->key_, other}, this->all_), ElementsAre("1", "2", "3"));
  EXPECT_THAT(this->read(this->a_, {other, this->key_}, this->all_), ElementsAre("3", "1", "2"));
  EXPECT_THAT(this->read(this->a_, {}, this->all_), IsEmpty());
}

TYPED_TEST(ContractTest, ARangeGivesWhatOverlapsIt) {
  this->put(this->a_,
            {this->chunk(this->key_, kStart, "1"), this->chunk(this->key_, kStart + 2'000, "2"),
             this->chunk(this->key_, kStart + kDayMs, "3")});
  EXPECT_THAT(this->read(this->a_, {this->key_}, {kStart + 1'000, kStart + 2'000}),
              ElementsAre("1", "2"));
  EXPECT_THAT(this->read(this->a_, {this->key_}, {kStart + 1'001, kStart + 1'999}), IsEmpty());
  EXPECT_THAT(this->read(this->a_, {this->key_}, {kStart + 3'000, INT64_MAX}),
              ElementsAre("2", "3"));
}

TYPED_TEST(ContractTest, PagesAreCompleteAndRepeatNothing) {
  std::vector<ClosedChunk> closed;
  std::vector<std::string> wanted;
  for (int i = 0; i < 50; ++i) {
    wanted.push_back(std::to_string(i));
    closed.push_back(this->chunk(this->key_, kStart + i * (kDayMs / 7), wanted.back()));
  }
  this->put(this->a_, closed);
  for (const std::size_t page_bytes : {std::size_t{1}, std::size_t{300}, std::size_t{1} << 20U}) {
    ChunkQuery query = this->all_;
    query.page_bytes = page_bytes;
    EXPECT_EQ(this->read(this->a_, {this->key_}, query), wanted) << page_bytes;
  }
}

TYPED_TEST(ContractTest, WritingARowAgainChangesNothingAndVersionsStandBesideEachOther) {
  const ClosedChunk row = this->chunk(this->key_, kStart, "first");
  this->put(this->a_, {row});
  this->put(this->a_, {row, this->chunk(this->key_, kStart, "late", 9)});
  // By version: of two values at one time the reader keeps the first.
  EXPECT_THAT(this->read(this->a_, {this->key_}, this->all_), ElementsAre("first", "late"));
}

TYPED_TEST(ContractTest, TheNewestIsThatOfRowsInOrder) {
  EXPECT_FALSE(this->chunks().newest(this->a_, this->key_, 0).value().has_value());
  this->put(this->a_,
            {this->chunk(this->key_, kStart, "1"), this->chunk(this->key_, kStart + 5'000, "2"),
             this->chunk(this->key_, kStart + 9'000, "late", 9)});
  EXPECT_EQ(this->chunks().newest(this->a_, this->key_, 0).value(), kStart + 6'000);
  EXPECT_EQ(this->chunks().newest(this->a_, this->key_, kStart + 6'000).value(), kStart + 6'000);
  EXPECT_FALSE(this->chunks().newest(this->a_, this->key_, kStart + 6'001).value().has_value());
}

TYPED_TEST(ContractTest, AResolutionIsKeptApartOrRefused) {
  ChunkStore& chunks = this->chunks();
  EXPECT_TRUE(chunks.has(Resolution::kRaw));
  this->put(this->a_, {this->chunk(this->key_, kStart, "raw")});
  for (const Resolution made : {Resolution::kFiveMinutes, Resolution::kHour, Resolution::kDay}) {
    ClosedChunk chunk = this->chunk(this->key_, kStart, "made");
    chunk.resolution = made;
    ChunkQuery query = this->all_;
    query.resolution = made;
    const auto put = put_now(chunks, this->a_, {&chunk, 1});
    EXPECT_EQ(put.has_value(), chunks.has(made));
    const auto page = chunks.read(this->a_, {&this->key_, 1}, query)->next();
    EXPECT_EQ(page.has_value(), chunks.has(made));
    if (page) {
      ASSERT_EQ(page->size(), 1U);
      EXPECT_EQ(page->front().data, "made");
    } else {
      EXPECT_EQ(put.error().code, ErrorCode::kInvalid);
      EXPECT_EQ(page.error().code, ErrorCode::kInvalid);
      EXPECT_THAT(page.error().message, ::testing::HasSubstr(std::string(to_string(made))));
    }
  }
  EXPECT_THAT(this->read(this->a_, {this->key_}, this->all_), ElementsAre("raw"));
}

TYPED_TEST(ContractTest, WholeDaysOfChunksExpire) {
  this->put(this->a_,
            {this->chunk(this->key_, kStart, "1"), this->chunk(this->key_, kStart + kDayMs, "2")});
  this->put(this->b_, {this->chunk(this->key_, kStart, "3")});
  const auto expire = [&](TimestampMs before_ms) {
    return this->chunks().expire(Resolution::kRaw, before_ms).value();
  };
  EXPECT_EQ(expire(kStart + kDayMs + kChunkSpanMs - 1), 0U);
  EXPECT_EQ(expire(kStart + kDayMs + kChunkSpanMs), 1U);
  EXPECT_THAT(this->read(this->a_, {this->key_}, this->all_), ElementsAre("2"));
  EXPECT_THAT(this->read(this->b_, {this->key_}, this->all_), IsEmpty());
}

TYPED_TEST(ContractTest, SeriesWhoseDaysAreOverExpire) {
  const SeriesId gone = this->resolve(this->a_, this->labels("m", "old"), {kDay, kDay}).id;
  this->resolve(this->a_, this->labels("m", "new"), {kDay, kDay + 9});
  EXPECT_EQ(this->catalog().expire(kStart + 2 * kDayMs, kStart + 9 * kDayMs).value(), 1U);
  EXPECT_EQ(this->select(this->a_).size(), 1U);
  EXPECT_THAT(this->texts(this->a_, "pod"), ElementsAre("new"));
  EXPECT_THAT(this->catalog().metrics_of(this->a_, {gone}).value(), ElementsAre(""));
  EXPECT_TRUE(this->resolve(this->a_, this->labels("m", "old"), {kDay + 9, kDay + 9}).is_new);
}

TYPED_TEST(ContractTest, ATraceIsFoundByItsIdAndARepeatStoresNothing) {
  const std::string body =
      export_of("cliente-a", {span_of(kTrace, 'a', kStartNs), span_of(kTrace, 'b', kStartNs + 1),
                              span_of(std::string(kTraceIdBytes, 'x'), 'c', kStartNs)});
  EXPECT_EQ(this->events().write(this->a_, Signal::kTraces, body)->stored, 3U);
  EXPECT_EQ(this->events().write(this->a_, Signal::kTraces, body)->repeats, 3U);
  int spans = 0;
  const auto count = [&](const EventView& event) {
    EXPECT_FALSE(event.item.empty());
    EXPECT_FALSE(event.resource.empty());
    return ++spans > 0;
  };
  EXPECT_TRUE(this->events().read_trace(this->a_, kTrace, count, this->unlimited_).value());
  EXPECT_EQ(spans, 2);
}

TYPED_TEST(ContractTest, ItemsOfAnotherCustomerAreRefused) {
  const auto counts = this->events().write(this->a_, Signal::kLogs,
                                           export_of("cliente-b", {log_record_of(kStartNs, "x")}));
  EXPECT_EQ(counts->refused, 1U);
  EXPECT_EQ(counts->stored, 0U);
  EXPECT_FALSE(this->events().write(this->a_, Signal::kLogs, "no such message").has_value());
}

TYPED_TEST(ContractTest, LogRecordsComeInTimeOrderThoseOfOneTimeAsTheyCame) {
  const std::vector<std::string> texts = {"c", "a", "b"};
  std::vector<std::string> records = {log_record_of(kStartNs + 9, "last")};
  for (const std::string& text : texts) records.push_back(log_record_of(kStartNs, text));
  records.push_back(records[1]);  // equal ones of a request are both kept
  EXPECT_EQ(this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", records))->stored,
            5U);
  EXPECT_THAT(this->logs({kStartNs, kStartNs + 9}),
              ElementsAre(records[1], records[2], records[3], records[1], records[0]));
  EXPECT_THAT(this->logs({kStartNs + 1, kStartNs + 8}), IsEmpty());
}

TYPED_TEST(ContractTest, BackwardTheLastLogRecordComesFirst) {
  std::vector<std::string> records;
  for (int i = 0; i < 6; ++i) {
    records.push_back(
        log_record_of(kStartNs + static_cast<TimestampNs>(i / 3) * kDayNs, std::to_string(i)));
  }
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", records)));
  LogQuery query{0, UINT64_MAX, LogDirection::kBackward};
  EXPECT_THAT(this->logs(query),
              ElementsAre(records[5], records[4], records[3], records[2], records[1], records[0]));
  query.to_ns = kStartNs + kDayNs - 1;
  EXPECT_THAT(this->logs(query), ElementsAre(records[2], records[1], records[0]));
  query.from_ns = kStartNs + 1;
  EXPECT_THAT(this->logs(query), IsEmpty());
}

// Pages of any size, one after the other, are the whole: nothing twice and nothing missed, though
// many records have one time and days lie between others.
TYPED_TEST(ContractTest, LogsGoOnBehindAPlace) {
  std::vector<std::string> records;
  for (int i = 0; i < 12; ++i) {
    const TimestampNs time_ns = kStartNs + static_cast<TimestampNs>(i / 5) * 2 * kDayNs;
    records.push_back(log_record_of(time_ns, std::to_string(i)));
  }
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", records)));
  for (const LogDirection direction : {LogDirection::kForward, LogDirection::kBackward}) {
    for (const std::size_t page : {1U, 4U, 5U, 11U, 12U, 99U}) {
      LogQuery query{kStartNs, UINT64_MAX, direction};
      query.records_max = page;
      std::vector<std::string> all;
      for (std::size_t pages = 0; pages <= records.size(); ++pages) {
        const auto more = this->logs(query, &query.after);
        EXPECT_LE(more.size(), page);
        all.insert(all.end(), more.begin(), more.end());
        if (more.empty()) break;
      }
      std::vector<std::string> wanted = records;
      if (direction == LogDirection::kBackward) std::reverse(wanted.begin(), wanted.end());
      EXPECT_EQ(all, wanted) << "pages of " << page;
    }
  }
}

TYPED_TEST(ContractTest, NoPlaceIsBehindTheRange) {
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "text")})));
  LogQuery query{kStartNs, kStartNs};
  query.after = LogPlace{kStartNs - 1, 7};
  EXPECT_EQ(this->logs(query).size(), 1U) << "the place lies before the range";
  query.after = LogPlace{kStartNs + 1, 0};
  EXPECT_THAT(this->logs(query), IsEmpty());
  query.direction = LogDirection::kBackward;
  EXPECT_EQ(this->logs(query).size(), 1U);
  query.after = std::nullopt;
  query.records_max = 0;
  EXPECT_THAT(this->logs(query), IsEmpty());
}

TYPED_TEST(ContractTest, AStreamIsWhatTheResourceSays) {
  const std::string shop = log_record_of(kStartNs, "of the shop");
  const std::string bank = log_record_of(kStartNs, "of the bank");
  for (const auto& [service, record] : {std::pair("shop", shop), std::pair("bank", bank)}) {
    const std::vector<std::pair<std::string, std::string>> more = {{"service.name", service}};
    ASSERT_TRUE(
        this->events().write(this->a_, Signal::kLogs, export_of("cliente-a", {record}, more)));
  }
  const auto of = [this](const std::vector<Matcher>& matchers) {
    const auto compiled = compile_matchers(matchers).value();
    LogQuery query{0, UINT64_MAX};
    query.stream = &compiled;
    auto records = this->logs(query);
    std::sort(records.begin(), records.end());
    return records;
  };
  EXPECT_THAT(of({{MatchType::kEqual, "service_name", "shop"}}), ElementsAre(shop));
  EXPECT_THAT(of({{MatchType::kNotEqual, "service_name", "shop"}}), ElementsAre(bank));
  EXPECT_THAT(of({{MatchType::kEqual, "service.name", "shop"}}), IsEmpty());
  EXPECT_THAT(of({{MatchType::kEqual, "customer_id", "cliente-a"},
                  {MatchType::kRegex, "service_name", "b.*"}}),
              ElementsAre(bank));
  EXPECT_EQ(of({}).size(), 2U);
}

// A place tells nothing of the stream, so that whoever has walked one goes on in another.
TYPED_TEST(ContractTest, PlacesAreThoseOfEveryStream) {
  const std::vector<std::pair<std::string, std::string>> shop = {{"service.name", "shop"}};
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "other")})));
  ASSERT_TRUE(this->events().write(
      this->a_, Signal::kLogs,
      export_of("cliente-a", {log_record_of(kStartNs, "1"), log_record_of(kStartNs, "2")}, shop)));
  const auto matchers = compile_matchers({{MatchType::kEqual, "service_name", "shop"}}).value();
  LogQuery query{0, UINT64_MAX};
  query.stream = &matchers;
  query.records_max = 1;
  ASSERT_THAT(this->logs(query, &query.after), ElementsAre(log_record_of(kStartNs, "1")));
  query.stream = nullptr;
  query.records_max = 9;
  EXPECT_THAT(this->logs(query), ::testing::Contains(log_record_of(kStartNs, "2")));
  EXPECT_THAT(this->logs(query), ::testing::Not(::testing::Contains(log_record_of(kStartNs, "1"))));
}

TYPED_TEST(ContractTest, WholeDaysOfEventsExpireBySignal) {
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "text")})));
  ASSERT_TRUE(this->events().write(this->a_, Signal::kTraces,
                                   export_of("cliente-a", {span_of(kTrace, 's', kStartNs)})));
  EXPECT_EQ(this->events().expire(Signal::kLogs, kStart + kDayMs).value(), 1U);
  int seen = 0;
  const auto count = [&](const auto&...) { return ++seen > 0; };
  EXPECT_TRUE(this->events().read_logs(this->a_, {0, UINT64_MAX}, count, this->unlimited_).value());
  EXPECT_EQ(seen, 0);
  EXPECT_TRUE(this->events().read_trace(this->a_, kTrace, count, this->unlimited_).value());
  EXPECT_EQ(seen, 1);
}

TYPED_TEST(ContractTest, ALimitThatIsOverEndsASearch) {
  this->resolve(this->a_, this->labels("m", "1"));
  ASSERT_TRUE(this->events().write(this->a_, Signal::kLogs,
                                   export_of("cliente-a", {log_record_of(kStartNs, "text")})));
  const ManualClock clock(0);
  const auto gone = std::make_shared<const std::atomic<bool>>(true);
  const WorkLimit over(clock, std::chrono::seconds(9), gone);
  const LabelMatchers none;
  const SeriesQuery query{none, kAllDays};
  EXPECT_FALSE(this->catalog().select(this->a_, query, over)->next().has_value());
  EXPECT_FALSE(this->catalog().label_names(this->a_, {}, over).has_value());
  EXPECT_FALSE(this->catalog().label_values(this->a_, "pod", {}, over).has_value());
  const auto any = [](const auto&...) { return true; };
  EXPECT_FALSE(this->events().read_logs(this->a_, {0, UINT64_MAX}, any, over).value());
}

// Writers of several customers beside a reader: each finds its own, whole.
TYPED_TEST(ContractTest, ManyAtOnceDisturbNobody) {
  constexpr int kRounds = 20;
  std::vector<std::thread> writers;
  for (const CustomerId& customer : {this->a_, this->b_}) {
    writers.emplace_back([this, customer] {
      for (int i = 0; i < kRounds; ++i) {
        const NewSeries series = this->resolve(customer, this->labels("m", std::to_string(i)));
        this->put(customer, {this->chunk({"m", series.id}, kStart, customer.text())});
      }
    });
  }
  for (int i = 0; i < kRounds; ++i) {
    for (const FoundSeries& series : this->select(this->a_)) {
      for (const std::string& data : this->read(this->a_, {{"m", series.id}}, this->all_)) {
        EXPECT_EQ(data, "cliente-a");
      }
    }
  }
  for (std::thread& writer : writers) writer.join();
  for (const CustomerId& customer : {this->a_, this->b_}) {
    const auto found = this->select(customer);
    EXPECT_EQ(found.size(), static_cast<std::size_t>(kRounds));
    for (const FoundSeries& series : found) {
      EXPECT_THAT(this->read(customer, {{"m", series.id}}, this->all_),
                  ElementsAre(customer.text()));
    }
  }
}

// What a store that instances share must give: two of them come to the same without asking.
TEST(MemoryColdStore, TwoInstancesGiveASeriesTheSameId) {
  const CustomerId customer = CustomerId::parse("cliente-a").value();
  std::vector<SeriesId> ids;
  for (int instance = 0; instance < 2; ++instance) {
    MemoryColdStore store;
    std::vector<NewSeries> series(2);
    series[static_cast<std::size_t>(instance)].labels = Labels::from({{"__name__", "m"}});
    series[static_cast<std::size_t>(1 - instance)].labels = Labels::from({{"__name__", "n"}});
    ASSERT_TRUE(store.catalog().resolve(customer, series).has_value());
    ids.push_back(series[static_cast<std::size_t>(instance)].id);
  }
  EXPECT_EQ(ids[0], ids[1]);
}

}  // namespace
}  // namespace vigia::storage::store
