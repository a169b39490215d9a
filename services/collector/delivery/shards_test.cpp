#include "services/collector/delivery/shards.hpp"

#include <map>
#include <set>

#include "services/collector/delivery/testing/delivery_fixture.hpp"

namespace vigia::collector::delivery {
namespace {

std::string_view first_letter(std::string_view unit) { return unit.substr(0, 1); }

/// Units of a letter, which is their series, and a number.
Parcel lettered(std::string_view customer, int letters, int values) {
  Parcel parcel{.customer = *CustomerId::parse(customer)};
  for (int value = 0; value < values; ++value) {
    for (int letter = 0; letter < letters; ++letter) {
      parcel.units.push_back({.begin = parcel.message.size(),
                              .item = static_cast<std::uint32_t>(parcel.units.size()),
                              .timestamp_ms = value});
      parcel.message += static_cast<char>('a' + letter);
      parcel.message += static_cast<char>('0' + value);
    }
  }
  return parcel;
}

TEST(Shards, ASeriesIsInOneOfThemInItsOrder) {  // R-RW-2
  std::vector<Parcel> parcels{lettered("a", 26, 10)};
  const std::size_t bytes = parcels[0].message.size();
  cut_in_shards(parcels, {4, bytes / 4}, first_letter);
  ASSERT_EQ(parcels.size(), 4U);
  std::map<char, std::string> values;
  std::map<char, std::set<const Parcel*>> shards;
  std::size_t units = 0;
  for (const Parcel& parcel : parcels) {
    for (std::size_t unit = 0; unit < parcel.units.size(); ++unit, ++units) {
      const std::string_view text = parcel.run(unit, unit + 1);
      ASSERT_EQ(text.size(), 2U);
      values[text[0]] += text[1];
      shards[text[0]].insert(&parcel);
      EXPECT_EQ(parcel.units[unit].timestamp_ms, text[1] - '0');
    }
  }
  EXPECT_EQ(units, 260U);
  for (const auto& [letter, text] : values) {
    EXPECT_EQ(text, "0123456789") << letter;
    EXPECT_EQ(shards[letter].size(), 1U) << letter;
  }
}

TEST(Shards, OnlyAsManyAsTheDestinationIsSlowFor) {
  const auto shards_at = [](Duration answer_time) {
    std::vector<Parcel> parcels{lettered("a", 26, 10)};
    const std::size_t bytes = parcels[0].message.size();
    cut_in_shards(parcels, {4, bytes / 8, answer_time}, first_letter);
    return parcels.size();
  };
  EXPECT_EQ(shards_at(Duration::zero()), 1U);
  EXPECT_EQ(shards_at(kOneByOneMax / 9), 1U) << "nine requests, one after the other";
  EXPECT_EQ(shards_at(kOneByOneMax / 6), 2U);
  EXPECT_EQ(shards_at(kOneByOneMax / 2), 4U) << "more than there may be";
  EXPECT_EQ(shards_at(1000 * kOneByOneMax), 4U);
}

TEST(Shards, TheTimeOfAnAnswerIsThatOfTheLastOnes) {
  AnswerTime time;
  EXPECT_EQ(time.estimate(), kOneByOneMax);
  time.note(std::chrono::milliseconds(8));
  EXPECT_EQ(time.estimate(), std::chrono::milliseconds(8));
  time.note(std::chrono::milliseconds(16));
  EXPECT_EQ(time.estimate(), std::chrono::milliseconds(9));
  for (int i = 0; i < 100; ++i) time.note(std::chrono::milliseconds(100));
  EXPECT_GT(time.estimate(), std::chrono::milliseconds(99));
}

TEST(Shards, WhatFitsInARequestStaysWhole) {
  std::vector<Parcel> parcels{lettered("a", 26, 10)};
  const std::string message = parcels[0].message;
  cut_in_shards(parcels, {4, message.size()}, first_letter);
  cut_in_shards(parcels, {1, 1}, first_letter);
  ASSERT_EQ(parcels.size(), 1U);
  EXPECT_EQ(parcels[0].message, message);
}

TEST(Shards, BodiesStayWhole) {
  Parcel bodies = lettered("a", 26, 10);
  for (Unit& unit : bodies.units) unit.item = Unit::kBody;
  std::vector<Parcel> parcels{std::move(bodies)};
  cut_in_shards(parcels, {4, 10}, first_letter);
  EXPECT_EQ(parcels.size(), 1U);
}

TEST(Shards, NobodysSecondComesBeforeAnybodysFirst) {  // C62
  std::vector<Parcel> parcels{lettered("a", 26, 10), lettered("b", 26, 10), lettered("c", 1, 1)};
  cut_in_shards(parcels, {3, 10}, first_letter);
  std::string order;
  for (const Parcel& parcel : parcels) order += parcel.customer.text();
  EXPECT_EQ(order, "abcabab");
}

/// Answers nothing until it is told to.
class HoldingDestination final : public MessageTransport {
 public:
  void send(const CustomerId& customer, Signal /*signal*/, std::string_view message,
            Task<void(Answer)> done) override {
    const std::lock_guard lock(mutex_);
    customers += customer.text();
    most_ = std::max(most_, ++in_flight_);
    order_ += message;
    held_.push_back(std::move(done));
    on_send();
  }
  std::function<void()> on_send = [] {};
  std::size_t most() const { return most_; }
  const std::string& order() const { return order_; }
  /// All that is held is taken.
  void let_go() {
    std::vector<Task<void(Answer)>> held;
    {
      const std::lock_guard lock(mutex_);
      held.swap(held_);
      in_flight_ = 0;
    }
    for (auto& done : held) done(Answer{});
  }
  std::string customers;

