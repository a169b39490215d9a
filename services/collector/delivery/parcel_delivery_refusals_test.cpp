// What is sent of a customer of whom much is refused: as little as finds it, and nothing twice.
#include <gmock/gmock.h>

#include "services/collector/delivery/testing/delivery_fixture.hpp"

namespace vigia::collector::delivery {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class RefusalsTest : public DeliveryTest {
 protected:
  /// So many refusals, of whomever, are the share of "a".
  void grant(int refusals) {
    notes_.may_be = [this, refusals](const std::string& customer) {
      return customer != "a" || notes_.refusals < refusals;
    };
  }
  void refuse(const std::string& letters) {
    destination_.script = [letters](const auto&, const std::string& message) {
      return message.find_first_of(letters) == std::string::npos ? Answer{}
                                                                 : Answer{Kind::kRefused, "bad"};
    };
  }
};

TEST_F(RefusalsTest, TheSearchThatHasBegunEndsAtItsUnitAndTheRestIsSetAside) {
  refuse("cg");
  grant(1);
  EXPECT_TRUE(run({parcel_of("abcdefgh")}));
  EXPECT_THAT(destination_.requests, ElementsAre("a:abcdefgh", "a:abcd", "a:ab", "a:cd", "a:c"));
  EXPECT_EQ(destination_.taken, "ab");
  EXPECT_THAT(notes_.refused, ElementsAre("c: bad"));
  EXPECT_EQ(notes_.left, "defgh");
}

TEST_F(RefusalsTest, EachRunFindsOneAtLeastSoThatAllIsFoundInTheEnd) {
  refuse("bdg");
  std::string left = "abcdefgh";
  int runs = 0;
  while (!left.empty() && runs < 10) {
    notes_ = Notes{};
    grant(1);
    EXPECT_TRUE(run({parcel_of(left)}));
    left = notes_.left;
    ++runs;
  }
  EXPECT_EQ(runs, 4) << "and one in which nothing is refused";
  EXPECT_EQ(destination_.taken, "acefh");
  EXPECT_EQ(std::count(destination_.requests.begin(), destination_.requests.end(), "a:b"), 1);
}

TEST_F(RefusalsTest, WhoseShareIsSpentIsNotTriedAndKeepsNobody) {
  grant(0);
  EXPECT_TRUE(run({parcel_of("xyz", "a"), parcel_of("uvw", "b")}));
  EXPECT_THAT(destination_.requests, ElementsAre("b:uvw"));
  EXPECT_EQ(notes_.left, "xyz");
  EXPECT_THAT(notes_.refused, IsEmpty());
}

TEST_F(RefusalsTest, ASearchByTimeComesToAnEndToo) {
  destination_.script = refusing_until(1003);
  grant(1);
  EXPECT_TRUE(run({numbered(8)}));
  EXPECT_EQ(destination_.taken, "1004;1005;1006;1007;");
  EXPECT_THAT(notes_.refused, ElementsAre("1003;: too old sample"));
  EXPECT_EQ(notes_.left, "1002;1000;1001;") << "the newer range first, as they would be sent";
}

TEST_F(RefusalsTest, WhatIsTakenInHalvesEndsTheLeaveOfASearch) {
  // Together they are refused, each half alone is taken: nothing is to blame.
  destination_.script = [](const auto&, const std::string& message) {
    return message.size() > 2 ? Answer{Kind::kRefused, "too many"} : Answer{};
  };
  settings_.request_bytes_max = 4;
  grant(1);
  EXPECT_TRUE(run({parcel_of("abcdefgh")}));
  EXPECT_EQ(destination_.taken, "abcd");
  EXPECT_EQ(notes_.left, "efgh");
}

/// Units of a letter, which is the series, and a digit, its value at the one time.
Parcel values(std::string_view text) {
  Parcel parcel{.customer = *CustomerId::parse("a"), .message = std::string(text)};
  for (std::size_t at = 0; at < text.size(); at += 2)
    parcel.units.push_back({.begin = at, .timestamp_ms = 1});
  return parcel;
}

TEST_F(RefusalsTest, OfSeveralValuesOfASeriesAndTimeTheFirstIsSentOnceSomethingIsRefused) {
  notes_.has_kinds = true;
  refuse("x");
  EXPECT_TRUE(run({values("a1x1x2b1x3a1a2")}));
  EXPECT_THAT(destination_.requests,
              ElementsAre("a:a1x1x2b1x3a1a2", "a:a1x1b1a1", "a:a1x1", "a:a1", "a:x1", "a:b1a1"));
  const std::string why = ": another value of that series and time came before";
  EXPECT_THAT(notes_.refused, ElementsAre("x2" + why, "x3" + why, "a2" + why, "x1: bad"));
  EXPECT_EQ(destination_.taken, "a1b1a1") << "the same value once more does no harm";
}

TEST_F(RefusalsTest, ValuesOfOtherTimesAndWhatIsTakenAreLeftAlone) {
  notes_.has_kinds = true;
  EXPECT_TRUE(run({values("a1a2")}));
  EXPECT_THAT(notes_.refused, IsEmpty()) << "nothing was refused: the destination has its own rule";
  Parcel parcel = values("a1a2x1");
  for (std::size_t unit = 0; unit < parcel.units.size(); ++unit)
    parcel.units[unit].timestamp_ms = static_cast<std::int64_t>(unit);
  refuse("x");
  destination_.taken.clear();
  EXPECT_TRUE(run({std::move(parcel)}));
  EXPECT_EQ(destination_.taken, "a1a2");
  EXPECT_THAT(notes_.refused, ElementsAre("x1: bad"));
}

// R-RW-7: a destination that takes some of a request and says what it has left out.
TEST_F(DeliveryTest, WhatIsNamedOfAPartialWriteIsGivenUpByName) {
  notes_.has_kinds = true;
  destination_.script = [](const auto&, const auto&) {
    Answer answer{Kind::kTaken, "some"};
    answer.rejected = 4;
    answer.refused = {{"b", "old"}, {"d", "double"}, {"d", "double too"}};
    return answer;
  };
  ASSERT_TRUE(run({parcel_of("abcdde")}));
  EXPECT_EQ(destination_.requests.size(), 1U);
  std::sort(notes_.refused.begin(), notes_.refused.end());
  EXPECT_EQ(notes_.refused, (std::vector<std::string>{"b: old", "d: double", "d: double too"}));
  EXPECT_EQ(notes_.rejected, 1U);
}

// Two values of a series, one of them refused: which, nobody says.
TEST_F(DeliveryTest, WhatIsNotToldApartIsCounted) {
  notes_.has_kinds = true;
  destination_.script = [](const auto&, const auto&) {
    Answer answer{Kind::kTaken, "some"};
    answer.rejected = 1;
    answer.refused = {{"d", "double"}};
    return answer;
  };
  ASSERT_TRUE(run({parcel_of("add")}));
  EXPECT_TRUE(notes_.refused.empty());
  EXPECT_EQ(notes_.rejected, 1U);
}

}  // namespace
}  // namespace vigia::collector::delivery
