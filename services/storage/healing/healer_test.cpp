#include "services/storage/healing/healer.hpp"

#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>

#include "libs/service/metrics.hpp"
#include "services/storage/healing/testing/hot_frames.hpp"
#include "services/storage/testing/storage_fixture.hpp"

namespace vigia::storage::healing {
namespace {

constexpr TimestampMs kHour = 3'600'000;
constexpr TimestampMs kMinute = 60'000;
constexpr TimestampMs kFirst = kNow - 5 * kHour;

// What a hot store has, and how it behaves.
struct Hot {
  std::map<std::string, std::string> frames;  // by customer; "_provider" too
  std::vector<std::string> extra_customers;
  std::map<std::string, Error> errors;
  std::optional<Error> no_customers;
  TimestampMs span_max_ms = INT64_MAX;  // longer stretches are too large
  std::vector<std::string> asked;
};

class HotDouble final : public HotStore {
 public:
  explicit HotDouble(Hot& hot) : hot_(hot) {}
  Result<std::vector<std::string>> customers(const Stretch& /*stretch*/) override {
    if (hot_.no_customers) return tl::unexpected<Error>(*hot_.no_customers);
    std::vector<std::string> names = hot_.extra_customers;
    for (const auto& [name, frames] : hot_.frames) names.push_back(name);
    return names;
  }
  Result<std::string> made_series(const CustomerId& customer, const Stretch& stretch) override {
    hot_.asked.push_back(customer.text());
    if (stretch.to_ms - stretch.from_ms >= hot_.span_max_ms)
      return fail(ErrorCode::kTooLarge, "too much");
    const auto error = hot_.errors.find(customer.text());
    if (error != hot_.errors.end()) return tl::unexpected<Error>(error->second);
    const auto frames = hot_.frames.find(customer.text());
    return frames == hot_.frames.end() ? std::string() : frames->second;
  }
  void close() override {}

 private:
  Hot& hot_;
};

class HealerTest : public testing::Test {
 protected:
  HealerTest() { settings_.prometheus = "http://hot"; }

  void start() {
    healer_.reset();
    const ColdParts cold{storage_.cold().catalog(),
                         storage_.cold(),
                         storage_.reader(),
                         storage_.answers(),
                         storage_.ingester(),
                         books_,
                         [this] {
                           api::WriteTimes times;
                           times.oldest.taken_ms = taken_from_ms_;
                           return times;
                         }};
    healer_ = std::make_unique<Healer>(
        settings_, std::make_unique<HotDouble>(hot_),
        HealNote(folder_.path(), settings_.prometheus, disk_log::system_files()), cold,
        HealSources{[this] { return now_ms_; }, [this](const CustomerId&) { return kept_from_ms_; },
                    [this] { return is_whole_; }},
        storage_.clock());
  }
  static CustomerId id_of(const std::string& customer) {
    return CustomerId::parse(customer).value();
  }
  void keep_note(const HealedUpTo& healed) {
    const HealNote note(folder_.path(), settings_.prometheus, disk_log::system_files());
    ASSERT_TRUE(note.keep(healed).has_value());
  }
  static std::vector<Sample> each_minute(TimestampMs from_ms, TimestampMs to_ms) {
    std::vector<Sample> samples;
    for (TimestampMs at = from_ms; at < to_ms; at += kMinute)
      samples.push_back({at, static_cast<double>(at % 7)});
    return samples;
  }
  // storage_testing's labels with a job that Prometheus scrapes by.
  static Labels up_of(const std::string& customer) {
    return Labels::from({{"__name__", "vigia:up"}, {"customer_id", customer}, {"node_id", "n1"}});
  }
  void put_hot(const std::string& customer, const std::vector<Sample>& samples) {
    hot_.frames[customer] += frame_of(up_of(customer), xor_chunk(samples));
  }
  std::size_t stored(const std::string& customer) {
    return storage_.stored_values(customer, "vigia:up");
  }
  std::uint64_t refused(Refused why) const {
    return healer_->stats().counts.refused[static_cast<std::size_t>(why)];
  }

