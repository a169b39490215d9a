#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/otlp/walker.hpp"
#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/intake/testing/intake_fixture.hpp"

namespace vigia::collector::intake {
namespace {

namespace protocol = wire::remote_write;

using ::testing::HasSubstr;

class IntakeRemoteWriteTest : public IntakeTest {
 protected:
  Result<Receipt> write(const std::string& message, bool is_packed = true) {
    ExportRequest request{Signal::kMetrics, "remote_write",
                          is_packed ? protocol::compress_request(message) : message};
    request.remote_write = series::WriteVersion::k1;
    std::promise<Result<Receipt>> answer;
    intake().take(customer_, std::move(request),
                  [&answer](Result<Receipt> receipt) { answer.set_value(std::move(receipt)); });
    return answer.get_future().get();
  }
  std::string sample(std::vector<Label> labels, double value = 1, std::int64_t ahead_ms = 0) const {
    std::string message;
    protocol::append_sample(message, protocol::encode_labels(Labels::from(std::move(labels))),
                            {now() + ahead_ms, value});
    return message;
  }
};

// C21, R-RW-6: one bad series is one series; the rest is on disk, in the form that exporters read.
TEST_F(IntakeRemoteWriteTest, WhatIsGoodIsKeptAndWhatIsNotIsToldAndCounted) {
  const auto receipt =
      write(sample({{"__name__", "good"}}) + sample({{"__name__", "vigia_x"}}) +
            sample({{"__name__", "m"}, {"customer_id", "cliente-b"}}) + sample({{"a", "b"}}) +
            sample({{"__name__", "late"}}, 1, 600'000) + sample({{"__name__", "good_too"}}));
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(receipt->items, 6U);
  EXPECT_EQ(receipt->rejected, 4U);
  EXPECT_EQ(receipt->written.samples, 2U);
  for (const char* reason : {"1 reserved", "1 foreign", "1 invalid", "1 future"})
    EXPECT_THAT(receipt->message, HasSubstr(reason));
  EXPECT_EQ(books().received, 6U);
  EXPECT_EQ(books().rejected, 4U);
  const auto record = next_record();
  ASSERT_TRUE(record);
  EXPECT_EQ(record->header.rejected, 4U);
  EXPECT_EQ(wire::otlp::count_items(Signal::kMetrics, record->body).value(), 6U);
}

TEST_F(IntakeRemoteWriteTest, AllOfAnothersIsForbidden) {
  const auto receipt = write(sample({{"__name__", "m"}, {"customer_id", "cliente-b"}}));
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, ErrorCode::kForbidden);
  EXPECT_EQ(books().rejected, 1U);
  EXPECT_EQ(appended(), 0U);
}

TEST_F(IntakeRemoteWriteTest, LimitsAreThoseOfOtlp) {
  customer_.limits.active_series = 1;
  customer_.limits.label_value_bytes = 12;
  const auto receipt = write(sample({{"__name__", "one"}}) + sample({{"__name__", "two"}}) +
                             sample({{"__name__", "one"}, {"a", "much too long"}}));
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->written.samples, 1U);
  EXPECT_THAT(receipt->message, HasSubstr("over_limit"));
}

TEST_F(IntakeRemoteWriteTest, RatesAreThoseOfOtlp) {
  customer_.limits.points_per_second = 10;
  std::string many;
  for (int i = 0; i < 2'000; ++i) many += sample({{"__name__", "m"}, {"i", std::to_string(i)}});
  ASSERT_TRUE(write(many));
  const auto receipt = write(many);
  ASSERT_FALSE(receipt);
  EXPECT_EQ(receipt.error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(receipt.error().retry_after);
}

TEST_F(IntakeRemoteWriteTest, WhatIsNoRequestIsInvalid) {
  for (const std::string& body : {std::string("\xff\xff\xff"), std::string("plain text")}) {
    const auto receipt = write(body, false);
    ASSERT_FALSE(receipt);
    EXPECT_EQ(receipt.error().code, ErrorCode::kInvalid);
  }
  EXPECT_EQ(write("\x0a\x7f").error().code, ErrorCode::kInvalid);
  const auto bomb = write(std::string(17U << 20U, 'a'));
  ASSERT_FALSE(bomb);
  EXPECT_EQ(bomb.error().code, ErrorCode::kTooLarge);
}

// Metadata of 1.0 comes in requests of its own.
TEST_F(IntakeRemoteWriteTest, MetadataAloneIsNoError) {
  const std::string metadata("\x1a\x06\x08\x01\x12\x02up", 8);
  const auto receipt = write(metadata);
  ASSERT_TRUE(receipt) << receipt.error().message;
  EXPECT_EQ(receipt->items, 0U);
  EXPECT_THAT(metrics_.expose(false), HasSubstr("vigia_remote_write_metadata_left_out_total 0"));
  ASSERT_TRUE(write("\x1a\x02\x08\x01"));  // of no name
  EXPECT_THAT(metrics_.expose(false), HasSubstr("vigia_remote_write_metadata_left_out_total 1"));
}

// And goes with what comes of the metric from then on, of its customer.
TEST_F(IntakeRemoteWriteTest, MetadataGoesWithTheSeriesOfLaterRequests) {  // R-RW-1
  ASSERT_TRUE(write(sample({{"__name__", "took_bucket"}, {"le", "1"}})));
  EXPECT_EQ(next_record()->body.find("how long"), std::string::npos);
  ASSERT_TRUE(write(std::string("\x1a\x12\x08\x03\x12\x04took\x22\x08how long", 20)));
  ASSERT_TRUE(write(sample({{"__name__", "took_bucket"}, {"le", "1"}})));
  const auto record = next_record();
  ASSERT_TRUE(record);
  EXPECT_NE(record->body.find("how long"), std::string::npos);
  EXPECT_NE(record->body.find("said:histogram"), std::string::npos);
}

// The form in the log is our own: nobody may make it by OTLP.
TEST_F(IntakeRemoteWriteTest, NobodyMakesTheFormByOtlp) {
  ASSERT_TRUE(write(sample({{"__name__", "m"}})));
  const auto record = next_record();
  ASSERT_TRUE(record);
  const auto receipt = take(record->body);
  ASSERT_TRUE(receipt);
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_THAT(receipt->message, HasSubstr("reserved (the schema_url"));
}

}  // namespace
}  // namespace vigia::collector::intake
