// A processor's place: behind the form, before the check.
#include "services/collector/intake/stages.hpp"

#include <gtest/gtest.h>
#include <protozero/pbf_writer.hpp>

#include "libs/wire/remote_write/write_request.hpp"
#include "services/collector/intake/intake.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::intake {
namespace {

using testing::one_gauge;

/// Puts another body in the place of what came, or refuses it.
class Replacing final : public Stage {
 public:
  explicit Replacing(std::string body) : body_(std::move(body)) {}
  std::optional<Refusal> accept(Batch& batch) override {
    seen.push_back(batch.request.body);
    if (body_.empty())
      return Refusal{{ErrorCode::kInvalid, "no such thing", std::nullopt},
                     books::RequestReason::kRequestSize,
                     1};
    batch.request.body = body_;
    batch.faults.push_back({"transform/x", 7, "1:1: cannot be"});
    return std::nullopt;
  }
  std::vector<std::string> seen;

 private:
  std::string body_;
};

class ProcessorTest : public ::testing::Test {
 protected:
  /// Without a log: what passes the checks is answered.
  Result<Receipt> take_through(std::string processed, ExportRequest request) {
    auto stage = std::make_unique<Replacing>(std::move(processed));
    const Replacing& replacing = *stage;
    std::vector<std::unique_ptr<Stage>> processors;
    processors.push_back(std::move(stage));
    Intake intake({}, {},
                  IntakeParts{nullptr, series_, [] { return nullptr; }, books_, metrics_, clock_},
                  std::move(processors));
    Result<Receipt> answer = fail(ErrorCode::kInternal, "not answered");
    intake.take(customer_, std::move(request),
                [&answer](Result<Receipt> receipt) { answer = std::move(receipt); });
    seen_ = replacing.seen;
    return answer;
  }

  ManualClock clock_{1'800'000'000'000'000'000};
  service::MetricRegistry metrics_;
  books::Books books_{metrics_};
  series::SeriesCache series_{{}, clock_};
  tenancy::Customer customer_{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  std::vector<std::string> seen_;
};

TEST_F(ProcessorTest, WhatItMakesOfTheBodyIsWhatIsJudged) {
  const std::string sent = one_gauge("cliente-a", "good", clock_.wall_ms());
  const auto whole = take_through(sent, {Signal::kMetrics, "grpc", sent});
  ASSERT_TRUE(whole.has_value()) << whole.error().message;
  EXPECT_EQ(whole->rejected, 0U);
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0], sent);
  const auto reserved = take_through(one_gauge("cliente-a", "up", clock_.wall_ms()),
                                     {Signal::kMetrics, "grpc", sent});
  ASSERT_TRUE(reserved.has_value()) << reserved.error().message;
  EXPECT_EQ(reserved->rejected, 1U) << "a reserved name, which the sender has not sent";
  const auto foreign = take_through(one_gauge("cliente-b", "good", clock_.wall_ms()),
                                    {Signal::kMetrics, "grpc", sent});
  EXPECT_EQ(foreign.error().code, ErrorCode::kForbidden) << "no processor takes data over";
}

TEST_F(ProcessorTest, ItIsGivenProtobufWhateverWasSent) {
  const auto receipt = take_through(one_gauge("cliente-a", "good", clock_.wall_ms()),
                                    {Signal::kMetrics, "http", "{}", true});
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  ASSERT_EQ(seen_.size(), 1U);
  EXPECT_EQ(seen_[0], "") << "an empty request, in protobuf";
}

TEST_F(ProcessorTest, WhatItRefusesIsRefusedAsAWholeAndInTheBooks) {
  const auto refused = take_through(
      "", {Signal::kMetrics, "grpc", one_gauge("cliente-a", "good", clock_.wall_ms())});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message, "no such thing");
  EXPECT_NE(metrics_.expose(false).find("reason=\"request_size\""), std::string::npos)
      << metrics_.expose(false);
}

