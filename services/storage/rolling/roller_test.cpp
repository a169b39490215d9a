// Roll-ups as they are made: of days that are over, once, again where late samples come, and never
// of days that are not whole any more.
#include "services/storage/rolling/roller.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "libs/chunk/histogram_record.hpp"
#include "libs/rollup/window.hpp"
#include "services/storage/store/testing/memory_cold_store.hpp"
#include "services/storage/store/testing/watched_chunks.hpp"

namespace vigia::storage::rolling {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

constexpr std::uint32_t kDay = 20'000;  // the first of a period of every resolution
constexpr TimestampMs kStart = TimestampMs{kDay} * store::kDayMs;
constexpr TimestampMs kHour = 3'600'000;

// One series' rows may be refused.
class RefusingStore final : public store::ColdStore {
 public:
  store::SeriesId refused{};

  store::Catalog& catalog() override { return memory_.catalog(); }
  store::ChunkStore& chunks() override { return chunks_; }
  store::EventStore& events() override { return memory_.events(); }

 private:
  class NoRows final : public store::ChunkCursor {
   public:
    Result<std::vector<store::ChunkRow>> next() override {
      return fail(ErrorCode::kUnavailable, "not now");
    }
    std::size_t at() const override { return 0; }
  };
  class Chunks final : public store::WatchedChunks {
   public:
    Chunks(store::ChunkStore& chunks, const store::SeriesId& refused)
        : store::WatchedChunks(chunks), refused_(refused) {}
    std::unique_ptr<store::ChunkCursor> read(const CustomerId& customer,
                                             std::span<const store::SeriesKey> series,
                                             const store::ChunkQuery& query) override {
      if (series.front().id == refused_) return std::make_unique<NoRows>();
      return store::WatchedChunks::read(customer, series, query);
    }

