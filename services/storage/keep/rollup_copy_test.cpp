// Roll-ups whose samples have gone: the other store has them as they were, and knows that it must.
#include "services/storage/keep/rollup_copy.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/chunk/chunk_writer.hpp"
#include "libs/rollup/window.hpp"
#include "services/storage/keep/store_copy.hpp"
#include "services/storage/store/label_bytes.hpp"
#include "services/storage/store/testing/contract_stores.hpp"

namespace vigia::storage::keep {
namespace {

using rolling::Window;
using store::kDayMs;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::uint32_t kDay = 20'000;  // begins a period of hours
constexpr std::uint32_t kGone = kDay + 1;
constexpr TimestampMs kHourMs = 3'600'000;
static_assert(rolling::period_of(Resolution::kHour, kDay) == kDay);

template <typename From, typename To>
struct Pair {
  using Source = From;
  using Destination = To;
};

template <typename Stores>
class RollupCopyTest : public testing::Test {
 protected:
  using Lines = std::vector<std::string>;

  static store::SeriesKey key_of(store::ColdStore& cold, const CustomerId& customer,
                                 const std::string& metric, const store::DayRange& days) {
    const Labels labels = Labels::from({{"__name__", metric}, {"customer_id", customer.text()}});
    const std::uint64_t seed = cold.catalog().seed_of(customer).value();
    std::vector<store::NewSeries> series = {
        {labels, store::hash_labels(seed, store::encode_labels(labels)), days, {}, false}};
    EXPECT_TRUE(cold.catalog().resolve(customer, series).has_value());
    return {metric, series[0].id};
  }
  // A sample each quarter of an hour, from the first to behind the last day.
  static std::vector<Sample> samples(std::uint32_t first, std::uint32_t last, double value = 1) {
    std::vector<Sample> samples;
    const TimestampMs end_ms = (TimestampMs{last} + 1) * kDayMs;
    for (TimestampMs at = TimestampMs{first} * kDayMs + 1; at <= end_ms; at += kHourMs / 4) {
      samples.push_back({at, value});
      value += 0.25;
    }
    return samples;
  }
  static void put(store::ColdStore& cold, const CustomerId& customer,
                  const std::vector<store::ClosedChunk>& rows) {
    ASSERT_TRUE(store::put_now(cold.chunks(), customer, rows).has_value());
  }
  static void put_windows(store::ColdStore& cold, const CustomerId& customer,
                          const std::string& metric, Resolution resolution,
                          const std::vector<Sample>& samples) {
    const std::uint32_t first = store::window_day_of(samples.front().timestamp_ms);
    const std::uint32_t last = store::window_day_of(samples.back().timestamp_ms);
    const auto key = key_of(cold, customer, metric, {first, last});
    std::map<std::uint32_t, std::vector<Window>> periods;
    for (const Window& window : rollup::windows_of(samples, rollup::width_ms(resolution))) {
      const std::uint32_t day = rolling::day_of_window(window.end_ms);
      periods[rolling::period_of(resolution, day)].push_back(window);
    }
    for (const auto& [period, windows] : periods) {
      put(cold, customer, {rolling::window_row(key, resolution, windows)});
    }
  }
  // Of all resolutions, from kDay on; samples up to kGone may be gone.
  void fill(const CustomerId& customer) {
    for (const Resolution resolution : rolling::kRolledUp) {
      for (const char* metric : {"m1", "m2"}) {
        put_windows(from_.cold(), customer, metric, resolution, samples(kDay, kDay + 9));
      }
    }
    note(from_.cold(), {kGone, true, 0, {kDay, kDay, kDay}, {}});
  }
  static void note(store::ColdStore& cold, const rolling::RollupNote& note) {
    ASSERT_TRUE(cold.chunks().due_days()->set_note(rolling::write_note(note)).has_value());
  }
  static rolling::RollupNote noted(store::ColdStore& cold) {
    return read_rollup_note(cold).value();
  }
  static std::vector<std::string> windows(store::ColdStore& cold, const CustomerId& customer,
                                          Resolution resolution) {
    std::vector<std::string> all;
    const auto add = [&](const SeriesPage& page, const std::vector<SeriesWindows>& some) {
      for (const SeriesWindows& one : some) {
        for (const Window& window : one.stored.windows) {
          all.push_back(to_string(page[one.at].labels) + bytes_of(window, resolution));
        }
        for (const std::uint32_t day : one.stored.histogram_days) {
          all.push_back("histograms of " + std::to_string(day - kDay));
        }
      }
      return Result<void>();
    };
    const SayDamage say = [](const std::string& what) { ADD_FAILURE() << what; };
    const std::uint32_t days = rolling::period_days(resolution);
    for (std::uint32_t day = rolling::period_of(resolution, kDay); day < kDay + 12; day += days) {
      EXPECT_EQ(each_rollup_page(cold, customer, {resolution, day}, say, add).value_or(99), 0U);
    }
    return all;
  }

