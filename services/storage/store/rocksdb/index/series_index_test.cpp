#include "services/storage/store/rocksdb/index/series_index.hpp"

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/kv/day_set.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/testing/rows_of.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

class SeriesIndexTest : public testing::Test {
 protected:
  SeriesIndexTest() : store_(kv::open_rocksdb({folder_.path()}).value()) {
    EXPECT_TRUE(SeriesIndex::open(*store_).has_value());
  }
  std::string format(kv::Family family = kv::Family::kIndex) const {
    return *store_->get(family, index_key::kFormat).value();
  }
  void set_format(const std::string& text) {
    const std::string key(index_key::kFormat);
    ASSERT_TRUE(store_->put({{kv::Family::kIndex, key, text}, {kv::Family::kIdentity, key, text}},
                            kv::Durability::kNow));
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> store_;
};

TEST_F(SeriesIndexTest, AStoreOfAnOlderVersionIsReadAndBecomesVersion7) {
  EXPECT_EQ(format(), "vigia cold store 7");
  for (const char* older : {"vigia cold store 1", "vigia cold store 2", "vigia cold store 3",
                            "vigia cold store 4", "vigia cold store 5", "vigia cold store 6"}) {
    set_format(older);
    EXPECT_TRUE(SeriesIndex::open(*store_).has_value());
    EXPECT_EQ(format(), "vigia cold store 7");
    EXPECT_EQ(format(kv::Family::kIdentity), "vigia cold store 7");
  }
}

TEST_F(SeriesIndexTest, AStoreOfALaterVersionIsRefused) {
  set_format("vigia cold store 8");
  const auto index = SeriesIndex::open(*store_);
  ASSERT_FALSE(index.has_value());
  EXPECT_EQ(index.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(format(), "vigia cold store 8");
}

// Each look at it takes a second.
class CountedClock final : public Clock {
 public:
  std::int64_t wall_ns() const override { return 0; }
  TimePoint steady() const override { return TimePoint(std::chrono::seconds(++looks_)); }

 private:
  mutable std::atomic<int> looks_{0};
};

// A look-up that nothing matched went over all rows, however long that took.
TEST_F(SeriesIndexTest, AWalkEndsBetweenRowsWhetherTheyAreWantedOrNot) {
  const auto index = SeriesIndex::open(*store_).value();
  const auto customer = index->number_of(*CustomerId::parse("cliente-a")).value();
  std::vector<UnresolvedSeries> series;
  for (int i = 0; i < 20; ++i) {
    const std::string pod = std::to_string(i);
    series.push_back(
        {customer, Labels::from({{"__name__", "m"}, {"pod", pod}}), index->hash(customer, pod)});
  }
  ASSERT_TRUE(index->resolve(series));
  const auto matchers = compile_matchers({{MatchType::kEqual, "pod", "none"}}).value();
  const CountedClock clock;
  using Walk = std::function<Result<void>(const WorkLimit&)>;
  const auto ends_within = [&](int seconds, const Walk& walk) {
    const WorkLimit limit(clock, std::chrono::seconds(seconds), nullptr);
    const auto walked = walk(limit);
    const bool is_ended = !walked && walked.error().code == ErrorCode::kDeadline;
    EXPECT_EQ(limit.has_timed_out(), is_ended);
    return is_ended;
  };
  const auto any = [](std::string_view) { return true; };
  const Walk select = [&](const WorkLimit& limit) {
    const auto found = series_of(*store_, customer, kAllDays, matchers, limit);
    return found ? Result<void>() : tl::unexpected<Error>(found.error());
  };
  const Walk values = [&](const WorkLimit& limit) {
    return index->label_values(customer, "pod", {}, any, limit);
  };
  const Walk names = [&](const WorkLimit& limit) {
    return index->label_names(customer, {}, any, limit);
  };
  for (const Walk& walk : {select, values}) {
    EXPECT_TRUE(ends_within(10, walk));
    EXPECT_FALSE(ends_within(100, walk));
  }
  EXPECT_TRUE(ends_within(1, names));
  EXPECT_FALSE(ends_within(10, names));
}

class LostRowsTest : public SeriesIndexTest {
 protected:
  LostRowsTest() { reopen(); }
  void reopen() { index_ = SeriesIndex::open(*store_).value(); }
  std::uint64_t resolve(const std::string& customer, const std::string& metric) {
    const customers::CustomerNumber number =
        index_->number_of(*CustomerId::parse(customer)).value();
    const Labels labels = Labels::from({{"__name__", metric}, {"customer_id", customer}});
    std::vector<UnresolvedSeries> series = {{number, labels, index_->hash(number, metric)}};
    EXPECT_TRUE(index_->resolve(series).has_value());
    return series[0].id.value;
  }
  void lose(std::string_view prefix) {
    ASSERT_TRUE(
        store_->drop_range(kv::Family::kIndex, prefix, kv::after_prefix(std::string(prefix))));
  }
  void heal() {
    ASSERT_TRUE(store_->put({{kv::Family::kIndex, std::string(index_key::kHeal), "1"}},
                            kv::Durability::kNow));
    reopen();
  }

  std::unique_ptr<SeriesIndex> index_;
};

TEST_F(LostRowsTest, NoNumberIsGivenTwiceWhateverIsLost) {
  const auto number = index_->number_of(*CustomerId::parse("cliente-a")).value();
  const std::uint64_t first = resolve("cliente-a", "m");
  const std::uint64_t second = resolve("cliente-b", "m");
  for (const char* prefix : {"m/", "c/", "h", "v"}) {
    SCOPED_TRACE(prefix);
    lose(prefix);
    heal();
    EXPECT_EQ(index_->number_of(*CustomerId::parse("cliente-a")).value(), number);
    EXPECT_EQ(resolve("cliente-a", "m"), first);
    EXPECT_EQ(resolve("cliente-b", "m"), second);
    EXPECT_EQ(label_names(*index_, number, kAllDays).size(), 2U);
    EXPECT_GT(resolve("cliente-a", std::string("new") + prefix), second);
  }
}

// As a deletion leaves it.
TEST_F(LostRowsTest, TheHighestNumberIsKeptWithoutItsCustomer) {
  const auto gone = index_->number_of(*CustomerId::parse("cliente-a")).value();
  const std::string key = index_key::customer("cliente-a");
  ASSERT_TRUE(
      store_->put({{kv::Family::kIndex, key, "", true}, {kv::Family::kIdentity, key, "", true}},
                  kv::Durability::kNow));
  lose("m/last");  // its copy is enough
  reopen();
  EXPECT_GT(index_->number_of(*CustomerId::parse("cliente-c")).value(), gone);
}

TEST_F(LostRowsTest, WithoutBothCopiesTheCustomersAreReadFromTheirSeries) {
  const auto number = index_->number_of(*CustomerId::parse("cliente-b")).value();
  const std::uint64_t series = resolve("cliente-b", "m");
  lose("m/");
  lose("c/");
  ASSERT_TRUE(store_->drop_range(kv::Family::kIdentity, "", "z"));
  heal();
  EXPECT_EQ(index_->number_of(*CustomerId::parse("cliente-b")).value(), number);
  EXPECT_EQ(resolve("cliente-b", "m"), series);
  EXPECT_GT(index_->number_of(*CustomerId::parse("cliente-c")).value(), number);
}

// A customer's row that is malformed although its checksum is right ended every start.
TEST_F(LostRowsTest, AMalformedCustomerRowCostsNothingWhereItsCopyIsRight) {
  const auto number = index_->number_of(*CustomerId::parse("cliente-a")).value();
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    ASSERT_TRUE(store_->put({{family, index_key::customer("cliente-a"), "xy"},
                             {family, index_key::customer("NO ID"), std::string(8, '\1')}},
                            kv::Durability::kNow));
    reopen();
    EXPECT_EQ(index_->number_of(*CustomerId::parse("cliente-a")).value(), number);
    EXPECT_EQ(store_->get(family, index_key::customer("cliente-a")).value()->size(), 8U);
    EXPECT_FALSE(store_->get(family, index_key::customer("NO ID")).value().has_value());
  }
  EXPECT_EQ(store_->damage().found.at("row"), 2U);
}

TEST_F(LostRowsTest, WhereBothCopiesAreMalformedItsSeriesSayWhoseTheNumberIs) {
  const auto number = index_->number_of(*CustomerId::parse("cliente-b")).value();
  const std::uint64_t series = resolve("cliente-b", "m");
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    ASSERT_TRUE(
        store_->put({{family, index_key::customer("cliente-b"), "xy"}}, kv::Durability::kNow));
  }
  reopen();
  EXPECT_EQ(index_->number_of(*CustomerId::parse("cliente-b")).value(), number);
  EXPECT_EQ(resolve("cliente-b", "m"), series);
  EXPECT_EQ(store_->damage().rows_lost, 2U);
}