   private:
    const store::SeriesId& refused_;
  };
  store::MemoryColdStore memory_;
  Chunks chunks_{memory_.chunks(), refused};
};

class RollerTest : public ::testing::Test {
 protected:
  RollerTest() {
    series_ = resolve(customer_, "m");
    open({true, true, true});
  }
  void open(const MadeResolutions& made) {
    roller_.reset();
    book_ = RollupBook::open(*cold_.chunks().due_days(), made).value();
    RollerSources sources;
    sources.now_ms = [this] { return now_ms_; };
    sources.first_day = [this] { return first_day_; };
    sources.damage = [this] { return damage_; };
    sources.is_writable = [this] { return is_writable_; };
    RollerSettings settings;
    settings.memory_max = 64U << 10U;
    roller_ = std::make_unique<Roller>(cold_, *book_, std::move(sources), settings);
  }
  store::SeriesKey resolve(const CustomerId& customer, const std::string& metric) {
    std::vector<store::NewSeries> series(1);
    series[0].labels = Labels::from({{"__name__", metric}});
    series[0].wire_hash = store::hash_labels(1, customer.text() + metric);
    series[0].days = {kDay, kDay};
    EXPECT_TRUE(cold_.catalog().resolve(customer, series).has_value());
    return {"", series[0].id};  // WatchedChunks asks for no metrics
  }
  void put(const CustomerId& customer, const store::SeriesKey& key,
           const std::vector<Sample>& samples, std::uint64_t version = store::kInOrder) {
    chunk::ChunkWriter writer;
    for (const Sample& sample : samples) writer.append(sample);
    const store::ClosedChunk chunk{key.metric,
                                   {key.id, writer.first_ms(), writer.last_ms(), version,
                                    store::Encoding::kFloats, std::string(writer.bytes())},
                                   Resolution::kRaw};
    ASSERT_TRUE(store::put_now(cold_.chunks(), customer, {&chunk, 1}).has_value());
  }
  void put(const std::vector<Sample>& samples, std::uint64_t version = store::kInOrder) {
    put(customer_, series_, samples, version);
  }
  std::vector<store::ChunkRow> rows(Resolution resolution) {
    return store::read_rows(cold_.chunks(), customer_, series_, {0, INT64_MAX, resolution}).value();
  }
  // end → sum
  std::map<TimestampMs, double> sums(Resolution resolution) {
    std::map<TimestampMs, double> sums;
    const StoredWindows stored = windows_of_rows(rows(resolution), resolution).value();
    for (const Window& window : stored.windows) {
      sums.emplace(window.end_ms, window.sum);
    }
    return sums;
  }
  std::vector<store::DueDay> due() {
    return cold_.chunks().due_days()->due(customer_, {}, 1'000).value();
  }

  const CustomerId customer_ = CustomerId::parse("cliente-a").value();
  RefusingStore cold_;
  store::SeriesKey series_;
  std::unique_ptr<RollupBook> book_;
  std::unique_ptr<Roller> roller_;
  TimestampMs now_ms_ = kStart + 10 * store::kDayMs;
  std::uint32_t first_day_ = 0;
  std::uint64_t damage_ = 0;
  bool is_writable_ = true;
};

TEST_F(RollerTest, ADayThatIsOverIsMadeInEveryResolutionAndThenNotDue) {
  put({{kStart, 1}, {kStart + 1, 2}, {kStart + kHour, 4}});
  put({{kStart + kHour + 1, 8}});
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_THAT(sums(Resolution::kDay),
              ElementsAre(Pair(kStart, 1), Pair(kStart + store::kDayMs, 14)));
  EXPECT_THAT(sums(Resolution::kHour),
              ElementsAre(Pair(kStart, 1), Pair(kStart + kHour, 6), Pair(kStart + 2 * kHour, 8)));
  EXPECT_EQ(sums(Resolution::kFiveMinutes).size(), 4U);
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_EQ(roller_->stats().days, 2U);
  EXPECT_EQ(roller_->stats().windows, 9U);
  EXPECT_FALSE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().days, 2U);
}

TEST_F(RollerTest, ADayIsOverByTheTimeAndAGrace) {
  put({{kStart + 1, 2}});
  now_ms_ = kStart + store::kDayMs + 3 * kHour - 1;
  roller_->roll_round();
  EXPECT_EQ(due().size(), 1U);
  now_ms_ = 0;  // nobody knows what time it is
  roller_->roll_round();
  EXPECT_EQ(due().size(), 1U);
  now_ms_ = kStart + store::kDayMs + 3 * kHour;
  roller_->roll_round();
  EXPECT_THAT(due(), IsEmpty());
}

// Days of a period come one after the other, and late samples change one of them.
TEST_F(RollerTest, ARowOfAPeriodIsReplacedAndKeepsItsOtherDays) {
  for (TimestampMs day = 0; day < 40; ++day) {
    put({{kStart + day * store::kDayMs + 5, static_cast<double>(day)}});
    now_ms_ = kStart + (day + 2) * store::kDayMs;
    roller_->roll_round();
  }
  EXPECT_EQ(rows(Resolution::kFiveMinutes).size(), 40U);
  EXPECT_EQ(rows(Resolution::kHour).size(), 5U);
  EXPECT_EQ(rows(Resolution::kDay).size(), 2U);
  put({{kStart + 7 * store::kDayMs + 6, 100}}, 9);
  roller_->roll_round();
  EXPECT_EQ(rows(Resolution::kDay).size(), 2U);
  const auto days = sums(Resolution::kDay);
  ASSERT_EQ(days.size(), 40U);
  for (TimestampMs day = 0; day < 40; ++day) {
    EXPECT_EQ(days.at(kStart + (day + 1) * store::kDayMs), day == 7 ? 107 : day);
  }
}

TEST_F(RollerTest, WhatIsNotMadeIsNotStored) {
  open({false, true, false});
  put({{kStart + 1, 2}});
  roller_->roll_round();
  EXPECT_THAT(rows(Resolution::kFiveMinutes), IsEmpty());
  EXPECT_EQ(rows(Resolution::kHour).size(), 1U);
  EXPECT_THAT(due(), IsEmpty());
  EXPECT_FALSE(book_->note().made_from_day(Resolution::kDay).has_value());
  EXPECT_TRUE(book_->note().is_marked);
}

// It is made anew of all that there is, from the first day that is whole.
TEST_F(RollerTest, AResolutionThatIsMadeLaterBeginsAtTheFirstWholeDay) {
  open({false, true, false});
  put({{kStart + 1, 2}});
  roller_->roll_round();
  first_day_ = kDay - 3;
  open({true, true, false});
  EXPECT_FALSE(book_->note().is_marked);
  roller_->roll_round();
  EXPECT_TRUE(book_->note().is_marked);
  EXPECT_EQ(book_->note().made_from_day(Resolution::kFiveMinutes), kDay - 3);
  EXPECT_EQ(book_->note().made_from_day(Resolution::kHour), 0U);
  EXPECT_EQ(rows(Resolution::kFiveMinutes).size(), 1U);
  open({false, true, false});
  EXPECT_FALSE(book_->note().made_from_day(Resolution::kFiveMinutes).has_value());
}

TEST_F(RollerTest, AfterDamageAllIsMadeAnew) {
  put({{kStart + 1, 2}});
  roller_->roll_round();
  damage_ = 1;
  put({{kStart + store::kDayMs + 1, 2}});
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 3U);
  EXPECT_TRUE(book_->note().is_marked);
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 3U);
}