 private:
  std::mutex mutex_;
  std::vector<Task<void(Answer)>> held_;
  std::size_t in_flight_ = 0, most_ = 0;
  std::string order_;
};

/// What is under way is answered, all of it as taken, each time that the delivery looks.
class LettingGo final : public DeliveryObserver {
 public:
  explicit LettingGo(HoldingDestination& to) : to_(to) {}
  void on_refused(const Parcel&, std::size_t, const std::string&) override { FAIL(); }
  void on_rejected(const Parcel&, std::size_t, std::size_t, std::uint64_t,
                   const std::string&) override {
    FAIL();
  }
  void on_set_aside(const Parcel& parcel, std::size_t first, std::size_t last, Aside aside,
                    const std::string&) override {
    EXPECT_EQ(aside, Aside::kSlow);
    slow += parcel.run(first, last);
  }
  void on_answer(const Parcel&, std::size_t, std::size_t, const Answer&, Duration) override {}
  bool others_wait(const std::set<CustomerId>& /*in_run*/) override { return has_others_behind; }
  bool go_on() override {
    before_answers();
    to_.let_go();
    return true;
  }
  std::function<void()> before_answers = [] {};
  bool has_others_behind = false;
  std::string slow;

 private:
  HoldingDestination& to_;
};

DeliverySettings held_settings() {
  DeliverySettings settings;
  settings.in_flight_max = 8;
  settings.request_bytes_max = 20;
  return settings;
}

TEST(Shards, AreSentSideBySideAndTakeNobodysFirstPlace) {
  std::vector<Parcel> parcels;
  for (const char* customer : {"a", "b", "c", "d", "e", "f", "g", "h", "i"})
    parcels.push_back(lettered(customer, 26, 10));
  cut_in_shards(parcels, {4, 10}, first_letter);
  HoldingDestination destination;
  const SystemClock clock;
  ParcelDelivery delivery(held_settings(), destination, clock);
  destination.on_send = [&delivery] { delivery.wake(); };
  LettingGo observer(destination);
  ASSERT_TRUE(delivery.run(parcels, observer));
  EXPECT_EQ(destination.most(), 12U) << "eight customers, and four further requests of theirs";
  EXPECT_EQ(destination.customers.substr(0, 12), "abcdefghabcd");
  EXPECT_EQ(destination.order().size(), 9U * 260U * 2U);
}

/// Each answer takes two seconds, however many requests are under way.
class SlowShardsTest : public ::testing::Test {
 protected:
  SlowShardsTest() {
    destination_.on_send = [this] { delivery_.wake(); };
    observer_.has_others_behind = true;
    observer_.before_answers = [this] { clock_.advance(std::chrono::seconds(2)); };
  }
  /// Four shards of as many requests each.
  std::vector<Parcel> shards_of(int requests) {
    std::vector<Parcel> parcels{lettered("a", 26, 10)};
    cut_in_shards(parcels, {4, 10}, first_letter);
    bytes_ = 0;
    for (Parcel& parcel : parcels) {
      parcel.units.resize(static_cast<std::size_t>(requests) * 10);
      parcel.message.resize(parcel.units.size() * 2);
      bytes_ += parcel.message.size();
    }
    return parcels;
  }
  ManualClock clock_{0};
  HoldingDestination destination_;
  LettingGo observer_{destination_};
  ParcelDelivery delivery_{held_settings(), destination_, clock_};
  std::size_t bytes_ = 0;
};

// With four at a time another customer was 8 s behind where 6 are allowed: each shard's time was
// looked at alone, and none had 3 s.
TEST_F(SlowShardsTest, AreJudgedByWhatAllOfTheirCustomersHaveTaken) {  // C62
  const std::vector<Parcel> parcels = shards_of(3);
  ASSERT_TRUE(delivery_.run(parcels, observer_));
  EXPECT_EQ(destination_.customers, "aaaa") << "as many as one at a time, and two more under way";
  EXPECT_EQ(destination_.order().size() + observer_.slow.size(), bytes_);
}

// A window of four requests ends with them: nothing is left to be set aside of it.
TEST_F(SlowShardsTest, ThatWereAWholeWindowAreKnownInTheNext) {
  const std::vector<Parcel> parcels = shards_of(1);
  ASSERT_TRUE(delivery_.run(parcels, observer_));
  EXPECT_EQ(observer_.slow, "");
  ASSERT_TRUE(delivery_.run(parcels, observer_));
  EXPECT_EQ(observer_.slow.size(), bytes_);
  // Once: the side lane has had them, and they may be quick now.
  observer_.slow.clear();
  ASSERT_TRUE(delivery_.run(parcels, observer_));
  EXPECT_EQ(observer_.slow, "");
}

TEST_F(SlowShardsTest, ThatKeepNobodyWaitingTakeTheirTime) {
  observer_.has_others_behind = false;
  const std::vector<Parcel> parcels = shards_of(3);
  ASSERT_TRUE(delivery_.run(parcels, observer_));
  ASSERT_TRUE(delivery_.run(parcels, observer_));
  EXPECT_EQ(observer_.slow, "");
}

// What is searched for one customer is everybody's wait, in however many shards it lies.
TEST_F(DeliveryTest, ShardsShareTheirCustomersSearch) {
  std::vector<Parcel> parcels{lettered("a", 26, 10)};
  cut_in_shards(parcels, {4, 10}, first_letter);
  ASSERT_EQ(parcels.size(), 4U);
  settings_.searches_max = 8;
  destination_.script = [](const auto&, const auto&) { return Answer{Kind::kRefused, "bad"}; };
  ASSERT_TRUE(run(parcels));
  EXPECT_LT(destination_.requests.size(), 16U);
  std::size_t left = notes_.left.size();
  for (const std::string& refused : notes_.refused) left += refused.find(':');
  EXPECT_EQ(left, 260U * 2U) << "refused or set aside, all of it";
}

// A fault of one shard is its own: the others' values are taken, its own is set aside, once.
TEST_F(DeliveryTest, AShardThatFailsHoldsNoOtherUp) {
  std::vector<Parcel> parcels{lettered("a", 26, 10)};
  cut_in_shards(parcels, {4, 10}, first_letter);
  const std::string sick = parcels[2].message;
  const char letter = sick[0];
  destination_.script = [letter](const auto&, const std::string& message) {
    return refuse_what_holds(letter, message, Kind::kBroken);
  };
  ASSERT_TRUE(run_probing(parcels));
  EXPECT_EQ(notes_.left + notes_.suspects, sick);
  EXPECT_EQ(destination_.taken.size(), 260U * 2U - sick.size());
}

}  // namespace
}  // namespace vigia::collector::delivery