// C64: nor one key.
// Else one of them would see the other's samples.
TEST_F(LostRowsTest, TwoCustomersNeverHaveOneNumber) {
  const auto a = index_->number_of(*CustomerId::parse("cliente-a")).value();
  resolve("cliente-a", "m");
  for (const kv::Family family : {kv::Family::kIndex, kv::Family::kIdentity}) {
    const auto row = store_->get(family, index_key::customer("cliente-a")).value();
    ASSERT_TRUE(
        store_->put({{family, index_key::customer("cliente-b"), *row}}, kv::Durability::kNow));
  }
  reopen();
  EXPECT_EQ(index_->number_of(*CustomerId::parse("cliente-a")).value(), a);
  const auto b = index_->number_of(*CustomerId::parse("cliente-b")).value();
  EXPECT_GT(b, a);
  reopen();
  EXPECT_EQ(index_->number_of(*CustomerId::parse("cliente-b")).value(), b);
}

TEST_F(LostRowsTest, AMalformedSeriesRowCostsItsSeriesAlone) {
  const auto number = index_->number_of(*CustomerId::parse("cliente-a")).value();
  resolve("cliente-a", "m");
  ASSERT_TRUE(store_->put({{kv::Family::kIndex, index_key::series(number, "m", {900}), "\x7f"},
                           {kv::Family::kIndex, index_key::metric(number, "m") + "xy", ""}},
                          kv::Durability::kNow));
  for (int times = 0; times < 2; ++times) {
    EXPECT_EQ(series_of(*store_, number)->size(), 1U);
    EXPECT_EQ(store_->damage().rows_lost, 2U);
  }
}

