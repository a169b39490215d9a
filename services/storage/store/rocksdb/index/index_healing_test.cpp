// What is done after the store has lost rows while it was open.
#include <functional>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/base/testing/temporary_folder.hpp"
#include "services/storage/store/rocksdb/index/index_healer.hpp"
#include "services/storage/store/rocksdb/index/index_key.hpp"
#include "services/storage/store/rocksdb/index/label_codec.hpp"
#include "services/storage/store/rocksdb/index/series_index.hpp"
#include "services/storage/store/rocksdb/kv/key.hpp"
#include "services/storage/store/rocksdb/kv/rocksdb_store.hpp"

namespace vigia::storage::store::rocksdb::index {
namespace {

using testing::ElementsAre;

class FailedScan final : public kv::Scan {
 public:
  bool next() override { return false; }
  void seek(std::string_view /*key*/) override {}
  std::string_view key() const override { return {}; }
  std::string_view value() const override { return {}; }
  Result<void> status() const override { return fail(ErrorCode::kCorrupt, "made to fail"); }
};

// The real store, which says that it has lost rows.
class LosingStore final : public kv::OrderedStore {
 public:
  explicit LosingStore(kv::OrderedStore& store) : store_(store) {}
  std::uint64_t lost = 0;
  std::function<void()> at_scan;    // once, at the next walk over series
  std::vector<std::string> walked;  // prefixes of the walks over series
  std::string failing;              // walks over series with this prefix fail
  std::function<void()> at_each_scan;

  Result<void> put(const std::vector<kv::KeyValue>& writes, kv::Durability durability) override {
    return store_.put(writes, durability);
  }
  Result<std::optional<std::string>> get(kv::Family family, std::string_view key) override {
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
    if (from.starts_with("s")) {
      walked.emplace_back(from);
      if (auto then = std::exchange(at_scan, {})) then();
      if (at_each_scan) at_each_scan();
      if (from == failing) return std::make_unique<FailedScan>();
    }
    return store_.scan(family, from, to);
  }
  Result<void> sync() override { return store_.sync(); }
  Result<void> drop_range(kv::Family family, std::string_view from, std::string_view to) override {
    return store_.drop_range(family, from, to);
  }
  Result<void> compact() override { return store_.compact(); }
  std::uint64_t disk_bytes(kv::Family family) const override { return store_.disk_bytes(family); }
  std::uint64_t repairs() const override { return lost; }

 private:
  kv::OrderedStore& store_;
};

class IndexHealingTest : public testing::Test {
 protected:
  IndexHealingTest()
      : real_(kv::open_rocksdb({folder_.path()}).value()),
        store_(*real_),
        index_(SeriesIndex::open(store_).value()),
        a_(index_->number_of(*CustomerId::parse("cliente-a")).value()),
        b_(index_->number_of(*CustomerId::parse("cliente-b")).value()) {}

  UnresolvedSeries resolve(customers::CustomerNumber customer, const std::string& metric) {
    UnresolvedSeries one{
        customer, Labels::from({{"__name__", metric}, {"job", "x"}}), {}, {}, false};
    std::vector<UnresolvedSeries> series = {one};
    EXPECT_TRUE(index_->resolve(series));
    return series[0];
  }
  void lose_hash_of(const UnresolvedSeries& series) {
    const auto scan = real_->scan(kv::Family::kIndex, "h", "i");
    while (scan->next()) {
      if (scan->value()[0] != static_cast<char>(series.id.value)) continue;
      ASSERT_TRUE(real_->put({{kv::Family::kIndex, std::string(scan->key()), "", true}},
                             kv::Durability::kNow));
    }
  }