TEST_F(RollerTest, ADamagedRowIsMadeAnewWithAllOthers) {
  put({{kStart + 1, 2}});
  put({{kStart + store::kDayMs + 1, 3}});
  roller_->roll_round();
  store::ClosedChunk bad{series_.metric, rows(Resolution::kDay).front(), Resolution::kDay};
  bad.row.data = "damaged";
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  put({{kStart + 2, 4}}, 9);
  roller_->roll_round();
  EXPECT_FALSE(book_->note().is_marked);
  roller_->roll_round();
  EXPECT_THAT(sums(Resolution::kDay),
              ElementsAre(Pair(kStart + store::kDayMs, 6), Pair(kStart + 2 * store::kDayMs, 3)));
}

// Raw waits for what is due, and what is gone changes no window.
TEST_F(RollerTest, RawIsNotLetGoBeforeItIsRolledUp) {
  const TimestampMs later_ms = kStart + 3 * store::kDayMs;
  put({{kStart + 5, 2}});
  put({{later_ms + 5, 3}});
  const TimestampMs before_ms = kStart + 5 * store::kDayMs;
  EXPECT_EQ(roller_->let_raw_go(kStart).value(), kStart);
  const TimestampMs held_ms = roller_->let_raw_go(before_ms).value();
  EXPECT_EQ(held_ms, kStart - store::kDayMs + store::kChunkSpanMs);
  EXPECT_EQ(cold_.chunks().expire(Resolution::kRaw, held_ms).value(), 0U);
  EXPECT_EQ(book_->note().raw_gone_day, kDay - 1);
  roller_->roll_round();
  EXPECT_EQ(roller_->let_raw_go(before_ms).value(), before_ms);
  EXPECT_EQ(book_->note().raw_gone_day, kDay + 4);
  EXPECT_EQ(cold_.chunks().expire(Resolution::kRaw, before_ms).value(), 2U);
  put({{kStart + 6, 100}}, 9);  // far too late: the others of its day are gone
  roller_->roll_round();
  EXPECT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 2);
  EXPECT_EQ(roller_->stats().days_gone, 1U);
  EXPECT_THAT(due(), IsEmpty());
}

TEST_F(RollerTest, RawIsHeldForAWeekAtTheMost) {
  put({{kStart + 5, 2}});
  const TimestampMs before_ms = kStart + 20 * store::kDayMs;
  EXPECT_EQ(roller_->let_raw_go(kStart).value(), kStart);
  EXPECT_EQ(roller_->let_raw_go(before_ms).value(), before_ms - 7 * store::kDayMs);
}

// Raw of all customers goes together: one who sends late samples again and again holds nothing.
TEST_F(RollerTest, AMarkThatIsNewHoldsNoRaw) {
  const TimestampMs before_ms = kStart + 2 * store::kDayMs;
  put({{kStart + 5, 2}});
  EXPECT_EQ(roller_->let_raw_go(kStart).value(), kStart);
  put({{kStart + 6, 2}}, 9);  // the same day, marked anew
  EXPECT_EQ(roller_->let_raw_go(before_ms).value(), before_ms);
}

TEST_F(RollerTest, WhatCannotBeWrittenHoldsNoRaw) {
  const TimestampMs before_ms = kStart + 2 * store::kDayMs;
  put({{kStart + 5, 2}});
  EXPECT_EQ(roller_->let_raw_go(kStart).value(), kStart);
  is_writable_ = false;
  EXPECT_EQ(roller_->let_raw_go(before_ms).value(), before_ms);
}

