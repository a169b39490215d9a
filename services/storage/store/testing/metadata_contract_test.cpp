// The contract of metrics' metadata, on every store that keeps it.
#include <gmock/gmock.h>

#include "services/storage/store/testing/contract_fixture.hpp"

namespace vigia::storage::store {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

template <typename Store>
class MetadataContract : public ContractFixture<Store> {
 protected:
  void SetUp() override {
    if (this->store_.cold().metadata() == nullptr)
      GTEST_SKIP() << "this store keeps no metadata: it says so by a null";
  }
  MetadataStore& metadata() { return *this->store_.cold().metadata(); }

  static MetricMetadata metric(const std::string& name, const std::string& help,
                               std::uint32_t day = kDay) {
    return {name, 1, "s", help, day};
  }
  void put(const CustomerId& customer, const std::vector<MetricMetadata>& metrics) {
    ASSERT_TRUE(metadata().put(customer, metrics).has_value());
    ASSERT_TRUE(metadata().sync().has_value());
  }
  // "metric type unit help day from kDay".
  std::vector<std::string> read(const CustomerId& customer, const std::string& name = "") {
    std::vector<std::string> all;
    const auto note = [&](const MetricMetadata& one) {
      all.push_back(one.metric + " " + std::to_string(one.type) + " " + one.unit + " " + one.help +
                    " " + std::to_string(one.day - kDay));
      return true;
    };
    EXPECT_TRUE(metadata().read(customer, name, note, this->unlimited_).has_value());
    return all;
  }
};
TYPED_TEST_SUITE(MetadataContract, Stores);

TYPED_TEST(MetadataContract, IsGivenByNameToItsCustomerAlone) {
  this->put(this->a_, {this->metric("up", "of a"), this->metric("cpu", "more")});
  this->put(this->b_, {this->metric("up", "of b")});
  EXPECT_THAT(this->read(this->a_), ElementsAre("cpu 1 s more 0", "up 1 s of a 0"));
  EXPECT_THAT(this->read(this->b_), ElementsAre("up 1 s of b 0"));
  EXPECT_THAT(this->read(CustomerId::parse("nobody").value()), IsEmpty());
}

TYPED_TEST(MetadataContract, OneMetricIsTheOneOfThatNameAlone) {
  this->put(this->a_,
            {this->metric("up", "x"), this->metric("up_time", "y"), this->metric("u", "z")});
  EXPECT_THAT(this->read(this->a_, "up"), ElementsAre("up 1 s x 0"));
  EXPECT_THAT(this->read(this->a_, "u"), ElementsAre("u 1 s z 0"));
  EXPECT_THAT(this->read(this->a_, "up_"), IsEmpty());
}

TYPED_TEST(MetadataContract, WhatIsPutLastIsWhatThereIs) {
  this->put(this->a_, {this->metric("up", "first")});
  this->put(this->a_, {{"up", 2, "", "then", kDay + 3}});
  EXPECT_THAT(this->read(this->a_), ElementsAre("up 2  then 3"));
}

TYPED_TEST(MetadataContract, TextsAreKeptAsTheyAre) {
  const std::string help = std::string(kHelpBytesMax - 8, 'h') + "\n\"\\\t\u00f1\u00f1";
  const MetricMetadata longest{std::string(kMetricBytesMax, 'm'), kMetricTypeMax,
                               std::string(kUnitBytesMax, 'u'), help, kDay};
  this->put(this->a_, {longest, {"bare", 0, "", "", kDay}});
  EXPECT_THAT(this->read(this->a_),
              ElementsAre("bare 0   0", longest.metric + " 7 " + longest.unit + " " + help + " 0"));
}

TYPED_TEST(MetadataContract, AReaderThatHasEnoughIsGivenNoMore) {
  std::vector<MetricMetadata> some;
  for (int i = 0; i < 1'200; ++i) some.push_back(this->metric("m" + std::to_string(i), "x"));
  this->put(this->a_, some);
  EXPECT_EQ(this->read(this->a_).size(), 1'200U);
  int seen = 0;
  const auto two = [&](const MetricMetadata&) { return ++seen < 2; };
  EXPECT_TRUE(this->metadata().read(this->a_, "", two, this->unlimited_).has_value());
  EXPECT_EQ(seen, 2);
}

TYPED_TEST(MetadataContract, WhatIsNotSaidAnyMoreGoesAtItsCustomersCut) {
  this->put(this->a_, {this->metric("old", "x"), this->metric("new", "y", kDay + 1)});
  this->put(this->b_, {this->metric("old", "x")});
  ExpiryCuts cuts(kStart + kDayMs - 1);
  EXPECT_EQ(this->metadata().expire(cuts).value(), 0U);
  cuts.before_ms = 0;
  cuts.own[this->a_] = kStart + kDayMs;
  EXPECT_EQ(this->metadata().expire(cuts).value(), 1U);
  EXPECT_THAT(this->read(this->a_), ElementsAre("new 1 s y 1"));
  EXPECT_THAT(this->read(this->b_), ElementsAre("old 1 s x 0"));
  EXPECT_EQ(this->metadata().expire(cuts).value(), 0U);
  // Of one time for all: also of who came after the last look.
  cuts = ExpiryCuts(kStart + kDayMs);
  EXPECT_EQ(this->metadata().expire(cuts).value(), 1U);
  EXPECT_THAT(this->read(this->b_), IsEmpty());
}

TYPED_TEST(MetadataContract, ASearchThatIsOverSaysSo) {
  this->put(this->a_, {this->metric("up", "x")});
  const SystemClock clock;
  const WorkLimit gone(clock, std::chrono::hours(1), std::make_shared<std::atomic<bool>>(true));
  const auto read =
      this->metadata().read(this->a_, "", [](const MetricMetadata&) { return true; }, gone);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace vigia::storage::store
