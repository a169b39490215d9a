// What fails without being refused, down to the units that fail alone, and their end.
#include <gmock/gmock.h>

#include "services/collector/delivery/testing/delivery_fixture.hpp"

namespace vigia::collector::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(DeliveryTest, TheSideLaneHalvesA500DownToTheSuspects) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  EXPECT_TRUE(run_probing({parcel_of("abcdefgh")}));
  EXPECT_EQ(destination_.taken.find('c'), std::string::npos);
  for (const char letter : std::string("abdefgh"))
    EXPECT_NE(destination_.taken.find(letter), std::string::npos) << letter;
  EXPECT_EQ(notes_.suspects, "c");
  EXPECT_THAT(notes_.refused, IsEmpty());
}

// A store that manages no more in time: what is cut small enough arrives, and nobody is to blame.
TEST_F(DeliveryTest, TheSideLaneHalvesWhatTimesOut) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    Answer late{Kind::kRetry, "no answer in time"};
    late.is_timeout = true;
    return message != "probe" && message.size() > 2 ? late : Answer{};
  };
  EXPECT_TRUE(run_probing({parcel_of("ABCDEFGH")}));
  for (const std::string_view pair : {"a:AB", "a:CD", "a:EF", "a:GH"})
    EXPECT_THAT(destination_.requests, ::testing::Contains(pair));
  EXPECT_EQ(notes_.left + notes_.slow + notes_.suspects, "");
  EXPECT_THAT(notes_.refused, IsEmpty());
}

TEST_F(DeliveryTest, OfSuspectsOneIsTriedForAll) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  Parcel suspects = parcel_of("ccc");
  suspects.stage = Parcel::SearchStage::kSuspect;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_EQ(notes_.suspects, "ccc");
  EXPECT_EQ(std::count(destination_.requests.begin(), destination_.requests.end(), "a:c"), 1);
}

TEST_F(DeliveryTest, OnlyWhatFailsAloneOnceMoreWhileDataIsTakenIsGivenUp) {
  settings_.lane = Lane::kSide;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  Parcel suspects = parcel_of("cd");
  suspects.stage = Parcel::SearchStage::kLastTry;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_THAT(notes_.refused, ElementsAre("c: bad"));
  EXPECT_NE(destination_.taken.find('d'), std::string::npos);
}

TEST_F(DeliveryTest, OfSuspectsOneOfAKindIsTriedAndWhatIsTakenGoesOn) {
  settings_.lane = Lane::kSide;
  notes_.has_kinds = true;
  destination_.script = [](const auto&, const std::string& message) {
    return refuse_what_holds('c', message, Kind::kBroken);
  };
  Parcel suspects = parcel_of("cccdcd");
  suspects.stage = Parcel::SearchStage::kSuspect;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_EQ(notes_.suspects, "cccc");
  EXPECT_EQ(std::count(destination_.requests.begin(), destination_.requests.end(), "a:c"), 1);
  EXPECT_EQ(std::count(destination_.taken.begin(), destination_.taken.end(), 'd'), 2);
}

// As many failing series as there may be: what comes in a second must not take an hour to go.
TEST_F(DeliveryTest, AtTheLastTryAKindSharesItsFateAndManyKindsWaitForOneSignOfLife) {
  settings_.lane = Lane::kSide;
  notes_.has_kinds = true;
  std::size_t probes = 0;
  destination_.script = [&probes](const std::string& customer, const std::string&) {
    probes += customer == "a" ? 0 : 1;
    return customer == "a" ? Answer{Kind::kBroken, "bad"} : Answer{};
  };
  std::string letters;
  for (char letter = 'a'; letter <= 'z'; ++letter) letters += std::string(100, letter);
  Parcel suspects = parcel_of(letters);
  suspects.stage = Parcel::SearchStage::kLastTry;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_EQ(notes_.refused.size(), letters.size());
  EXPECT_LT(probes, 10U);
  // One of each kind, and the first ones until the destination was seen to take data.
  EXPECT_LT(destination_.requests.size() - probes, 40U);
}

TEST_F(DeliveryTest, TheLastTryGivesNothingUpWhileNothingIsTaken) {
  settings_.lane = Lane::kSide;
  settings_.run_max = std::chrono::milliseconds(30);
  destination_.script = [](const auto&, const auto&) { return Answer{Kind::kBroken, "disk full"}; };
  Parcel suspects = parcel_of("c");
  suspects.stage = Parcel::SearchStage::kLastTry;
  EXPECT_TRUE(run_probing({suspects}));
  EXPECT_THAT(notes_.refused, IsEmpty());
  EXPECT_EQ(notes_.left, "c");
}

}  // namespace
}  // namespace vigia::collector::delivery