  StorageFixture storage_;
  TemporaryFolder folder_;
  service::MetricRegistry registry_;
  api::WriteBooks books_{registry_};
  HealSettings settings_;
  Hot hot_;
  TimestampMs now_ms_ = kNow;
  TimestampMs kept_from_ms_ = 0;
  TimestampMs taken_from_ms_ = 0;
  bool is_whole_ = true;
  std::unique_ptr<Healer> healer_;
};

TEST_F(HealerTest, WhatIsMissingOfTwoCustomersIsThereOnceAfterARound) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + 4 * kHour);
  for (const std::string customer : {"a", "b"}) {
    put_hot(customer, all);
    storage_.write(customer, "vigia:up", {all.begin(), all.begin() + 70});
    storage_.write(customer, "vigia:up", {all.begin() + 150, all.end()});
  }
  settings_.back = std::chrono::hours(5);
  start();
  EXPECT_FALSE(healer_->heal_round());
  for (const std::string customer : {"a", "b"}) {
    const auto values = storage_.read(customer, "vigia:up");
    ASSERT_EQ(values.size(), all.size()) << customer;
    for (const Sample& sample : all) EXPECT_EQ(values.at(sample.timestamp_ms), sample.value);
    EXPECT_EQ(stored(customer), all.size()) << "nothing twice";
  }
  const HealStats stats = healer_->stats();
  EXPECT_EQ(stats.counts.compared, 2 * all.size());
  EXPECT_EQ(stats.counts.holes, 4U) << "two hours of each have a part of it";
  EXPECT_EQ(stats.counts.fetched, 160U);
  EXPECT_EQ(stats.counts.stored, 160U);
  EXPECT_EQ(stats.failures, 0U);
  EXPECT_EQ(stats.behind_ms, 0);
}

TEST_F(HealerTest, WhatWasComparedIsNotAskedForAgainAndARestartRemembers) {
  put_hot("a", each_minute(kFirst, kFirst + kHour));
  storage_.write("a", "vigia:up", {{kFirst, 1}});
  start();
  healer_->heal_round();
  EXPECT_EQ(std::count(hot_.asked.begin(), hot_.asked.end(), "_provider"), 11)
      << "168 hours of which it has nothing: 1, 2, 4, 8, 16, five days, and the rest";
  hot_.asked.clear();
  healer_->heal_round();
  start();
  healer_->heal_round();
  EXPECT_TRUE(hot_.asked.empty());
  now_ms_ += 9 * kMinute;
  healer_->heal_round();
  EXPECT_TRUE(hot_.asked.empty()) << "no stretch is over and settled";
  now_ms_ += 2 * kMinute;
  healer_->heal_round();
  EXPECT_THAT(hot_.asked, testing::UnorderedElementsAre("_provider", "a"));
}

TEST_F(HealerTest, WhoeverIsInNoNoteThatCanBeReadBeginsNow) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  put_hot("a", all);
  put_hot("b", all);
  storage_.write("b", "vigia:up", {all[0]});
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("b"), all.size()) << "a first start fetches what there is";
  start();
  storage_.write("a", "vigia:up", {{kNow, 1}});
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 1U) << "what hot has from before is of one who was deleted";
  const HealNote note(folder_.path(), settings_.prometheus, disk_log::system_files());
  EXPECT_TRUE(note.load().value().contains(CustomerId::parse("a").value()));
  put_hot("a", each_minute(kNow, kNow + kHour));
  now_ms_ += 2 * kHour;
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 60U) << "what comes from now on is healed";
}

// There was no note, or none that could be read, when he was deleted.
TEST_F(HealerTest, WhoWasDeletedDoesNotComeBackWithAFirstStart) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  put_hot("a", all);
  ASSERT_TRUE(forget_customer(folder_.path(), id_of("a"), kNow, disk_log::system_files()));
  storage_.write("a", "vigia:up", {{kNow, 1}});
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 1U);
  put_hot("a", each_minute(kNow + kMinute, kNow + kHour));
  now_ms_ += 2 * kHour;
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 60U) << "what comes from now on is healed";
  // What says so is damaged: nobody knows who was deleted, and when.
  std::filesystem::resize_file(folder_.path() + "/vigia-heal-from", 20);
  std::filesystem::remove(folder_.path() + "/vigia-healed");
  put_hot("b", all);
  storage_.write("b", "vigia:up", {{kNow, 1}});
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("b"), 1U);
}

