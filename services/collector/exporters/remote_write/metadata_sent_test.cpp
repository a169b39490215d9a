#include "services/collector/exporters/remote_write/metadata_sent.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/model/labels.hpp"
#include "libs/wire/remote_write/series_extras.hpp"
#include "libs/wire/remote_write/write_request_2.hpp"

namespace vigia::collector::exporters::remote_write {
namespace {

namespace protocol = wire::remote_write;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

class Reading final : public protocol::WriteVisitor {
 public:
  void on_series(const protocol::SeriesView& /*series*/) override { ++series; }
  void on_metadata(const protocol::MetadataView& metadata) override {
    said.push_back(std::to_string(metadata.type) + " " + std::string(metadata.family) + " " +
                   std::string(metadata.help) + " " + std::string(metadata.unit));
  }
  int series = 0;
  std::vector<std::string> said;
};

void add_value(std::string& message, const std::string& metric,
               const protocol::MetadataView& metadata) {
  const std::string labels =
      protocol::encode_labels(Labels::from({{"Zone", "1"}, {"__name__", metric}, {"le", "1"}}));
  labels.copy(protocol::append_sample_around(message, labels.size(), {1700, 5}, {},
                                             protocol::encode_extras(metadata)),
              labels.size());
}

class MetadataSentTest : public ::testing::Test {
 protected:
  Reading complete(const std::string& message, std::string_view customer = "a") {
    Reading reading;
    const std::string made = sent_.complete(*CustomerId::parse(customer), message);
    EXPECT_TRUE(protocol::decode_message(made, {}, reading));
    return reading;
  }
  static std::string of(const std::string& metric, std::uint32_t type, std::string_view help) {
    std::string message;
    add_value(message, metric, {.type = type, .family = {}, .help = help, .unit = "s"});
    return message;
  }
  ManualClock clock_{0};
  MetadataSent sent_{clock_};
};

TEST_F(MetadataSentTest, GoesWithTheFirstValueAndAgainInAMinute) {  // R-RW-1
  const std::string message = of("asked_total", 1, "asked");
  EXPECT_THAT(complete(message).said, ElementsAre("1 asked_total asked s"));
  EXPECT_THAT(complete(message).said, IsEmpty());
  EXPECT_EQ(complete(message).series, 1);
  EXPECT_THAT(complete(message, "b").said, SizeIs(1)) << "another customer's is its own";
  clock_.advance(MetadataSent::kAgainAfter);
  EXPECT_THAT(complete(message).said, SizeIs(1));
}

TEST_F(MetadataSentTest, WhatHasChangedGoesAtOnce) {
  EXPECT_THAT(complete(of("level", 2, "how high")).said, ElementsAre("2 level how high s"));
  EXPECT_THAT(complete(of("level", 2, "how deep")).said, ElementsAre("2 level how deep s"));
  EXPECT_THAT(complete(of("level", 1, "how deep")).said, ElementsAre("1 level how deep s"));
}

TEST_F(MetadataSentTest, AHistogramsSeriesAreOneFamily) {
  std::string message;
  for (const char* metric : {"took_bucket", "took_bucket", "took_count", "took_sum"})
    add_value(message, metric, {.type = 3, .family = {}, .help = "took", .unit = {}});
  const Reading reading = complete(message);
  EXPECT_THAT(reading.said, ElementsAre("3 took took "));
  EXPECT_EQ(reading.series, 4);
}

TEST_F(MetadataSentTest, WhatSaysNothingIsSentAsItWas) {
  std::string message;
  add_value(message, "bare", {});
  EXPECT_EQ(sent_.complete(*CustomerId::parse("a"), message), message);
}

TEST_F(MetadataSentTest, OneCustomersManyMetricsAreBoundedAndTakeNoneOfAnothers) {
  std::size_t told = 0;
  const auto tell = [&](const std::string& prefix) {
    told = 0;
    for (std::size_t i = 0; i < 2 * MetadataSent::kMetricsMax; ++i)
      told += complete(of(prefix + std::to_string(i), 2, "help")).said.size();
  };
  tell("first_");
  EXPECT_EQ(told, MetadataSent::kMetricsMax);
  EXPECT_THAT(complete(of("level", 2, "how high"), "b").said, SizeIs(1));
  // They are gone, and others have their places.
  clock_.advance(11 * MetadataSent::kAgainAfter);
  tell("second_");
  EXPECT_GE(told, MetadataSent::kMetricsMax - 1);
}

TEST_F(MetadataSentTest, OneRequestCarriesSoMuchAndTheNextTheRest) {
  std::string message;
  const std::string help(400, 'h');
  const std::size_t metrics = 1000;
  for (std::size_t i = 0; i < metrics; ++i)
    add_value(message, "level_" + std::to_string(i),
              {.type = 2, .family = {}, .help = help, .unit = {}});
  std::size_t told = 0;
  int requests = 0;
  for (; told < metrics && requests < 10; ++requests) {
    const std::string made = sent_.complete(*CustomerId::parse("a"), message);
    EXPECT_LE(made.size(), message.size() + MetadataSent::kRequestBytesMax);
    Reading reading;
    ASSERT_TRUE(protocol::decode_message(made, {}, reading));
    told += reading.said.size();
  }
  EXPECT_EQ(told, metrics);
  EXPECT_GT(requests, 1);
}

}  // namespace
}  // namespace vigia::collector::exporters::remote_write
