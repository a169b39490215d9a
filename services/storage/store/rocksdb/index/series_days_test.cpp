// SeriesIndex: the days of series and label values, and forgetting what is over.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"
#include "services/storage/store/rocksdb/testing/rows_of.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

class SeriesDaysTest : public testing::Test {
 protected:
  SeriesDaysTest() { open(); }
  void open() { index_ = SeriesIndex::open(*store_).value(); }
  UnresolvedSeries write(const std::string& pod, const DayRange& days) {
    const Labels labels = Labels::from({{"__name__", "up"}, {"pod", pod}});
    std::vector<UnresolvedSeries> series = {
        {customer_, labels, index_->hash(customer_, pod), {}, false, days}};
    EXPECT_TRUE(index_->resolve(series).has_value());
    EXPECT_TRUE(index_->note_days(series).has_value());
    return series[0];
  }
  std::optional<KnownSeries> known(const std::string& pod) {
    return index_->find(index_->hash(customer_, pod));
  }
  std::vector<std::string> pods(const DayRange& days) {
    std::vector<std::string> found;
    const auto all = series_of(*store_, customer_, days).value();
    for (const FoundSeries& series : all) {
      found.emplace_back(series.labels.get("pod"));
    }
    return found;
  }
  std::vector<std::string> values(const DayRange& days) {
    return label_values(*index_, customer_, "pod", days);
  }
  std::size_t expire(std::uint32_t day) {
    return index_
        ->expire(static_cast<TimestampMs>(day) * kDayMs,
                 static_cast<TimestampMs>(day + 400) * kDayMs)
        .value();
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> store_ = kv::open_rocksdb({folder_.path()}).value();
  std::unique_ptr<SeriesIndex> index_;
  customers::CustomerNumber customer_{1};
};

TEST_F(SeriesDaysTest, ASeriesIsFoundOnItsDaysAlone) {
  index_->number_of(CustomerId::parse("cliente-a").value()).value();
  write("dead", {100, 100});
  write("alive", {100, 100});
  write("alive", {106, 106});
  EXPECT_EQ(known("dead")->days, (DayRange{100, 100}));
  EXPECT_EQ(known("alive")->days, (DayRange{100, 106}));
  open();  // from the rows, not from memory
  EXPECT_THAT(pods({106, 106}), testing::ElementsAre("alive"));
  EXPECT_THAT(pods({100, 106}), testing::UnorderedElementsAre("alive", "dead"));
  EXPECT_THAT(pods({0, 99}), testing::IsEmpty());
  EXPECT_THAT(values(kAllDays), testing::ElementsAre("alive", "dead"));
  EXPECT_THAT(values({101, 110}), testing::ElementsAre("alive"));
  EXPECT_THAT(label_names(*index_, customer_, {107, 110}), testing::IsEmpty());
  write("alive", {90, 90});  // a late sample takes nothing back
  EXPECT_THAT(pods({106, 106}), testing::ElementsAre("alive"));
  EXPECT_THAT(pods({90, 90}), testing::ElementsAre("alive"));
  EXPECT_THAT(values({101, 110}), testing::ElementsAre("alive"));
}

TEST_F(SeriesDaysTest, AValueIsGivenOnItsDaysAlone) {
  index_->number_of(CustomerId::parse("cliente-a").value()).value();
  write("first", {100, 100});
  write("second", {105, 106});
  for (int round = 0; round < 2; ++round) {  // the second time from the rows
    EXPECT_THAT(values({0, 104}), testing::ElementsAre("first"));
    EXPECT_THAT(values({101, 104}), testing::IsEmpty());
    EXPECT_THAT(label_names(*index_, customer_, {0, 99}), testing::IsEmpty());
    open();
  }
  // A new series of a value that memory has forgotten takes none of its days away.
  const Labels labels = Labels::from({{"__name__", "down"}, {"pod", "second"}});
  std::vector<UnresolvedSeries> series = {
      {customer_, labels, index_->hash(customer_, "down"), {}, false, {90, 90}}};
  ASSERT_TRUE(index_->resolve(series) && index_->note_days(series));
  EXPECT_THAT(values({106, 106}), testing::ElementsAre("second"));
  EXPECT_THAT(values({90, 90}), testing::ElementsAre("second"));
}

// Rows that an earlier program wrote: the last day, or none.
TEST_F(SeriesDaysTest, AValueThatDoesNotSayItsFirstDayIsGivenOnAllBeforeItsLast) {
  index_->number_of(CustomerId::parse("cliente-a").value()).value();
  write("x", {100, 100});
  const std::string key = index_key::label_value(customer_, "pod", "x");
  const std::string written = store_->get(kv::Family::kIndex, key).value().value();
  std::uint32_t day = 101;
  for (const std::string& older : {written.substr(0, 4), std::string()}) {
    ASSERT_TRUE(store_->put({{kv::Family::kIndex, key, older}}, kv::Durability::kNow));
    open();
    EXPECT_THAT(values({0, 1}), testing::ElementsAre("x"));
    EXPECT_EQ(values({day, day + 1}).empty(), !older.empty());
    write("x", {day, day});
    open();
    EXPECT_THAT(values({0, 1}), testing::ElementsAre("x"));
    EXPECT_THAT(values({day, day}), testing::ElementsAre("x"));
    EXPECT_THAT(values({day + 1, day + 1}), testing::IsEmpty());
    ++day;
  }
}

// A10: the index never forgot a series.
TEST_F(SeriesDaysTest, WhatIsOverIsForgottenWithItsValuesAndMayComeBack) {
  index_->number_of(CustomerId::parse("cliente-a").value()).value();
  const store::SeriesId dead = write("dead", {100, 100}).id;
  const store::SeriesId alive = write("alive", {100, 200}).id;
  EXPECT_EQ(expire(100), 0U);
  EXPECT_EQ(expire(101), 1U);
  EXPECT_THAT(pods(kAllDays), testing::ElementsAre("alive"));
  EXPECT_THAT(values(kAllDays), testing::ElementsAre("alive"));
  EXPECT_FALSE(known("dead").has_value());
  const UnresolvedSeries back = write("dead", {201, 201});
  EXPECT_TRUE(back.is_new);
  EXPECT_NE(back.id, dead);
  EXPECT_THAT(pods({201, 201}), testing::ElementsAre("dead"));
  EXPECT_FALSE(write("alive", {201, 201}).is_new);
  EXPECT_EQ(write("alive", {202, 202}).id, alive);
}

// A sender may write a series' labels in two orders; each is known by itself.
TEST_F(SeriesDaysTest, WhoIsKeptLongerFindsWhatComesOfDaysThatWereOver) {
  index_->number_of(CustomerId::parse("cliente-a").value()).value();
  write("alive", {100, 110});
  expire(105);
  EXPECT_THAT(values({100, 104}), testing::IsEmpty());
  expire(90);
  write("again", {100, 101});
  EXPECT_THAT(values({100, 104}), testing::ElementsAre("again", "alive"));
  EXPECT_THAT(values({80, 89}), testing::IsEmpty());
  EXPECT_EQ(expire(105), 1U) << "and what is over by then goes";
}

TEST_F(SeriesDaysTest, ARowWrittenAnewKeepsTheDaysThatOtherBytesOfTheSameLabelsBrought) {
  index_->number_of(CustomerId::parse("cliente-a").value()).value();
  const Labels labels = Labels::from({{"__name__", "up"}, {"pod", "x"}});
  const auto write_as = [&](const std::string& bytes, const DayRange& days) {
    std::vector<UnresolvedSeries> series = {
        {customer_, labels, index_->hash(customer_, bytes), {}, false, days}};
    ASSERT_TRUE(index_->resolve(series) && index_->note_days(series));
  };
  write_as("one", {100, 100});
  write_as("other", {100, 100});
  write_as("one", {90, 90});
  write_as("other", {102, 102});
  std::vector<UnresolvedSeries> both = {
      {customer_, labels, index_->hash(customer_, "one"), {}, false, {80, 80}},
      {customer_, labels, index_->hash(customer_, "other"), {}, false, {110, 110}}};
  ASSERT_TRUE(index_->resolve(both) && index_->note_days(both));
  for (const std::uint32_t day : {80U, 90U, 110U}) {
    EXPECT_THAT(pods({day, day}), testing::ElementsAre("x")) << day;
  }
}

// Its share of memory is full of one customer's series that come once.
TEST_F(SeriesDaysTest, ItsMemoryIsBoundedAndAFloodForgetsTheFloodsOwn) {
  constexpr std::size_t kMax = 256U << 10U;
  index_ = SeriesIndex::open(*store_, kMax).value();
  const customers::CustomerNumber a =
      index_->number_of(CustomerId::parse("cliente-a").value()).value();
  const customers::CustomerNumber b =
      index_->number_of(CustomerId::parse("cliente-b").value()).value();
  const auto bring = [&](customers::CustomerNumber customer, int first, int count) {
    std::vector<UnresolvedSeries> series;
    for (int n = first; n < first + count; ++n) {
      const std::string pod = std::to_string(n);
      series.push_back({customer,
                        Labels::from({{"__name__", "up"}, {"pod", pod}}),
                        index_->hash(customer, pod),
                        {},
                        false,
                        {100, 100}});
    }
    ASSERT_TRUE(index_->resolve(series) && index_->note_days(series));
    ASSERT_LE(index_->memory_bytes(), kMax);
  };
  bring(b, 0, 100);
  const auto known_of_b = [&] {
    int found = 0;
    for (int n = 0; n < 100; ++n) {
      const auto known = index_->find(index_->hash(b, std::to_string(n)));
      if (known.has_value() && known->days == DayRange{100, 100}) ++found;
    }
    return found;
  };
  for (int first = 0; first < 10'000; first += 500) {
    ASSERT_EQ(known_of_b(), 100) << first;
    bring(a, first, 500);
  }
  index_->set_short(true);
  EXPECT_LE(index_->memory_bytes(), kMax / 2);
  EXPECT_EQ(known_of_b(), 100);
  bring(a, 20'000, 500);
  EXPECT_LE(index_->memory_bytes(), kMax / 2);
  index_->set_short(false);
  bring(a, 30'000, 500);
  EXPECT_EQ(known_of_b(), 100);
}

TEST_F(SeriesDaysTest, SeriesOfAnOlderVersionAreShownAndCountFromNow) {
  index_->number_of(CustomerId::parse("cliente-a").value()).value();
  write("old", kNoDays);  // its row does not say
  EXPECT_THAT(pods({500, 500}), testing::ElementsAre("old"));
  EXPECT_THAT(values({500, 500}), testing::ElementsAre("old"));
  EXPECT_EQ(expire(100), 0U);
  EXPECT_EQ(expire(500), 0U);
  EXPECT_THAT(pods({501, 501}), testing::IsEmpty());
  EXPECT_EQ(expire(501), 1U);
  EXPECT_THAT(pods(kAllDays), testing::IsEmpty());
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::index