// He came after the last note and before a kill, and was away as long as the program was.
TEST_F(HealerTest, WhoCameJustBeforeAnOutageIsHealedOfIt) {
  const TimestampMs noted = kNow / kHour * kHour - 4 * kHour;
  const std::vector<Sample> outage = each_minute(noted + kMinute, noted + 2 * kHour);
  put_hot("a", outage);
  put_hot("a", each_minute(noted - 2 * kHour, noted - kHour));
  put_hot("b", outage);
  keep_note({{CustomerId::provider(), noted}});
  storage_.write("a", "vigia:up", {{noted, 1}});
  start();
  storage_.write("b", "vigia:up", {{kNow, 1}});
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 1 + outage.size()) << "since the note, and not before";
  EXPECT_EQ(stored("b"), 1U) << "who has come since the start was not away";
}

TEST_F(HealerTest, WhatAClockThatWasAheadHasNotedIsComparedAgain) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  for (const std::string customer : {"a", "b"}) {
    put_hot(customer, all);
    storage_.write(customer, "vigia:up", {all[0]});
  }
  const TimestampMs closed = storage_.clock().wall_ms() / kHour * kHour - kHour;
  now_ms_ = closed + kHour;
  keep_note(
      {{CustomerId::provider(), closed}, {id_of("a"), closed + 48 * kHour}, {id_of("b"), closed}});
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("b"), 1U) << "whoever is not ahead was compared";
  EXPECT_EQ(healer_->stats().behind_ms, 0);
  EXPECT_THAT(hot_.asked,
              testing::AllOf(testing::Contains("a"), testing::Not(testing::Contains("b"))));
  const HealNote note(folder_.path(), settings_.prometheus, disk_log::system_files());
  EXPECT_EQ(note.load().value().at(id_of("a")), closed);
  // Records that are late are no clock that is wrong.
  hot_.asked.clear();
  now_ms_ -= 3 * kHour;
  healer_->heal_round();
  EXPECT_TRUE(hot_.asked.empty());
}

TEST_F(HealerTest, WithoutATimeOrWithRowsToComeBackNothingIsCompared) {
  put_hot("a", each_minute(kFirst, kFirst + kHour));
  storage_.write("a", "vigia:up", {{kFirst, 1}});
  start();
  now_ms_ = 0;
  healer_->heal_round();
  now_ms_ = kNow;
  is_whole_ = false;
  healer_->heal_round();
  EXPECT_TRUE(hot_.asked.empty());
  is_whole_ = true;
  kept_from_ms_ = kNow - 2 * kHour;
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 1U) << "what is not kept is not fetched";
}

TEST_F(HealerTest, WhatIsRefusedForBeingLateIsNotFetched) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  put_hot("a", all);
  storage_.write("a", "vigia:up", {all[0]});
  taken_from_ms_ = kFirst + 30 * kMinute;
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 31U) << "one was there, half an hour is taken";
  EXPECT_EQ(refused(Refused::kInvalid), 0U);
  EXPECT_EQ(healer_->stats().counts.compared, 30U);
}

TEST_F(HealerTest, OneCustomersDamageHoldsUpNobodyElse) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  put_hot("a", all);
  hot_.frames["a"].back() ^= 1;
  put_hot("b", all);
  for (const std::string customer : {"a", "b"}) storage_.write(customer, "vigia:up", {all[0]});
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 1U);
  EXPECT_EQ(stored("b"), all.size());
  EXPECT_EQ(healer_->stats().failures, 1U);
  EXPECT_EQ(healer_->stats().behind_ms, kNow - 7 * 24 * kHour);
  hot_.frames["a"].back() ^= 1;
  healer_->heal_round();
  EXPECT_EQ(stored("a"), 1U) << "whoever failed waits";
  storage_.clock().advance(std::chrono::minutes(6));
  healer_->heal_round();
  EXPECT_EQ(stored("a"), all.size());
}