  CopyJob job(const std::vector<CustomerId>& customers) {
    return {from_.cold(), to_.cold(), clock_, customers, {}, "", "one"};
  }
  CopyTold told() {
    return {[](const std::string&) {},
            [this](const std::string& what) { damage_.push_back(what); }};
  }
  CopyCounts copy(const CopyJob& job) {
    const auto counts = copy_store(job, told());
    EXPECT_TRUE(counts.has_value()) << (counts ? "" : counts.error().message);
    return counts.value_or(CopyCounts());
  }
  // "kind day items", of what differs with "!" before it.
  Lines compare(const CopyJob& job, bool is_equal) {
    Lines lines;
    const auto note = [&](const ComparedDay& day) {
      lines.push_back((day.from == day.to ? "" : "!") + std::string(day.kind) + " " +
                      std::to_string(day.day - kDay) + " " + std::to_string(day.from.items));
    };
    EXPECT_EQ(compare_stores(job, told(), note).value(), is_equal);
    return lines;
  }

  const CustomerId a_ = CustomerId::parse("cliente-a").value();
  const CustomerId b_ = CustomerId::provider();
  typename Stores::Source from_;
  typename Stores::Destination to_;
  CopyClock clock_;
  Lines damage_;
};
using Pairs = testing::Types<Pair<store::InMemory, store::OnRocksDb>,
                             Pair<store::OnRocksDb, store::InMemory>>;
TYPED_TEST_SUITE(RollupCopyTest, Pairs);

TYPED_TEST(RollupCopyTest, WindowsGoWithWhatIsKnownOfThem) {
  this->fill(this->a_);
  this->fill(this->b_);
  const CopyJob job = this->job({this->b_, this->a_});
  const std::uint64_t of_series = 10 * (288 / 3 + 24 + 1);  // one in three of 5 min has samples
  EXPECT_EQ(this->copy(job).windows, 4 * of_series);
  for (const CustomerId& customer : {this->a_, this->b_}) {
    for (const Resolution resolution : rolling::kRolledUp) {
      const auto windows = this->windows(this->to_.cold(), customer, resolution);
      EXPECT_FALSE(windows.empty());
      EXPECT_EQ(windows, this->windows(this->from_.cold(), customer, resolution));
    }
    const rolling::OwnDays known = {kGone, {kDay, kDay, kDay}};
    EXPECT_EQ(this->noted(this->to_.cold()).own.at(customer), known);
  }
  EXPECT_FALSE(this->noted(this->to_.cold()).is_marked) << "its samples are not marked yet";
  EXPECT_THAT(this->compare(this->job({this->a_}), true),
              ElementsAre("5m roll-ups 0 192", "5m roll-ups 1 192", "1h roll-ups 0 48",
                          "1h roll-ups 1 48", "1d roll-ups 0 2", "1d roll-ups 1 2"));
  const CopyCounts again = this->copy(job);
  EXPECT_EQ(again.windows, 0U);
  EXPECT_EQ(again.windows_there, 4 * of_series);
  EXPECT_EQ(again.damaged + again.windows_kept + again.days_due + again.days_lost, 0U);
}

TYPED_TEST(RollupCopyTest, ADifferenceIsNamedByItsDay) {
  this->fill(this->a_);
  const CopyJob job = this->job({this->a_});
  this->copy(job);
  this->put_windows(this->to_.cold(), this->a_, "m1", Resolution::kHour,
                    this->samples(kGone, kGone, 7));
  EXPECT_THAT(this->compare(job, false),
              ElementsAre("5m roll-ups 0 192", "5m roll-ups 1 192", "!1h roll-ups 0 48",
                          "!1h roll-ups 1 48", "1d roll-ups 0 2", "1d roll-ups 1 2"))
      << "the row of the period was replaced";
}

TYPED_TEST(RollupCopyTest, TheWindowThatHoldsMoreStays) {
  const auto all = this->samples(kDay, kDay);
  auto some = all;
  some.erase(some.begin() + 40, some.begin() + 44);  // of one hour
  std::vector<Sample> shifted = all;
  for (std::size_t i = 60; i < 64; ++i) shifted[i].value += 1'000;
  for (const char* metric : {"fewer", "more", "others"}) {
    const auto& own = metric == std::string("fewer") ? some : all;
    const auto& there = metric == std::string("fewer")  ? all
                        : metric == std::string("more") ? some
                                                        : shifted;
    this->put_windows(this->from_.cold(), this->a_, metric, Resolution::kHour, own);
    this->put_windows(this->to_.cold(), this->a_, metric, Resolution::kHour, there);
  }
  this->note(this->from_.cold(), {kGone, true, 0, {kDay, kDay, kDay}, {}});
  const CopyCounts counts = this->copy(this->job({this->a_}));
  // An hour of which nothing is there is no window.
  EXPECT_EQ(counts.windows, 1U) << "of 'more'";
  EXPECT_EQ(counts.windows_kept, 1U) << "of 'others'";
  EXPECT_EQ(counts.windows_there, 23U + 23U + 23U);
  this->compare(this->job({this->a_}), false);
}

TYPED_TEST(RollupCopyTest, WhatTheOtherStoreDoesNotKeepIsCounted) {
  this->fill(this->a_);
  CopyJob job = this->job({this->a_});
  job.kept = [](const CustomerId&) {
    CopyKept kept{kDay + 4, 0, 0};
    kept.rollups = {std::nullopt, kDay + 2, kDay + 3};
    return kept;
  };
  const CopyCounts counts = this->copy(job);
  EXPECT_EQ(counts.windows, 2 * (8 * 24 + 7U));
  EXPECT_EQ(counts.old_rollups, 2 * 10U) << "of 5 minutes";
  const rolling::OwnDays known = {kDay + 3, {std::nullopt, kDay + 2, kDay + 3}};
  EXPECT_EQ(this->noted(this->to_.cold()).own.at(this->a_), known)
      << "samples of the fourth day are the first that go";
  EXPECT_THAT(this->compare(job, true),
              ElementsAre("1h roll-ups 2 48", "1h roll-ups 3 48", "1d roll-ups 3 2"));
}

TYPED_TEST(RollupCopyTest, WhereSomethingIsThereTheLaterDaysCount) {
  this->fill(this->a_);
  this->note(this->to_.cold(), {kDay - 5, true, 3, {kDay + 1, kDay - 9, std::nullopt}, {}});
  this->put_windows(this->to_.cold(), this->a_, "own", Resolution::kHour,
                    this->samples(kDay + 3, kDay + 3));
  this->copy(this->job({this->a_}));
  const rolling::RollupNote known = this->noted(this->to_.cold());
  const rolling::OwnDays own = {kGone, {kDay + 1, kDay, kDay}};
  EXPECT_EQ(known.own.at(this->a_), own);
  EXPECT_EQ(known.raw_gone_day, kDay - 5) << "of others nothing is new";
  EXPECT_TRUE(known.is_marked);
  EXPECT_EQ(known.damage, 3U);
}

TYPED_TEST(RollupCopyTest, AStoreWithoutRollUpsSaysNothingOfThem) {
  this->put_windows(this->from_.cold(), this->a_, "m1", Resolution::kHour,
                    this->samples(kDay, kDay));
  EXPECT_EQ(this->copy(this->job({this->a_})).windows, 0U) << "of days that are not known";
  EXPECT_EQ(this->to_.cold().chunks().due_days()->note().value(), "");
  EXPECT_THAT(this->compare(this->job({this->a_}), true), IsEmpty());
}

TYPED_TEST(RollupCopyTest, DaysOfHistogramsGoAndADamagedRowIsOneRow) {
  this->fill(this->a_);
  store::ColdStore& from = this->from_.cold();
  const auto histograms = this->key_of(from, this->a_, "h", {kDay, kDay});
  const auto bad = this->key_of(from, this->a_, "bad", {kDay, kDay});
  store::ClosedChunk damaged = rolling::histogram_day_row(bad, Resolution::kDay, kDay);
  damaged.row.encoding = store::Encoding::kWindows;
  damaged.row.data = "bad";
  this->put(from, this->a_,
            {rolling::histogram_day_row(histograms, Resolution::kHour, kDay), damaged});
  const CopyCounts counts = this->copy(this->job({this->a_}));
  EXPECT_EQ(counts.damaged, 1U);
  EXPECT_THAT(this->damage_, ElementsAre(testing::AllOf(HasSubstr("cliente-a"), HasSubstr("bad"),
                                                        HasSubstr("1d roll-ups"))));
  EXPECT_THAT(this->windows(this->to_.cold(), this->a_, Resolution::kHour),
              testing::Contains("histograms of 0"));
  EXPECT_THAT(this->compare(this->job({this->a_}), true), testing::Contains("1h roll-ups 0 49"));
}

TYPED_TEST(RollupCopyTest, WhatIsNotRolledUpYetOrWasLostIsTold) {
  this->fill(this->a_);
  store::ColdStore& from = this->from_.cold();
  const auto key = this->key_of(from, this->a_, "m1", {kDay, kDay + 9});
  std::vector<store::ClosedChunk> rows;
  for (std::uint32_t day = kDay; day < kDay + 6; ++day) {
    chunk::ChunkWriter writer;
    writer.append({TimestampMs{day} * kDayMs + 5, 1});
    const store::ChunkRow row = {
        key.id,          TimestampMs{day} * kDayMs + 5, TimestampMs{day} * kDayMs + 5,
        store::kInOrder, store::Encoding::kFloats,      std::string(writer.bytes())};
    rows.push_back({"m1", row});
  }
  this->put(from, this->a_, rows);  // which marks them
  auto& due_days = *from.chunks().due_days();
  const auto marks = due_days.due(this->a_, {}, 100).value();
  ASSERT_EQ(marks.size(), 6U);
  ASSERT_TRUE(due_days.set_lost(this->a_, std::span(marks).first(1)).has_value());
  CopyJob job = this->job({this->a_});
  const CopyCounts all = this->copy(job);
  EXPECT_EQ(all.days_lost, 1U);
  EXPECT_EQ(all.days_due, 0U) << "their samples go";
  job.kept = [](const CustomerId&) { return CopyKept{kDay + 4, 0, 0}; };
  EXPECT_EQ(this->copy(job).days_due, 2U) << "of the third and fourth, whose samples do not";
  this->note(from, {kGone, false, 0, {kDay, kDay, kDay}, {}});
  EXPECT_EQ(this->copy(job).days_due, 3U) << "there may be more that are not marked";
}

TYPED_TEST(RollupCopyTest, ANoteThatCannotBeReadIsNotGuessed) {
  this->fill(this->a_);
  ASSERT_TRUE(this->from_.cold().chunks().due_days()->set_note("none").has_value());
  const auto refused = copy_store(this->job({this->a_}), this->told());
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, ErrorCode::kCorrupt);
  EXPECT_THAT(refused.error().message, HasSubstr("copy again"));
}

}  // namespace
}  // namespace vigia::storage::keep
