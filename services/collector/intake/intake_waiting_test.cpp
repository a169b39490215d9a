// Spans that wait for their traces' verdict lie elsewhere, and who has too many of them is told.
#include <gmock/gmock.h>

#include "services/collector/intake/testing/intake_fixture.hpp"

namespace vigia::collector::intake {
namespace {

using ::testing::HasSubstr;

class IntakeWaitingTest : public IntakeTest {
 protected:
  IntakeWaitingTest() {
    disk_log::DiskLogSettings settings;
    settings.directory = folder_.file("waiting");
    settings.cursors = {{.name = "copy", .required = true}};
    waiting_ = *disk_log::DiskLog::open(settings, clock_);
    intake();
    intake_ = std::make_unique<Intake>(
        exporters_, settings_,
        IntakeParts{log_.get(), series_, [this] { return directory_; }, books_, metrics_, clock_,
                    &side_shares_, nullptr, waiting_.get(), &shares_});
  }
  ~IntakeWaitingTest() override { waiting_.reset(); }

  side::TraceShares shares_;
  std::unique_ptr<disk_log::DiskLog> waiting_;
};

TEST_F(IntakeWaitingTest, SpansWaitAndAllElseDoesNot) {
  ASSERT_TRUE(take(testing::one_span("cliente-a"), Signal::kTraces));
  EXPECT_EQ(waiting_->stats().appended_records, 1U);
  EXPECT_EQ(appended(), 0U);
  EXPECT_EQ(books(Signal::kTraces).queued, 1U) << "for who will send it";
  ASSERT_TRUE(take(testing::one_record("cliente-a"), Signal::kLogs));
  EXPECT_EQ(appended(), 1U);
}

TEST_F(IntakeWaitingTest, WhoHasTooManyTracesIsRefusedRetryably) {
  shares_.publish({"cliente-a"});
  const auto refused = take(testing::one_span("cliente-a"), Signal::kTraces);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kOverLimit);
  EXPECT_TRUE(refused.error().retry_after);
  EXPECT_THAT(refused.error().message, HasSubstr("num_traces"));
  EXPECT_EQ(books(Signal::kTraces).rejected, 1U);
  EXPECT_THAT(metrics_.expose(false), HasSubstr(R"(reason="share")"));
  EXPECT_TRUE(take(testing::one_record("cliente-a"), Signal::kLogs)) << "its logs open no trace";
  shares_.publish({});
  EXPECT_TRUE(take(testing::one_span("cliente-a"), Signal::kTraces));
}

TEST_F(IntakeWaitingTest, WhoIsOverItsShareOfTheLogBehindIsRefusedBeforeItWaits) {
  log_bytes_max_ = 256U << 10U;
  log_.reset();
  intake_.reset();
  intake();
  Intake waits(exporters_, settings_,
               IntakeParts{log_.get(), series_, [this] { return directory_; }, books_, metrics_,
                           clock_, &side_shares_, nullptr, waiting_.get(), &shares_});
  disk_log::DiskRecord much{
      {.tag = {.owner = "cliente-a"}, .encoding = disk_log::BodyEncoding::kGzip},
      std::string(140U << 10U, 'x')};
  much.is_moved = true;
  ASSERT_TRUE(log_->append_and_wait(std::move(much)));
  std::promise<ErrorCode> answer;
  waits.take(customer_, {Signal::kTraces, "grpc", testing::one_span("cliente-a")},
             [&answer](Result<Receipt> receipt) {
               answer.set_value(receipt ? ErrorCode::kInternal : receipt.error().code);
             });
  EXPECT_EQ(answer.get_future().get(), ErrorCode::kOverLimit);
  EXPECT_EQ(waiting_->stats().appended_records, 0U);
}

}  // namespace
}  // namespace vigia::collector::intake