TEST_F(HealerTest, APrometheusThatIsAwayEndsTheRoundAndIsAskedLater) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  for (const std::string customer : {"a", "b", "c", "d", "e", "f"}) {
    put_hot(customer, all);
    storage_.write(customer, "vigia:up", {all[0]});
    hot_.errors[customer] = {ErrorCode::kUnavailable, "no connection"};
  }
  start();
  EXPECT_FALSE(healer_->heal_round());
  EXPECT_EQ(hot_.asked.size(), 4U) << "the provider's, and three in vain";
  hot_.errors.clear();
  hot_.no_customers = {ErrorCode::kDeadline, "slow"};
  EXPECT_FALSE(healer_->heal_round());
  hot_.no_customers.reset();
  EXPECT_FALSE(healer_->heal_round());
  EXPECT_EQ(stored("a"), 1U) << "it is left alone for a while";
  storage_.clock().advance(std::chrono::minutes(6));
  healer_->heal_round();
  for (const std::string customer : {"a", "b", "c", "d", "e", "f"})
    EXPECT_EQ(stored(customer), all.size()) << customer;
}

TEST_F(HealerTest, WhoIsFurthestBehindComesFirst) {
  for (const std::string customer : {"a", "b", "c"}) {
    put_hot(customer, each_minute(kFirst, kFirst + kHour));
    storage_.write(customer, "vigia:up", {{kFirst, 1}});
  }
  keep_note({{CustomerId::provider(), kNow - kHour},
             {id_of("a"), kNow - 2 * kHour},
             {id_of("b"), kNow - 4 * kHour},
             {id_of("c"), kNow - 3 * kHour}});
  start();
  healer_->heal_round();
  EXPECT_THAT(hot_.asked, testing::ElementsAre("b", "c", "a", "b", "c"));
}

TEST_F(HealerTest, WhatFailsHereEndsTheRoundForNobodyElse) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  HealedUpTo healed = {{CustomerId::provider(), kNow - kHour}};
  for (const std::string customer : {"a", "b", "c", "d", "e"}) {
    put_hot(customer, all);
    storage_.write(customer, "vigia:up", {all[0]});
    healed.insert_or_assign(id_of(customer), kFirst);
  }
  keep_note(healed);
  // Memory is short, and four hold more of it than they may then.
  lanes::CustomerShares& shares = storage_.answers();
  const std::size_t amount = shares.amount_max() / 16;
  for (const std::string customer : {"a", "b", "c", "d"})
    ASSERT_TRUE(shares.take(customer, amount).has_value());
  shares.set_short(true);
  start();
  healer_->heal_round();
  shares.set_short(false);
  for (const std::string customer : {"a", "b", "c", "d"}) shares.give_back(customer, amount);
  EXPECT_EQ(stored("e"), all.size());
  EXPECT_EQ(healer_->stats().failures, 4U);
}

TEST_F(HealerTest, WhatItLiesAboutIsRefusedAndCounted) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  put_hot("a", all);
  hot_.frames["a"] +=
      frame_of(up_of("b"), xor_chunk(all)) +
      frame_of(Labels::from({{"__name__", "vigia:x"}}), xor_chunk(all)) +
      frame_of(Labels::from({{"__name__", "own"}, {"customer_id", "a"}}), xor_chunk(all)) +
      frame_of(up_of("a"), xor_chunk({{kNow + kHour, 1}}));
  hot_.extra_customers = {"nobody", "not a name", "nobody"};
  storage_.write("a", "vigia:up", {all[0]});
  start();
  healer_->heal_round();
  const auto stretches = healer_->stats().stretches;
  EXPECT_EQ(stored("a"), all.size());
  EXPECT_EQ(healer_->stats().unknown_customers, 2U);
  EXPECT_GT(refused(Refused::kForeign), 0U);
  EXPECT_GT(refused(Refused::kUnasked), 0U);
  EXPECT_GT(refused(Refused::kOutside), 0U);
  EXPECT_GT(stretches, 0U);
  const auto customers = storage_.cold().catalog().customers();
  EXPECT_THAT(customers, testing::ElementsAre(CustomerId::parse("a").value()));
}

