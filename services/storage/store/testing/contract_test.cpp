// What every cold store keeps to: catalog and chunks, and what holds for all of it.
#include <atomic>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "services/storage/store/row_merge.hpp"
#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

template <typename Store>
class ContractTest : public ContractFixture<Store> {};
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

// What a row is stands in its times and encoding: whoever asks for no more may get no more.
TYPED_TEST(ContractTest, RowsWithoutTheirDataAreTheSameRows) {
  const ClosedChunk chunk = this->chunk(this->key_, kStart + 5, "data");
  this->put(this->a_, {chunk});
  ChunkQuery query{kStart, kStart + kDayMs};
  query.wants_data = false;
  const auto cursor = this->chunks().read(this->a_, {&this->key_, 1}, query);
  const auto rows = cursor->next().value();
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].first_ms, chunk.row.first_ms);
  EXPECT_EQ(rows[0].last_ms, chunk.row.last_ms);
  EXPECT_EQ(rows[0].encoding, chunk.row.encoding);
  EXPECT_TRUE(cursor->next().value().empty());
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
  EXPECT_THAT(this->texts(this->a_, "", {kDay, kDay}), ElementsAre("__name__", "pod"));
  EXPECT_THAT(this->texts(this->a_, "zone", {kDay, kDay}), IsEmpty());
  EXPECT_THAT(this->texts(this->a_, "nothing"), IsEmpty());
}