// Days that are still whole are made, whichever day they are asked for with.
TEST_F(RollerTest, OfARunOnlyTheDaysThatAreGoneAreLeftOut) {
  for (TimestampMs day = 0; day < 4; ++day) put({{kStart + day * store::kDayMs + 5, 1}});
  ASSERT_TRUE(book_->set_raw_gone(kDay).has_value());
  roller_->roll_round();
  EXPECT_EQ(roller_->stats().days, 3U);
  EXPECT_EQ(roller_->stats().days_gone, 1U);
  EXPECT_EQ(sums(Resolution::kDay).size(), 3U);
  EXPECT_THAT(due(), IsEmpty());
}

// It is read from raw; what lies beside it is made all the same, and nobody comes back to it soon.
TEST_F(RollerTest, ADayThatIsTooLargeStaysDueAndIsNotTriedAgainAtOnce) {
  put({{kStart + 5, 1}});
  for (TimestampMs i = 0; i < 600; ++i) {
    put({{kStart + store::kDayMs + 5 + i, 1}}, static_cast<std::uint64_t>(i));
  }
  put({{kStart + 2 * store::kDayMs + 5, 4}});
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_THAT(sums(Resolution::kDay),
              ElementsAre(Pair(kStart + store::kDayMs, 1), Pair(kStart + 3 * store::kDayMs, 4)));
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due().front().place.day, kDay + 1);
  EXPECT_EQ(roller_->stats().failures, 1U);
  EXPECT_FALSE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().failures, 1U);
  EXPECT_EQ(roller_->stats().days_due, 1U);
}

// From when on raw is whole is not known before the time is.
TEST_F(RollerTest, NothingIsSaidToBeMadeBeforeTheTimeIsKnown) {
  now_ms_ = 0;
  EXPECT_FALSE(roller_->roll_round());
  EXPECT_FALSE(book_->note().is_marked);
  now_ms_ = kStart;
  first_day_ = kDay - 9;
  ASSERT_TRUE(book_->set_raw_gone(kDay - 5).has_value());
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_EQ(book_->note().made_from_day(Resolution::kHour), kDay - 4);
}

TEST_F(RollerTest, ADayOfHistogramsIsToldOf) {
  const store::ClosedChunk chunk{
      series_.metric,
      {series_.id, kStart + 7, kStart + 7, store::kInOrder, store::Encoding::kHistograms,
       chunk::write_histograms({{kStart + 7, "a histogram"}})},
      Resolution::kRaw};
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&chunk, 1}).has_value());
  roller_->roll_round();
  for (const Resolution resolution : kRolledUp) {
    EXPECT_THAT(windows_of_rows(rows(resolution), resolution).value().histogram_days,
                ElementsAre(kDay));
  }
}

// As of reads: what the others of the day say is told.
TEST_F(RollerTest, ARowThatCannotBeReadCostsItself) {
  put({{kStart + 5, 1}});
  const store::ClosedChunk bad{
      series_.metric,
      {series_.id, kStart + 7, kStart + 7, store::kInOrder, store::Encoding::kFloats, "damaged"},
      Resolution::kRaw};
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  roller_->roll_round();
  EXPECT_THAT(sums(Resolution::kDay), ElementsAre(Pair(kStart + store::kDayMs, 1)));
  EXPECT_EQ(roller_->stats().unreadable_rows, 1U);
  EXPECT_THAT(due(), IsEmpty());
}

// What was made of whole raw is never replaced by what is left of it; what it lacks is added.
TEST_F(RollerTest, AWindowOfWholeRawStaysWhereItsRawIsDamaged) {
  put({{kStart + 5, 1}, {kStart + 6, 2}});
  put({{kStart + 7, 4}});
  roller_->roll_round();
  ASSERT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 7);
  store::ClosedChunk bad{
      series_.metric,
      store::read_rows(cold_.chunks(), customer_, series_, {kStart + 7, kStart + 7})
          .value()
          .front(),
      Resolution::kRaw};
  bad.row.data = "damaged";
  ASSERT_TRUE(store::put_now(cold_.chunks(), customer_, {&bad, 1}).has_value());
  put({{kStart + 8, 8}, {kStart + 9, 16}}, 9);  // more than what was lost
  put({{kStart + 5 * kHour, 32}}, 9);
  roller_->roll_round();
  EXPECT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 7);
  EXPECT_THAT(sums(Resolution::kHour),
              ElementsAre(Pair(kStart + kHour, 7), Pair(kStart + 5 * kHour, 32)));
  EXPECT_EQ(roller_->stats().windows_kept, 3U);
  EXPECT_THAT(due(), IsEmpty());
}

