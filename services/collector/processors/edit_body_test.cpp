#include "services/collector/processors/edit_body.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "libs/wire/edit/value.hpp"
#include "libs/wire/otlp/walker.hpp"
#include "services/collector/intake/intake.hpp"
#include "services/collector/testing/otlp_requests.hpp"

namespace vigia::collector::processors {
namespace {

using collector::testing::MetricsBody;
using wire::edit::EditPlace;
using wire::edit::Fate;

class DropNamed final : public wire::edit::Editor {
 public:
  explicit DropNamed(std::string name) : name_(std::move(name)) {}
  Fate on_metric(const EditPlace& place) override {
    return place.metric.bytes(wire::otlp::MetricField::kName) == name_ ? Fate::kDrop : Fate::kKeep;
  }

 private:
  std::string name_;
};

class DropStage final : public intake::Stage {
 public:
  std::optional<intake::Refusal> accept(intake::Batch& batch) override {
    DropNamed editor("noise");
    return edit_body(batch, editor);
  }
};

class EditBodyTest : public ::testing::Test {
 protected:
  Result<intake::Receipt> take(std::string body) {
    Result<intake::Receipt> answer = fail(ErrorCode::kInternal, "not answered");
    intake_.take(customer_, {Signal::kMetrics, "grpc", std::move(body)},
                 [&answer](Result<intake::Receipt> receipt) { answer = std::move(receipt); });
    return answer;
  }
  static std::vector<std::unique_ptr<intake::Stage>> processors() {
    std::vector<std::unique_ptr<intake::Stage>> stages;
    stages.push_back(std::make_unique<DropStage>());
    return stages;
  }
  books::Books::Line line() const { return books_.line(customer_.id, Signal::kMetrics, "x"); }
  std::int64_t now() const { return clock_.wall_ms(); }

  ManualClock clock_{1'800'000'000'000'000'000};
  service::MetricRegistry metrics_;
  books::Books books_{metrics_};
  series::SeriesCache series_{{}, clock_};
  tenancy::Customer customer_{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  intake::Intake intake_{
      {},
      {},
      intake::IntakeParts{nullptr, series_, [] { return nullptr; }, books_, metrics_, clock_},
      processors()};
};

TEST_F(EditBodyTest, WhatWentIsReceivedAndFilteredAndNotTold) {
  const auto receipt = take(MetricsBody()
                                .resource("cliente-a")
                                .gauge("good", now())
                                .gauge("noise", now())
                                .gauge("noise", now())
                                .gauge("up", now())
                                .bytes());
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->rejected, 1U);
  EXPECT_EQ(line().received, 4U);
  EXPECT_EQ(line().filtered, 2U);
  EXPECT_EQ(line().rejected, 1U);
}

TEST_F(EditBodyTest, ARequestOfWhichNothingIsLeftIsTaken) {
  const auto receipt = take(collector::testing::one_gauge("cliente-a", "noise", now()));
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->rejected, 0U);
  EXPECT_EQ(line().received, 1U);
  EXPECT_EQ(line().filtered, 1U);
}

// Else who sends nothing but what is taken out would have no bound.
TEST_F(EditBodyTest, WhatWentIsChargedAsItsWork) {
  customer_.limits.points_per_second = 1;
  MetricsBody noise;
  noise.resource("cliente-a");
  for (int i = 0; i < 1500; ++i) noise.gauge("noise", now());
  EXPECT_TRUE(take(noise.bytes()).has_value());
  EXPECT_EQ(take(noise.bytes()).error().code, ErrorCode::kOverLimit);
}

TEST_F(EditBodyTest, WhatIsNoRequestIsRefusedAsEver) {
  EXPECT_EQ(take("\x0a\x7f").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(line().received, 0U);
}

/// Makes much of little.
class Swelling final : public wire::edit::Editor {
 public:
  Fate on_item(const EditPlace& /*place*/, wire::edit::Editable& item) override {
    item.set_attribute("more", wire::edit::encoded_value(
                                   wire::edit::ValueView::of_text(std::string(100'000, 'x'))));
    return Fate::kKeep;
  }
};

TEST_F(EditBodyTest, WhatBecomesMuchMoreIsRefusedAsTooLarge) {
  MetricsBody body;
  body.resource("cliente-a");
  for (int i = 0; i < 20; ++i) body.gauge("m", now());
  intake::Batch batch{customer_, {Signal::kMetrics, "grpc", body.bytes()}};
  Swelling editor;
  const auto refusal = edit_body(batch, editor);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->error.code, ErrorCode::kTooLarge);
  EXPECT_EQ(refusal->reason, books::RequestReason::kRequestSize);
  EXPECT_EQ(refusal->items, 20U);
  EXPECT_TRUE(refusal->is_fined);
  EXPECT_EQ(batch.request.body, body.bytes());
}

TEST(Fence, CoversEveryKeyThatBecomesTheCustomersLabel) {
  for (const char* key : {"customer.id", "customer_id", "customer/id", "customer..id"})
    EXPECT_TRUE(is_fenced(key)) << key;
  for (const char* key : {"", "customer", "id", "customerid", "customer.idx", "the.customer.id",
                          "customer.paid", "Customer.id"})
    EXPECT_FALSE(is_fenced(key)) << key;
}

/// Tries all that an editor can do to the resource.
class Meddling final : public wire::edit::Editor {
 public:
  Fate on_resource(const EditPlace& place) override {
    const std::string other =
        wire::edit::encoded_value(wire::edit::ValueView::of_text("cliente-b"));
    place.resource.set_attribute("customer.id", other);
    place.resource.erase_attribute("customer.id");
    place.resource.for_each_attribute([&](wire::edit::Editable::AttributeRef& attribute) {
      attribute.set_key("other");
      attribute.set_value(other);
      attribute.erase();
    });
    return Fate::kKeep;
  }
};

TEST(Fence, NoEditorGetsOverIt) {
  const tenancy::Customer customer{*CustomerId::parse("cliente-a"), "A", "hot-0", {}, 0};
  const std::string body = collector::testing::one_gauge("cliente-a", "m", 1);
  intake::Batch batch{customer, {Signal::kMetrics, "grpc", body}};
  Meddling editor;
  EXPECT_FALSE(edit_body(batch, editor).has_value());
  EXPECT_EQ(batch.request.body, body);
}

}  // namespace
}  // namespace vigia::collector::processors