// Its labels are lost until its sender names them again.
TEST_F(LostRowsTest, ALostSeriesRowComesBackWithTheNextSample) {
  const std::uint64_t series = resolve("cliente-a", "m");
  const auto number = index_->number_of(*CustomerId::parse("cliente-a")).value();
  lose("s");
  heal();
  EXPECT_EQ(resolve("cliente-a", "m"), series);
  EXPECT_EQ(series_of(*store_, number)->size(), 1U);
}

TEST_F(LostRowsTest, WhatTheWriteAheadLogNamesIsTaken) {
  index_->note_used({1'000}, {50});
  EXPECT_GT(resolve("cliente-z", "m"), 1'000U);
  EXPECT_GT(index_->number_of(*CustomerId::parse("cliente-y")).value().value, 50U);
}

// The real store, whose next calls fail.
class FailingStore final : public kv::OrderedStore {
 public:
  explicit FailingStore(kv::OrderedStore& store) : store_(store) {}
  int put_failures = 0;
  int get_failures = 0;
  int gets_before = 0;

  Result<void> put(const std::vector<kv::KeyValue>& writes, kv::Durability durability) override {
    if (put_failures > 0) {
      --put_failures;
      return fail(ErrorCode::kUnavailable, "disk full");
    }
    return store_.put(writes, durability);
  }
  Result<std::optional<std::string>> get(kv::Family family, std::string_view key) override {
    if (get_failures > 0 && gets_before-- <= 0) {
      --get_failures;
      return fail(ErrorCode::kUnavailable, "the disk cannot be read");
    }
    return store_.get(family, key);
  }
  Result<std::vector<bool>> contains(kv::Family family,
                                     const std::vector<std::string_view>& keys) override {
    return store_.contains(family, keys);
  }
  std::unique_ptr<kv::Scan> scan_back(kv::Family family, std::string_view from,
                                      std::string_view to) override {
    return store_.scan_back(family, from, to);
  }
  std::unique_ptr<kv::Scan> scan(kv::Family family, std::string_view from,
                                 std::string_view to) override {
    return store_.scan(family, from, to);
  }
  Result<void> sync() override { return store_.sync(); }
  Result<void> drop_range(kv::Family family, std::string_view from, std::string_view to) override {
    return store_.drop_range(family, from, to);
  }
  Result<void> compact() override { return store_.compact(); }
  std::uint64_t disk_bytes(kv::Family family) const override { return store_.disk_bytes(family); }

 private:
  kv::OrderedStore& store_;
};

// Known fault 4: a label value counted as known before its row was on disk.
TEST_F(SeriesIndexTest, ALabelValueIsListedWhateverFailedBefore) {
  FailingStore failing(*store_);
  const auto index = SeriesIndex::open(failing).value();
  const customers::CustomerNumber number =
      index->number_of(*CustomerId::parse("cliente-a")).value();
  const auto series = [&](const std::string& metric) {
    return UnresolvedSeries{number, Labels::from({{"__name__", metric}, {"pod", "p-1"}}),
                            index->hash(number, metric)};
  };
  std::vector<UnresolvedSeries> both = {series("a"), series("b")};
  failing.gets_before = 1;  // the first is found to be new, the second cannot be looked for
  failing.get_failures = 1;
  EXPECT_FALSE(index->resolve(both).has_value());
  failing.put_failures = 1;
  EXPECT_FALSE(index->resolve(both).has_value());
  ASSERT_TRUE(index->resolve(both).has_value());
  EXPECT_EQ(label_values(*index, number, "pod", kAllDays), std::vector<std::string>{"p-1"});
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::index
