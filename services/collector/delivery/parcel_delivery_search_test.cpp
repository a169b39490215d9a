// How what a destination refuses, or what is too old or too new for it, is found and parted from
// the rest.
#include <gmock/gmock.h>

#include "services/collector/delivery/testing/delivery_fixture.hpp"

namespace vigia::collector::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(DeliveryTest, HalvesARefusalDownToTheUnitThatIsToBlame) {
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('f', message);
  };
  EXPECT_TRUE(run({parcel_of("abcdefgh")}));
  EXPECT_EQ(destination_.taken, "abcdegh");
  EXPECT_THAT(notes_.refused, ElementsAre("f: bad"));
  EXPECT_LE(destination_.requests.size(), 7U);
}

TEST_F(DeliveryTest, AUnitOfSeveralItemsIsCutWhereItIsToBlame) {
  class Cutting final : public DeliveryObserver {
   public:
    explicit Cutting(Notes& notes) : notes_(notes) {}
    void on_refused(const Parcel& parcel, std::size_t unit, const std::string& why) override {
      notes_.on_refused(parcel, unit, why);
    }
    void on_rejected(const Parcel& parcel, std::size_t first, std::size_t last, std::uint64_t count,
                     const std::string& why) override {
      notes_.on_rejected(parcel, first, last, count, why);
    }
    void on_set_aside(const Parcel& parcel, std::size_t first, std::size_t last, Aside aside,
                      const std::string& why) override {
      notes_.on_set_aside(parcel, first, last, aside, why);
    }
    void on_answer(const Parcel& /*parcel*/, std::size_t /*first*/, std::size_t /*last*/,
                   const Answer& /*answer*/, Duration /*took*/) override {}
    std::optional<Parcel> split(const Parcel& parcel, std::size_t unit) override {
      const std::string_view whole = parcel.run(unit, unit + 1);
      Parcel parts{.customer = parcel.customer, .signal = parcel.signal};
      for (const std::size_t begin : {std::size_t{0}, whole.size() / 2}) {
        const std::size_t end = begin == 0 ? whole.size() / 2 : whole.size();
        parts.units.push_back({.begin = begin, .items = static_cast<std::uint32_t>(end - begin)});
      }
      parts.message = whole;
      return parts;
    }
    bool go_on() override { return true; }

   private:
    Notes& notes_;
  } cutting(notes_);
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message);
  };
  Parcel parcel{.customer = *CustomerId::parse("a"), .signal = Signal::kLogs};
  parcel.units.push_back({.items = 8});
  parcel.message = "abcdefgh";
  ParcelDelivery delivery(settings_, destination_, clock_);
  EXPECT_TRUE(delivery.run({parcel}, cutting));
  EXPECT_EQ(destination_.taken, "abdefgh");
  EXPECT_THAT(notes_.refused, ElementsAre("c: bad"));
}

TEST_F(DeliveryTest, DataThatIsTooOldCostsFewRequestsAndIsRemembered) {
  const auto evidence = std::make_shared<Evidence>();
  evidence->note_newest(3 * kHourMs);
  ParcelDelivery delivery(settings_, destination_, clock_, evidence);
  destination_.script = refusing_until(5000);
  EXPECT_TRUE(delivery.run({numbered(1000)}, notes_));
  EXPECT_EQ(notes_.refused.size(), 1000U);
  EXPECT_LE(destination_.requests.size(), 15U);
  destination_.requests.clear();
  EXPECT_TRUE(delivery.run({numbered(1000)}, notes_));
  EXPECT_THAT(destination_.requests, IsEmpty());
  EXPECT_EQ(notes_.refused.size(), 2000U);
}

/// Where our clock was hours ahead, one customer's word became everybody's.
TEST_F(DeliveryTest, TooOldIsOneSeriesWordUntilSomethingMuchNewerWasTaken) {
  const auto evidence = std::make_shared<Evidence>();
  ParcelDelivery delivery(settings_, destination_, clock_, evidence);
  destination_.script = [](const std::string& customer, const auto&) {
    if (customer != "a") return Answer{};
    return Answer{Kind::kRefused, "too old sample", std::nullopt, 0, true};
  };
  const auto deliver = [&](const char* customer, std::int64_t timestamp_ms) {
    Parcel parcel{.customer = *CustomerId::parse(customer)};
    parcel.units.push_back({.begin = 0, .timestamp_ms = timestamp_ms});
    parcel.message = "x";
    destination_.taken.clear();
    EXPECT_TRUE(delivery.run({std::move(parcel)}, notes_));
    return destination_.taken == "x";
  };
  deliver("a", 10 * kHourMs);
  EXPECT_TRUE(deliver("b", 9 * kHourMs));
  EXPECT_TRUE(deliver("b", 11 * kHourMs));
  deliver("a", 10 * kHourMs);
  EXPECT_TRUE(deliver("b", 9 * kHourMs)) << "of the last two hours";
  EXPECT_TRUE(deliver("b", 13 * kHourMs));
  deliver("a", 10 * kHourMs);
  EXPECT_FALSE(deliver("b", 9 * kHourMs));
}