TYPED_TEST(ContractTest, NamesAndValuesAreThoseOfTheDays) {
  const auto in_zone = [&](const std::string& zone) {
    return Labels::from({{"__name__", "m"}, {"zone", zone}});
  };
  this->resolve(this->a_, in_zone("early"), {kDay, kDay + 1});
  this->resolve(this->a_, in_zone("late"), {kDay + 5, kDay + 5});
  this->resolve(this->a_, this->labels("m", "1"), {kDay + 3, kDay + 3});
  EXPECT_THAT(this->texts(this->a_, "zone", {0, kDay + 4}), ElementsAre("early"));
  EXPECT_THAT(this->texts(this->a_, "zone", {kDay + 2, kDay + 5}), ElementsAre("late"));
  EXPECT_THAT(this->texts(this->a_, "zone", {kDay + 2, kDay + 4}), IsEmpty());
  EXPECT_THAT(this->texts(this->a_, "", {kDay, kDay + 2}), ElementsAre("__name__", "zone"));
  EXPECT_THAT(this->texts(this->a_, "", {kDay + 6, kDay + 9}), IsEmpty());
  // A late sample, and another series of the value, that is new or not.
  this->resolve(this->a_, in_zone("late"), {kDay + 3, kDay + 3});
  EXPECT_THAT(this->texts(this->a_, "zone", {kDay + 2, kDay + 3}), ElementsAre("late"));
  this->resolve(this->a_, Labels::from({{"__name__", "n"}, {"zone", "early"}}),
                {kDay - 9, kDay - 9});
  EXPECT_THAT(this->texts(this->a_, "zone", {0, kDay - 9}), ElementsAre("early"));
  EXPECT_THAT(this->texts(this->a_, "zone", {kDay + 1, kDay + 1}), ElementsAre("early"));
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
  EXPECT_TRUE(
      this->events().read_logs(this->b_, {0, UINT64_MAX}, count, this->unlimited_)->is_whole);
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

TYPED_TEST(ContractTest, APageIsOfOneSeriesAndSaysOfWhich) {
  const SeriesKey other{"n", {78}};
  const SeriesKey nothing{"o", {79}};
  this->put(this->a_, {this->chunk(this->key_, kStart, "1"), this->chunk(other, kStart, "2"),
                       this->chunk(other, kStart + 5'000, "3")});
  const std::vector<SeriesKey> asked = {nothing, other, nothing, this->key_, other};
  std::vector<std::pair<std::size_t, std::string>> pages;
  const auto cursor = this->chunks().read(this->a_, asked, this->all_);
  for (auto page = cursor->next().value(); !page.empty(); page = cursor->next().value()) {
    std::string data;
    for (const ChunkRow& row : page) data += row.data;
    pages.emplace_back(cursor->at(), data);
  }
  EXPECT_THAT(pages, ElementsAre(Pair(1U, "23"), Pair(3U, "1"), Pair(4U, "23")));
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

constexpr Resolution kResolutions[] = {Resolution::kRaw, Resolution::kFiveMinutes,
                                       Resolution::kHour, Resolution::kDay};

// The longest row is found from its last millisecond, whichever days lie in between, and a longer
// one is refused: nobody would find it.
TYPED_TEST(ContractTest, WhatARowMaySpanGoesByItsResolution) {
  for (const Resolution resolution : kResolutions) {
    if (!this->chunks().has(resolution)) continue;
    SCOPED_TRACE(to_string(resolution));
    ClosedChunk row = this->chunk(this->key_, kStart + 7, "longest");
    row.resolution = resolution;
    const TimestampMs end_ms = row.row.last_ms = row.row.first_ms + row_span_max_ms(resolution);
    this->put(this->a_, {row});
    EXPECT_THAT(this->read(this->a_, {this->key_}, {end_ms, end_ms, resolution}),
                ElementsAre("longest"));
    EXPECT_THAT(this->read(this->a_, {this->key_}, {end_ms + 1, INT64_MAX, resolution}), IsEmpty());
    row.row.first_ms -= 1;
    const auto too_long = put_now(this->chunks(), this->a_, {&row, 1});
    ASSERT_FALSE(too_long.has_value());
    EXPECT_EQ(too_long.error().code, ErrorCode::kInvalid);
    row.row.first_ms = row.row.last_ms + 1;
    EXPECT_FALSE(put_now(this->chunks(), this->a_, {&row, 1}).has_value());
    EXPECT_THAT(this->read(this->a_, {this->key_}, {0, INT64_MAX, resolution}),
                ElementsAre("longest"));
  }
}

// The first that was received stays of raw; of roll-ups the one that was made last.
TYPED_TEST(ContractTest, OfTwoVersionsOneStaysByTheResolution) {
  for (const Resolution resolution : kResolutions) {
    if (!this->chunks().has(resolution)) continue;
    SCOPED_TRACE(to_string(resolution));
    this->put(this->a_, {this->packed(this->key_, 9, 9, resolution),
                         this->packed(this->key_, 1, 1, resolution)});
    const auto rows = read_rows(this->chunks(), this->a_, this->key_, {0, INT64_MAX, resolution});
    const auto samples = merge_rows(rows.value(), resolution).value().samples;
    ASSERT_EQ(samples.size(), 1U);
    EXPECT_EQ(samples.front().value, resolution == Resolution::kRaw ? 1 : 9);
  }
}

// Made anew it may well have fewer bytes, and end earlier: what was made last stays all the same.
TYPED_TEST(ContractTest, ARollUpIsReplacedByTheOneThatIsMadeAnew) {
  for (const Resolution resolution : kResolutions) {
    if (resolution == Resolution::kRaw || !this->chunks().has(resolution)) continue;
    SCOPED_TRACE(to_string(resolution));
    ClosedChunk row = this->chunk(this->key_, kStart, "one of many bytes");
    row.resolution = resolution;
    row.row.last_ms = kStart + 9;
    ClosedChunk other = this->chunk({"m", {78}}, kStart, "another's");
    other.resolution = resolution;
    this->put(this->a_, {row, other});
    row.row.last_ms = kStart + 5;
    row.row.data = "anew";
    this->put(this->a_, {row});
    const auto rows = read_rows(this->chunks(), this->a_, this->key_, {0, INT64_MAX, resolution});
    ASSERT_EQ(rows.value().size(), 1U);
    EXPECT_EQ(rows->front().data, "anew");
    EXPECT_EQ(rows->front().last_ms, kStart + 5);
    row.replaces = rows->front().edition;  // as who has read it
    row.row.data = "once more";
    this->put(this->a_, {row});
    EXPECT_THAT(this->read(this->a_, {this->key_, {"m", {78}}}, {0, INT64_MAX, resolution}),
                ElementsAre("once more", "another's"));
  }
}

TYPED_TEST(ContractTest, APeriodIsKeptAsLongAsARowOfItMayReach) {
  for (const Resolution resolution : kResolutions) {
    if (!this->chunks().has(resolution)) continue;
    SCOPED_TRACE(to_string(resolution));
    this->put(this->a_, {this->packed(this->key_, 1, 1, resolution)});
    const TimestampMs over_ms = kStart + kDayMs + row_span_max_ms(resolution);
    EXPECT_EQ(this->chunks().expire(resolution, over_ms - 1).value(), 0U);
    EXPECT_EQ(this->chunks().expire(resolution, over_ms).value(), 1U);
  }
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

// Its samples of those days are gone, though others of the series are there.
// Whose cut is earlier keeps what another loses of the same day; who has none keeps it for ever.
TYPED_TEST(ContractTest, ChunksOfADayExpireByCustomer) {
  const CustomerId c = CustomerId::parse("cliente-c").value();
  for (const CustomerId& customer : {this->a_, this->b_, c}) {
    this->put(customer,
              {this->chunk(this->key_, kStart, "1"), this->chunk(this->key_, kStart + kDayMs, "2"),
               this->chunk(this->key_, kStart + 2 * kDayMs, "3")});
  }
  ExpiryCuts cuts(kStart + kDayMs + kChunkSpanMs);
  cuts.own[this->b_] = kStart + 2 * kDayMs + kChunkSpanMs;
  cuts.own[c] = 0;
  EXPECT_EQ(this->chunks().expire(Resolution::kRaw, cuts).value(), 2U);
  EXPECT_EQ(this->chunks().expire(Resolution::kRaw, cuts).value(), 0U);
  const auto left = [&](const CustomerId& customer) {
    return this->read(customer, {this->key_}, this->all_);
  };
  EXPECT_THAT(left(this->a_), ElementsAre("2", "3"));
  EXPECT_THAT(left(this->b_), ElementsAre("3"));
  EXPECT_THAT(left(c), ElementsAre("1", "2", "3"));
  // Into a day that has been looked through.
  this->put(this->b_, {this->chunk(this->key_, kStart + kDayMs, "late")});
  EXPECT_EQ(this->chunks().expire(Resolution::kRaw, cuts).value(), 1U);
  EXPECT_THAT(left(this->b_), ElementsAre("3"));
  cuts.own.erase(c);
  EXPECT_EQ(this->chunks().expire(Resolution::kRaw, cuts).value(), 1U);
  EXPECT_THAT(left(this->a_), ElementsAre("2", "3"));
  EXPECT_THAT(left(c), ElementsAre("2", "3"));
}

TYPED_TEST(ContractTest, SeriesExpireByCustomer) {
  for (const CustomerId& customer : {this->a_, this->b_}) {
    this->resolve(customer, this->labels("m", "old"), {kDay, kDay});
    this->resolve(customer, this->labels("m", "new"), {kDay, kDay + 9});
  }
  ExpiryCuts cuts(kStart + 2 * kDayMs);
  cuts.own[this->b_] = kStart;
  EXPECT_EQ(this->catalog().expire(cuts, kStart + 9 * kDayMs).value(), 1U);
  EXPECT_THAT(this->texts(this->a_, "pod"), ElementsAre("new"));
  EXPECT_THAT(this->texts(this->a_, "pod", {kDay, kDay + 1}), IsEmpty());
  EXPECT_THAT(this->texts(this->b_, "pod"), ElementsAre("new", "old"));
  EXPECT_THAT(this->texts(this->b_, "pod", {kDay, kDay + 1}), ElementsAre("new", "old"));
  EXPECT_EQ(this->select(this->a_, {}, {kDay, kDay}).size(), 0U);
  EXPECT_EQ(this->select(this->b_, {}, {kDay, kDay}).size(), 2U);
  EXPECT_TRUE(this->resolve(this->a_, this->labels("m", "old"), {kDay + 9, kDay + 9}).is_new);
  EXPECT_FALSE(this->resolve(this->b_, this->labels("m", "old"), {kDay + 9, kDay + 9}).is_new);
}

TYPED_TEST(ContractTest, ASeriesIsNotOnDaysThatExpired) {
  this->resolve(this->a_, this->labels("m", "old"), {kDay, kDay + 9});
  ASSERT_EQ(this->catalog().expire(kStart + 5 * kDayMs, kStart + 9 * kDayMs).value(), 0U);
  EXPECT_THAT(this->select(this->a_, {}, {kDay, kDay + 4}), IsEmpty());
  EXPECT_THAT(this->texts(this->a_, "pod", {kDay, kDay + 4}), IsEmpty());
  EXPECT_THAT(this->texts(this->a_, "", {kDay, kDay + 4}), IsEmpty());
  EXPECT_EQ(this->select(this->a_, {}, {kDay, kDay + 5}).size(), 1U);
  EXPECT_THAT(this->texts(this->a_, "pod", {kDay, kDay + 5}), ElementsAre("old"));
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
  EXPECT_FALSE(this->events().read_logs(this->a_, {0, UINT64_MAX}, any, over)->is_whole);
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