  TemporaryFolder folder_;
  std::unique_ptr<kv::OrderedStore> real_;
  LosingStore store_;
  std::unique_ptr<SeriesIndex> index_;
  customers::CustomerNumber a_;
  customers::CustomerNumber b_;
};

TEST_F(IndexHealingTest, ASeriesWhoseHashIsLostKeepsItsNumber) {
  const UnresolvedSeries before = resolve(a_, "m");
  lose_hash_of(before);
  ++store_.lost;
  const UnresolvedSeries after = resolve(a_, "m");
  EXPECT_EQ(after.id, before.id);
  EXPECT_FALSE(after.is_new);
}

// Its walk over one customer's rows was everybody's, with the lock that all new series wait for.
TEST_F(IndexHealingTest, NewSeriesOfOthersDoNotWaitForACustomersRows) {
  const UnresolvedSeries of_a = resolve(a_, "m");
  const UnresolvedSeries of_b = resolve(b_, "m");
  lose_hash_of(of_b);
  ++store_.lost;
  store::SeriesId meanwhile{};
  store_.at_scan = [&] { meanwhile = resolve(b_, "m").id; };
  EXPECT_EQ(resolve(a_, "m").id, of_a.id);
  EXPECT_EQ(meanwhile, of_b.id);
  EXPECT_THAT(store_.walked, ElementsAre(index_key::all_series(a_), index_key::all_series(b_)));
}

TEST_F(IndexHealingTest, EachCustomersRowsAreWalkedOnceALoss) {
  resolve(a_, "m");
  for (int loss = 0; loss < 2; ++loss) {
    ++store_.lost;
    store_.walked.clear();
    for (int i = 0; i < 3; ++i) resolve(a_, "m" + std::to_string(i));
    EXPECT_THAT(store_.walked, ElementsAre(index_key::all_series(a_)));
  }
}

// Who brings nothing new is healed by the daily sweep.
TEST_F(IndexHealingTest, TheSweepMakesTheRestWhole) {
  const UnresolvedSeries of_b = resolve(b_, "m");
  const std::string value = index_key::label_value(b_, "job", "x");
  ASSERT_TRUE(real_->put({{kv::Family::kIndex, value, "", true}}, kv::Durability::kNow));
  ++store_.lost;
  constexpr TimestampMs kDayMs = 86'400'000;
  ASSERT_TRUE(index_->expire(kDayMs, 20'000 * kDayMs));
  EXPECT_TRUE(real_->get(kv::Family::kIndex, value).value().has_value());
}

// A value's row holds its days.
TEST_F(IndexHealingTest, ALabelValueThatIsThereKeepsItsDays) {
  std::vector<UnresolvedSeries> series = {resolve(a_, "m")};
  series[0].days = {20'000, 20'001};
  ASSERT_TRUE(index_->note_days(series));
  const std::string value = index_key::label_value(a_, "job", "x");
  const auto before = real_->get(kv::Family::kIndex, value).value();
  ASSERT_EQ(before->size(), 8U);
  ++store_.lost;
  resolve(a_, "other");
  EXPECT_EQ(real_->get(kv::Family::kIndex, value).value(), before);
}

// A value whose row is made anew was found on every day.
TEST_F(IndexHealingTest, ALabelValueThatWasLostHasTheDaysOfItsSeries) {
  std::vector<UnresolvedSeries> series = {resolve(a_, "m"), resolve(a_, "n"), resolve(a_, "o")};
  series[0].days = {20'000, 20'001};
  series[1].days = {20'005, 20'005};
  series.pop_back();
  ASSERT_TRUE(index_->note_days(series));
  const auto value_of = [&](const std::string& name, const std::string& value) {
    return index_key::label_value(a_, name, value);
  };
  const auto lose = [&](const std::string& key) {
    ASSERT_TRUE(real_->put({{kv::Family::kIndex, key, "", true}}, kv::Durability::kNow));
  };
  const auto days_of = [&](const std::string& name, const std::string& value) {
    const auto row = real_->get(kv::Family::kIndex, value_of(name, value)).value();
    return row.has_value() ? days_of_value(*row) : kNoDays;
  };
  const DayRange of_all = days_of("job", "x");
  lose(index_key::series(a_, "o", resolve(a_, "o").id));
  lose(value_of("__name__", "o"));
  lose(value_of("__name__", "n"));
  ++store_.lost;
  ASSERT_TRUE(index_->make_whole());
  EXPECT_EQ(days_of("__name__", "n"), (DayRange{20'005, 20'005}));
  EXPECT_EQ(days_of("__name__", "o"), kAllDays) << "its series' days are lost as well";
  EXPECT_EQ(days_of("job", "x"), of_all) << "it was not lost";
  lose(value_of("job", "x"));
  ++store_.lost;
  ASSERT_TRUE(index_->make_whole());
  EXPECT_EQ(days_of("job", "x"), kAllDays) << "of m, n and o, of which one may be on any day";
  series[1].days = {20'006, 20'006};
  ASSERT_TRUE(index_->note_days(series));
  EXPECT_TRUE(days_of("__name__", "n").contains({20'005, 20'006})) << "memory takes no day back";
}

// Copies are for the next loss: no answer is incomplete for their sake.
TEST_F(IndexHealingTest, NothingIsLackingOnceAllRowsAreThere) {
  resolve(a_, "m");
  resolve(b_, "m");
  ++store_.lost;
  std::vector<bool> lacking;
  store_.at_each_scan = [&] { lacking.push_back(index_->lacks_rows()); };
  ASSERT_TRUE(index_->make_whole());
  EXPECT_THAT(lacking, ElementsAre(true, true, false, false));
}

TEST_F(IndexHealingTest, ACustomersErrorHoldsUpNobodyBehind) {
  resolve(a_, "m");
  const UnresolvedSeries of_b = resolve(b_, "m");
  const std::string value = index_key::label_value(b_, "job", "x");
  const std::string copy = index_key::copy(b_, of_b.id);
  ASSERT_TRUE(
      real_->put({{kv::Family::kIndex, value, "", true}, {kv::Family::kIdentity, copy, "", true}},
                 kv::Durability::kNow));
  ++store_.lost;
  store_.failing = index_key::all_series(a_);
  const auto healed = index_->make_whole();
  ASSERT_FALSE(healed);
  EXPECT_EQ(healed.error().message, "made to fail");
  EXPECT_TRUE(index_->lacks_rows());
  EXPECT_TRUE(index_->lacks_rows_of("cliente-a"));
  EXPECT_FALSE(index_->lacks_rows_of("cliente-b")) << "an error that lasts is one customer's";
  EXPECT_TRUE(index_->lacks_rows_of("")) << "who sees all";
  EXPECT_TRUE(index_->lacks_rows_of("never-seen"));
  EXPECT_TRUE(real_->get(kv::Family::kIndex, value).value().has_value());
  EXPECT_TRUE(real_->get(kv::Family::kIdentity, copy).value().has_value());
  store_.failing.clear();
  EXPECT_TRUE(index_->make_whole());
  EXPECT_FALSE(index_->lacks_rows());
}

// At whatever place of it the stop comes.
TEST_F(IndexHealingTest, AStopWaitsForOnePieceAlone) {
  constexpr int kSeries = 450;  // three pieces
  std::vector<UnresolvedSeries> series;
  for (int i = 0; i < kSeries; ++i) {
    series.push_back({a_, Labels::from({{"__name__", "m" + std::to_string(i)}}), {}, {}, false});
  }
  ASSERT_TRUE(index_->resolve(series));
  resolve(b_, "m");
  int asked_in_all = 0;
  ++store_.lost;
  ASSERT_TRUE(index_->make_whole([&] { return ++asked_in_all > 0; }));
  EXPECT_GE(asked_in_all,
            2 * 2 + 3 * 3 + 3);  // customers twice, pieces of restored, healed, copied
  for (int last = 1; last < asked_in_all; ++last) {
    ++store_.lost;
    int asked = 0;
    const auto ended = index_->make_whole([&] { return ++asked < last; });
    ASSERT_FALSE(ended) << last;
    EXPECT_EQ(ended.error().code, ErrorCode::kUnavailable);
    EXPECT_LE(asked, last + 2) << "by the walk, its loop and the second loop: no more is begun";
  }
  EXPECT_TRUE(index_->make_whole());
  EXPECT_FALSE(index_->lacks_rows());
}

TEST(IndexHealerTest, ItLooksLessOftenWhileItFails) {
  const Duration second = std::chrono::seconds(1);
  Duration look = next_look(second, true);
  EXPECT_EQ(look, second);
  for (const int seconds : {2, 4, 8, 16, 32, 60, 60}) {
    look = next_look(look, false);
    EXPECT_EQ(look, seconds * second);
  }
  EXPECT_EQ(next_look(look, true), second);
}

}  // namespace
}  // namespace vigia::storage::store::rocksdb::index