/// As a store that takes nothing after that time.
std::function<Answer(const std::string&, const std::string&)> ahead_from(int timestamp) {
  return [timestamp](const auto&, const std::string& message) {
    Answer answer;
    for (std::size_t i = 0; i + 4 < message.size() && message != "probe"; i += 5) {
      if (std::stoi(message.substr(i, 4)) >= timestamp) answer = {Kind::kRetry, "too far"};
    }
    answer.is_too_new = answer.kind == Kind::kRetry;
    return answer;
  };
}

TEST_F(DeliveryTest, WhatIsAheadOfTheStoreWaitsAloneAndIsNeverGivenUp) {
  destination_.script = ahead_from(1900);
  EXPECT_TRUE(run_probing({numbered(1000)}));
  EXPECT_EQ(notes_.left.size(), 1000U * 5) << "the front lane searches nothing";
  EXPECT_EQ(notes_.too_new, "");
  notes_.left.clear();
  settings_.lane = Lane::kSide;
  for (const auto stage : {Parcel::SearchStage::kFresh, Parcel::SearchStage::kSuspect,
                           Parcel::SearchStage::kLastTry}) {
    destination_.taken.clear();
    destination_.requests.clear();
    Parcel parcel = numbered(1000);
    if (stage != Parcel::SearchStage::kFresh) {
      parcel = Parcel{.customer = parcel.customer};
      parcel.append(numbered(1000), 899, 901);
    }
    parcel.stage = stage;
    EXPECT_TRUE(run_probing({parcel}));
    EXPECT_THAT(notes_.refused, IsEmpty());
    EXPECT_THAT(notes_.suspects, IsEmpty());
    EXPECT_TRUE(notes_.left.starts_with("1900;")) << notes_.left.substr(0, 20);
    EXPECT_EQ(notes_.too_new, notes_.left);
    EXPECT_THAT(destination_.taken, testing::HasSubstr("1899;"));
    if (stage == Parcel::SearchStage::kFresh) {
      EXPECT_EQ(notes_.left.size(), 100U * 5);
      EXPECT_LE(destination_.requests.size(), 40U);
    }
    notes_.left.clear();
    notes_.too_new.clear();
  }
}

/// The store's own clock is behind: nobody's data is to blame, and none may fill the side queue.
TEST_F(DeliveryTest, WhereAllIsAheadOfTheStoreNothingIsSetAside) {
  destination_.script = [](const auto&, const auto&) {
    Answer answer{Kind::kRetry, "too far"};
    answer.is_too_new = true;
    return answer;
  };
  int looks = 0;
  notes_.may_go_on = [&looks] { return ++looks < 20; };
  EXPECT_FALSE(run_probing({parcel_of("x", "a"), parcel_of("y", "b")}));
  EXPECT_EQ(notes_.left + notes_.slow + notes_.suspects, "");
  EXPECT_THAT(notes_.refused, IsEmpty());
}

TEST_F(DeliveryTest, OfDataThatIsPartlyTooOldAllThatIsYoungArrives) {
  destination_.script = refusing_until(1299);
  const auto evidence = std::make_shared<Evidence>();
  evidence->note_newest(3 * kHourMs);
  EXPECT_TRUE(
      ParcelDelivery(settings_, destination_, clock_, evidence).run({numbered(1000)}, notes_));
  EXPECT_EQ(notes_.refused.size(), 300U);
  EXPECT_EQ(destination_.taken.size(), 700U * 5);
  EXPECT_LE(destination_.requests.size(), 40U);
}

TEST_F(DeliveryTest, AParcelFullOfConflictsCannotTakeAllTheTimeAndLosesNothing) {
  destination_.script = [](const auto&, const auto&) { return Answer{Kind::kRefused, "conflict"}; };
  EXPECT_TRUE(run({numbered(5000)}));
  EXPECT_LE(destination_.requests.size(), 2U * 64U + 15U);
  EXPECT_EQ(notes_.refused.size() + notes_.left.size() / 5, 5000U);
}

TEST_F(DeliveryTest, OfConflictsAmongGoodSeriesOnlyTheConflictsAreGivenUp) {  // A5
  settings_.lane = Lane::kSide;
  settings_.searches_max = 100'000;
  destination_.script = [](const auto&, const std::string& message) {
    for (std::size_t i = 0; i < message.size(); i += 5) {
      if (std::stoi(message.substr(i, 4)) % 14 == 0) return Answer{Kind::kRefused, "conflict"};
    }
    return Answer{};
  };
  EXPECT_TRUE(run({numbered(4300)}));
  EXPECT_EQ(notes_.refused.size(), 307U);
  EXPECT_EQ(destination_.taken.size(), (4300U - 307U) * 5);
}

}  // namespace
}  // namespace vigia::collector::delivery