TEST_F(HealerTest, ASeriesThatComesInSeveralFramesIsStoredOnce) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  put_hot("a", {all.begin(), all.begin() + 25});
  put_hot("a", {all.begin() + 20, all.begin() + 40});
  put_hot("a", {all.begin() + 40, all.end()});
  put_hot("a", all);
  for (int i = 0; i < 150; ++i) {
    const std::string name = "vigia:" + std::to_string(i);
    hot_.frames["a"] +=
        frame_of(Labels::from({{"__name__", name}, {"customer_id", "a"}, {"node_id", "n1"}}),
                 xor_chunk(all));
  }
  storage_.write("a", "vigia:up", {all[0], all[30]});
  storage_.write("a", "vigia:77", {all[5]});
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("a"), all.size());
  EXPECT_EQ(storage_.read("a", "vigia:up").size(), all.size());
  for (const std::string name : {"vigia:0", "vigia:77", "vigia:149"}) {
    EXPECT_EQ(storage_.stored_values("a", name), all.size()) << name;
  }
}

TEST_F(HealerTest, AnAnswerThatIsTooLargeIsAskedForInPartsAndTheSmallestIsPassedOver) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  put_hot("a", all);
  storage_.write("a", "vigia:up", {all[0]});
  hot_.span_max_ms = 20 * kMinute;
  start();
  healer_->heal_round();
  EXPECT_EQ(stored("a"), all.size());
  EXPECT_EQ(healer_->stats().passed_over, 0U);
  hot_.span_max_ms = 0;
  now_ms_ += kHour;
  healer_->heal_round();
  EXPECT_EQ(healer_->stats().passed_over, 2 * 32U)
      << "an hour of the customer's and the provider's";
  EXPECT_EQ(healer_->stats().failures, 0U);
  hot_.asked.clear();
  healer_->heal_round();
  EXPECT_TRUE(hot_.asked.empty()) << "it goes on behind them";
}

// Each turn asks for the hour, its halves and theirs, down to the smallest that fails.
TEST_F(HealerTest, AStretchThatAlwaysFailsIsPassedOverInTheEnd) {
  const std::vector<Sample> all = each_minute(kFirst, kFirst + kHour);
  for (const ErrorCode code : {ErrorCode::kCorrupt, ErrorCode::kOverLimit, ErrorCode::kDeadline}) {
    SCOPED_TRACE(to_string(code));
    const std::string customer = "c" + std::to_string(static_cast<int>(code));
    put_hot(customer, all);
    put_hot("well", all);
    storage_.write(customer, "vigia:up", {all[0]});
    storage_.write("well", "vigia:up", {all[0]});
    hot_.errors[customer] = {code, "always"};
    keep_note({{CustomerId::provider(), kNow - kHour},
               {id_of("well"), kNow - 2 * kHour},
               {id_of(customer), kNow - 2 * kHour}});
    start();
    for (int times = 0; times < 12; ++times) {
      // Behind the last one hot answers others, so that it is known not to be away.
      if (times == 11) now_ms_ += kHour;
      healer_->heal_round();
      EXPECT_EQ(healer_->stats().passed_over, 0U) << times;
      EXPECT_EQ(healer_->stats().failures, static_cast<std::uint64_t>(times) + 1);
      storage_.clock().advance(std::chrono::minutes(6));
    }
    healer_->heal_round();
    EXPECT_EQ(healer_->stats().passed_over, 32U);
    EXPECT_EQ(healer_->stats().failures, 13U) << "the next hour fails anew";
    EXPECT_EQ(healer_->stats().behind_ms, kNow - kHour) << "it goes on behind it";
    hot_ = Hot();
    now_ms_ = kNow;
  }
}

TEST_F(HealerTest, ItsThreadHealsByItselfAndEnds) {
  std::vector<Sample> all;
  for (TimestampMs at = kNow - 10'000; at < kNow - 2'000; at += 100) all.push_back({at, 1});
  put_hot("a", all);
  storage_.write("a", "vigia:up", {all[0]});
  settings_.interval = std::chrono::seconds(1);
  settings_.settle = std::chrono::seconds(1);
  settings_.back = std::chrono::minutes(1);
  start();
  healer_->start();
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (stored("a") < all.size() && std::chrono::steady_clock::now() < deadline)
    std::this_thread::yield();
  EXPECT_EQ(stored("a"), all.size());
  healer_->stop();
  const HealStats stats = healer_->stats();
  EXPECT_GT(stats.stretches, 0U) << "what was counted can be read still";
  storage_.clock().advance(std::chrono::minutes(1));
  EXPECT_EQ(healer_->stats().stretches, stats.stretches);
  healer_->stop();
  healer_.reset();
}

}  // namespace
}  // namespace vigia::storage::healing