TEST_F(ProcessorTest, WhatItCouldNotRunIsCounted) {
  const std::string sent = one_gauge("cliente-a", "good", clock_.wall_ms());
  ASSERT_TRUE(take_through(sent, {Signal::kMetrics, "grpc", sent}).has_value());
  ASSERT_FALSE(take_through(one_gauge("cliente-b", "good", clock_.wall_ms()),
                            {Signal::kMetrics, "grpc", sent})
                   .has_value());
  const std::string shown = metrics_.expose(false);
  EXPECT_NE(
      shown.find(
          R"(vigia_processor_faults_total{customer_id="cliente-a",processor="transform/x"} 14)"),
      std::string::npos)
      << "of what is refused in the end too: " << shown;
}

// A customer over its rate costs no walk for its verdicts, and no processor's work.
TEST_F(ProcessorTest, WhoHasNothingLeftNeverReachesIt) {
  customer_.limits.bytes_per_second = 1;
  const std::string large(std::size_t{8} << 20U, 'x');
  EXPECT_EQ(take_through("x", {Signal::kMetrics, "grpc", large}).error().code,
            ErrorCode::kTooLarge);
  EXPECT_TRUE(seen_.empty());
}

/// One that becomes some 40 MiB: 20,000 samples of a series with a long label.
ExportRequest large_remote_write() {
  namespace protocol = wire::remote_write;
  std::string series =
      protocol::encode_labels(Labels::from({{"__name__", "m"}, {"long", std::string(2'100, 'x')}}));
  for (int i = 0; i < 20'000; ++i) series += std::string("\x12\x02\x10\x01", 4);
  std::string message;
  protozero::pbf_writer(message).add_message(1, series);
  ExportRequest request{Signal::kMetrics, "remote_write", protocol::compress_request(message)};
  request.remote_write = series::WriteVersion::k1;
  return request;
}

// R-SEC-1. What it becomes is of its customer's share for as long as it is worked on.
TEST_F(ProcessorTest, WhatRemoteWriteBecomesIsOfItsCustomersShare) {
  RateLimiter rates(clock_, 1);
  const auto form = make_form_stage(rates, metrics_, clock_);
  auto first = std::make_unique<Batch>(Batch{customer_, large_remote_write()});
  ASSERT_FALSE(form->accept(*first));
  EXPECT_GT(first->request.body.size(), 40U << 20U);
  EXPECT_EQ(first->held.amount(), first->request.body.size());
  {
    Batch second{customer_, large_remote_write()};
    const auto refusal = form->accept(second);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->error.code, ErrorCode::kOverLimit);
    EXPECT_TRUE(refusal->error.retry_after);
    EXPECT_EQ(refusal->reason, books::RequestReason::kMemory);
  }
  const tenancy::Customer other{*CustomerId::parse("cliente-b"), "B", "hot-0", {}, 0};
  {
    Batch beside{other, large_remote_write()};
    EXPECT_FALSE(form->accept(beside)) << "another customer's";
  }
  first.reset();
  Batch again{customer_, large_remote_write()};
  EXPECT_FALSE(form->accept(again));
}

// B7: what is small goes on, and what is not is refused before it is there.
TEST_F(ProcessorTest, WhileMemoryIsShortOnlySmallRemoteWriteIsUnpacked) {
  RateLimiter rates(clock_, 1);
  bool is_short = true;
  const auto form = make_form_stage(rates, metrics_, clock_, [&] { return is_short; });
  const auto small_remote_write = [] {
    std::string message;
    wire::remote_write::append_sample(
        message, wire::remote_write::encode_labels(Labels::from({{"__name__", "m"}})), {1, 1});
    ExportRequest request{Signal::kMetrics, "remote_write",
                          wire::remote_write::compress_request(message)};
    request.remote_write = series::WriteVersion::k1;
    return request;
  };
  {
    Batch large{customer_, large_remote_write()};
    const auto refusal = form->accept(large);
    ASSERT_TRUE(refusal);
    EXPECT_EQ(refusal->reason, books::RequestReason::kMemory);
    EXPECT_TRUE(refusal->error.retry_after);
  }
  {
    Batch small{customer_, small_remote_write()};
    EXPECT_FALSE(form->accept(small));
  }
  is_short = false;
  Batch large{customer_, large_remote_write()};
  EXPECT_FALSE(form->accept(large));
}

}  // namespace
}  // namespace vigia::collector::intake