// Rows that a damaged file took with it are met by nobody: fewer samples tell of them.
TEST_F(RollerTest, AWindowOfWholeRawStaysWhereSomeOfItsRawIsGone) {
  put({{kStart + 5, 1}, {kStart + 6, 2}, {kStart + 7, 4}});
  put({{kStart + kHour + 5, 1}});
  roller_->roll_round();
  put({{kStart + 5, 1}, {kStart + 6, 2}});  // the same row, and less in it
  put({{kStart + kHour + 6, 1}}, 9);
  roller_->roll_round();
  EXPECT_THAT(sums(Resolution::kHour),
              ElementsAre(Pair(kStart + kHour, 7), Pair(kStart + 2 * kHour, 2)));
  EXPECT_EQ(sums(Resolution::kDay).at(kStart + store::kDayMs), 8);
  EXPECT_GT(roller_->stats().windows_kept, 0U);
}

TEST(HoldsAllOf, AWindowThatLacksASampleOfTheOtherDoesNot) {
  const auto of = [](const std::vector<Sample>& samples) {
    return rollup::windows_of(samples, kHour).front();
  };
  const double stale = stale_mark();
  const Window three = of({{1, 2}, {2, 3}, {3, 1}});
  EXPECT_TRUE(holds_all_of(three, three));
  EXPECT_TRUE(holds_all_of(of({{1, 2}, {2, 3}, {3, 1}, {4, 9}}), three));
  EXPECT_FALSE(holds_all_of(of({{1, 2}, {2, 3}}), three));
  EXPECT_FALSE(holds_all_of(of({{2, 3}, {3, 1}, {4, 2}}), three));
  EXPECT_FALSE(holds_all_of(of({{1, 2}, {4, 2}, {5, 1}}), three)) << "its maximum";
  EXPECT_FALSE(holds_all_of(of({{1, 2}, {2, 3}, {5, 2}}), three)) << "its minimum";
  EXPECT_FALSE(holds_all_of(of({{1, NAN}, {2, NAN}, {3, NAN}}), three));
  EXPECT_TRUE(holds_all_of(three, of({{1, NAN}, {2, NAN}, {3, NAN}})));
  const Window ends = of({{1, 2}, {2, stale}});
  EXPECT_TRUE(holds_all_of(ends, ends));
  EXPECT_TRUE(holds_all_of(of({{1, 2}, {3, 5}}), ends));
  EXPECT_FALSE(holds_all_of(of({{1, 2}}), ends));
  EXPECT_TRUE(holds_all_of(of({{1, 2}, {2, stale}, {3, stale}}), ends));
}

// One customer's series that cannot be read now costs nobody else his roll-ups.
TEST_F(RollerTest, WhatIsRefusedStaysDue) {
  put({{kStart + 5, 1}});
  const CustomerId other = CustomerId::parse("cliente-b").value();
  put(other, resolve(other, "m"), {{kStart + 5, 1}});
  cold_.refused = series_.id;
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().days, 1U);
  EXPECT_EQ(roller_->stats().failures, 1U);
  EXPECT_EQ(roller_->stats().days_due, 1U);
  EXPECT_EQ(roller_->stats().oldest_due_ms, kStart + store::kDayMs);
  EXPECT_EQ(due().size(), 1U);
  cold_.refused = {};
  EXPECT_TRUE(roller_->roll_round());
  EXPECT_EQ(roller_->stats().days_due, 0U);
  EXPECT_THAT(due(), IsEmpty());
}

TEST(RollupNote, ItsBytesAreThoseOfTheFormatPage) {
  RollupNote note;
  note.raw_gone_day = 0x01020304;
  note.is_marked = true;
  note.made_from = {std::nullopt, 0, 7};
  const std::string bytes = write_note(note);
  EXPECT_EQ(bytes, std::string("\x01\x04\x03\x02\x01\x01\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"
                               "\x01\x07\x00\x00\x00",
                               21));
  const auto read = read_note(bytes).value();
  EXPECT_EQ(read.raw_gone_day, note.raw_gone_day);
  EXPECT_EQ(read.is_marked, note.is_marked);
  EXPECT_EQ(read.made_from, note.made_from);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(read_note(bytes.substr(0, size)).has_value());
  }
  EXPECT_FALSE(read_note(bytes + "x").has_value());
}

}  // namespace
}  // namespace vigia::storage::rolling
