// What a request becomes: in the log, in the books, in its answer.
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <protozero/pbf_writer.hpp>

#include "libs/model/customer_signal.hpp"
#include "services/collector/intake/limits.hpp"
#include "services/collector/intake/testing/intake_fixture.hpp"

namespace vigia::collector::intake {
namespace {

using testing::MetricsBody;
using testing::one_gauge;

TEST_F(IntakeTest, WhatIsAcknowledgedLiesInTheLogWithItsVerdicts) {
  const std::string body = MetricsBody()
                               .resource("cliente-a")
                               .gauge("good", now())
                               .gauge("up", now())
                               .gauge("later", now() + 6 * 60'000)
                               .gauge("soon", now() + 4 * 60'000)
                               .bytes();
  const auto receipt = take(body);
  ASSERT_TRUE(receipt.has_value()) << receipt.error().message;
  EXPECT_EQ(receipt->items, 4U);
  EXPECT_EQ(receipt->rejected, 2U);
  EXPECT_NE(receipt->message.find("1 reserved"), std::string::npos);
  EXPECT_NE(receipt->message.find("1 future"), std::string::npos);
  const auto record = next_record();
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->header.tag.owner, "cliente-a");
  EXPECT_EQ(record->header.tag.route, "hot-0");
  EXPECT_EQ(record->header.items, 4U);
  EXPECT_EQ(record->header.rejected, 2U);
  const auto verdicts = Verdicts::decode(record->header.tag.note);
  EXPECT_EQ(verdicts->reason_of(1), RejectReason::kReserved);
  EXPECT_EQ(verdicts->reason_of(2), RejectReason::kFuture);
  EXPECT_EQ(record->body, body);
  EXPECT_EQ(books().received, 4U);
  EXPECT_EQ(books().rejected, 2U);
  EXPECT_EQ(books().queued, 2U);
  EXPECT_EQ(shown_as_accepted(), 2U);
}

// The places of hot_shards_test.cpp: prod-web-0 lies in the first of the two, prod-web-1 in the
// second.
TEST_F(IntakeTest, ARecordGoesToTheShardsThatItsNodesLieIn) {
  customer_.hot_shards = {"hot-0", "hot-1"};
  const auto route_of = [this](const std::vector<std::string>& nodes) {
    MetricsBody body;
    for (const std::string& node : nodes) {
      if (node.empty()) {
        body.resource("cliente-a");
      } else {
        body.resource("cliente-a", {{"node.id", node}});
      }
      body.gauge("m", now());
    }
    EXPECT_TRUE(take(body.bytes()).has_value());
    const auto record = next_record();
    return record ? record->header.tag.route : "no record";
  };
  EXPECT_EQ(route_of({"prod-web-0"}), "hot-0");
  EXPECT_EQ(route_of({"prod-web-1"}), "hot-1");
  EXPECT_EQ(route_of({"prod-web-0", "prod-web-2"}), "hot-0");
  EXPECT_EQ(route_of({"prod-web-0", "prod-web-1"}), "hot-0,hot-1");
  // Each of its points may name a node, and so it is looked for in either.
  EXPECT_EQ(route_of({""}), "hot-0,hot-1");
  EXPECT_EQ(route_of({"prod-web-0", ""}), "hot-0,hot-1");
  customer_.hot_shards.clear();
  EXPECT_EQ(route_of({"prod-web-1"}), "hot-0");
}

TEST_F(IntakeTest, TheBooksAgreeAlsoWhileTheDiskWrites) {
  files_.fail_when([this](std::string_view call, const std::string& /*path*/) {
    if (call != "sync") return false;
    ++looks_;
    const books::Books::Line line = books();
    EXPECT_EQ(line.received, line.rejected + line.queued);
    return false;
  });
  use_memory_ = true;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(take(one_gauge("cliente-a", "m", now() + i))->rejected, 0U);
  EXPECT_GE(looks_, 3);
  EXPECT_EQ(books().received, 3U);
  EXPECT_EQ(books().queued, 3U);
}

// R-SEC-11: writing is fenced as reading is.
TEST_F(IntakeTest, AForeignResourceIsRefusedAndTheOthersTaken) {
  MetricsBody body;
  body.resource("cliente-b").gauge("stolen", now());
  body.resource("cliente-a").gauge("mine", now());
  body.resource("").gauge("nobodys", now());
  EXPECT_EQ(take(body.bytes())->rejected, 2U);
}

TEST_F(IntakeTest, WithNothingGoodTheClaimDecidesTheError) {
  const auto foreign = take(one_gauge("cliente-b", "m", now()));
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().code, ErrorCode::kForbidden);
  const auto nobody = take(one_gauge("", "m", now()));
  ASSERT_FALSE(nobody.has_value());
  EXPECT_EQ(nobody.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(appended(), 0U);
  EXPECT_EQ(books().received, 2U);
  EXPECT_EQ(books().rejected, 2U);
}

TEST_F(IntakeTest, TwoCustomerIdsOnOneResourceAreForeign) {
  MetricsBody body;
  body.resource("cliente-a", {{"customer.id", "cliente-b"}}).gauge("m", now());
  const auto receipt = take(body.bytes());
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().code, ErrorCode::kForbidden);
}

TEST_F(IntakeTest, TheAgentAloneMakesAgentMetrics) {
  MetricsBody body;
  for (const char* service : {"vigia-agent", "shop"}) {
    body.resource("cliente-a", {{"service.name", service}})
        .gauge("agent_buffer_usage_percent", now());
  }
  EXPECT_EQ(take(body.bytes())->rejected, 1U);
}

TEST_F(IntakeTest, AReservedJobIsRefusedOnResourceAndPoint) {
  MetricsBody body;
  body.resource("cliente-a", {{"service.name", "customer-agents"}}).gauge("m", now());
  body.resource("cliente-a").gauge("m", now(), {{"job", "otel-collector"}}).gauge("m", now());
  // Without a service name the attribute would become target_info's job.
  body.resource("cliente-a", {{"job", "customer-agents"}, {"service.instance.id", "x"}})
      .gauge("m", now());
  body.resource("cliente-a").gauge("vigia:up:sum", now());
  EXPECT_EQ(take(body.bytes())->rejected, 4U);
}

// C24.
TEST_F(IntakeTest, BadUtf8CostsOnePointAndNotTheBatch) {
  MetricsBody body;
  body.resource("cliente-a")
      .gauge("one", now())
      .gauge("two", now(), {{"k", "\xc3\x28"}})
      .gauge("three", now());
  for (int round = 0; round < 2; ++round) {  // a miss, then a hit of the series cache
    const auto receipt = take(body.bytes());
    EXPECT_EQ(receipt->rejected, 1U);
    EXPECT_NE(receipt->message.find("1 invalid"), std::string::npos);
  }
}

// R-OTLP-5, C26.
TEST_F(IntakeTest, AnEmptyRequestSucceeds) {
  EXPECT_EQ(take("")->items, 0U);
  EXPECT_EQ(appended(), 0U);
}

// R-OTLP-13: a newer OTLP may send it rightly, another signal's wrongly: its sender is told.
TEST_F(IntakeTest, ARequestOfUnknownFieldsAloneHasAWarning) {
  const std::string unknown(
      "\x9a\x06\x03"
      "abc");
  for (const Signal signal : {Signal::kMetrics, Signal::kTraces, Signal::kLogs}) {
    const auto receipt = take(unknown, signal);
    ASSERT_TRUE(receipt);
    EXPECT_EQ(receipt->items, 0U);
    EXPECT_EQ(receipt->rejected, 0U);
    EXPECT_THAT(receipt->message, ::testing::HasSubstr("6 bytes in fields that are not known"));
  }
  EXPECT_EQ(take("")->message, "");
  EXPECT_EQ(take(MetricsBody().resource("cliente-a").gauge("m", now()).bytes() + unknown)->message,
            "");
}

TEST_F(IntakeTest, GarbageIsInvalid) {
  const auto receipt = take("\xff\xff\xff");
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().code, ErrorCode::kInvalid);
  EXPECT_EQ(books().received, 0U);
}

TEST_F(IntakeTest, ADamagedAttributeOfTheLastPointIsInvalid) {
  std::string body =
      MetricsBody().resource("cliente-a").gauge("m", now(), {{"k", "DAMAGED"}}).bytes();
  body[body.find("DAMAGED") - 1] = '\x7f';  // a length past the end of the attribute
  for (int round = 0; round < 2; ++round) {
    const auto receipt = take(body);
    ASSERT_FALSE(receipt.has_value());
    EXPECT_EQ(receipt.error().code, ErrorCode::kInvalid);
  }
}

TEST_F(IntakeTest, SpansAndRecordsAreKeptToo) {
  EXPECT_EQ(take(testing::one_span("cliente-a"), Signal::kTraces)->rejected, 0U);
  EXPECT_EQ(kept_signal(next_record()->header.tag.kind), Signal::kTraces);
  EXPECT_EQ(take(testing::one_record("cliente-a"), Signal::kLogs)->rejected, 0U);
  EXPECT_EQ(kept_signal(next_record()->header.tag.kind), Signal::kLogs);
  EXPECT_EQ(take(testing::one_span("cliente-b"), Signal::kTraces).error().code,
            ErrorCode::kForbidden);
  EXPECT_EQ(take(testing::one_record(""), Signal::kLogs).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(books(Signal::kTraces).queued, 1U);
}

// C-B1: an SDK's first request failed, and nothing said what to do.
TEST_F(IntakeTest, WhoNamesNoCustomerIsToldTheCure) {
  const std::string cure =
      "1 no_customer (resource attribute customer.id is missing: set "
      "OTEL_RESOURCE_ATTRIBUTES=customer.id=cliente-a, or";
  EXPECT_NE(take(one_gauge("", "m", now())).error().message.find(cure), std::string::npos);
  EXPECT_NE(take(testing::one_record(""), Signal::kLogs).error().message.find(cure),
            std::string::npos);
}

TEST_F(IntakeTest, AMissingCustomerIsFilledInWhereTheSettingsSaySo) {
  settings_.fills_missing_customer = true;
  EXPECT_EQ(take(one_gauge("", "m", now()))->rejected, 0U);
  EXPECT_NE(next_record()->body.find("cliente-a"), std::string::npos);
  EXPECT_EQ(take(testing::one_span(""), Signal::kTraces)->rejected, 0U);
  EXPECT_NE(next_record()->body.find("customer.id"), std::string::npos);
  EXPECT_EQ(take(one_gauge("cliente-b", "m", now())).error().code, ErrorCode::kForbidden);
}

// A12: the second of two equal lines was taken for a repeat of the first.
TEST_F(IntakeTest, LinesWithoutATimeGetOneBeforeTheyAreKept) {
  const std::string body = testing::one_record("cliente-a");
  std::set<std::string> kept;
  for (int i = 0; i < 3; ++i) {
    const auto receipt = take(body, Signal::kLogs);
    EXPECT_EQ(receipt->rejected, 0U);
    // R-OTLP-6: a warning beside it.
    EXPECT_EQ(receipt->message, "1 log records came without a time and got that of their receipt");
    kept.insert(next_record()->body);
  }
  EXPECT_EQ(kept.size(), 3U);  // the clock stands still meanwhile
  for (const std::string& one : kept) EXPECT_EQ(one.size(), body.size() + 9);
}

// A4d.
TEST_F(IntakeTest, WhereManyAreAheadTheCollectorsClockIsInDoubt) {
  const std::string ahead_a = one_gauge("cliente-a", "m", now() + 6 * 60'000);
  // Nothing has shown yet whose clock is right.
  EXPECT_EQ(take(ahead_a).error().code, ErrorCode::kUnavailable);
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(take(one_gauge("cliente-a", "m", now()))->rejected, 0U);
    clock_.advance(std::chrono::minutes(1));
  }
  EXPECT_EQ(take(one_gauge("cliente-a", "m", now() + 6 * 60'000))->rejected, 1U);
  customer_.id = *CustomerId::parse("cliente-b");
  const auto receipt = take(one_gauge("cliente-b", "m", now() + 6 * 60'000));
  ASSERT_FALSE(receipt.has_value());
  EXPECT_EQ(receipt.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(intake().is_clock_in_doubt());
  EXPECT_TRUE(take(one_gauge("cliente-b", "m", now())).has_value());  // what is not ahead is taken
  EXPECT_FALSE(intake().is_clock_in_doubt());
}

// R-OTLP-8, C26: nothing can be kept now.
TEST_F(IntakeTest, AFullLogIsARetryableRefusalThatTheBooksKnow) {
  log_bytes_max_ = 256U << 10U;
  MetricsBody points;
  points.resource("cliente-a");
  for (unsigned i = 0; i < 500; ++i) {
    points.gauge("m" + std::to_string(i), now(), {{"k", std::to_string(i * 2654435761U)}});
  }
  const std::string body = points.bytes();
  Result<Receipt> receipt = take(body);
  for (int i = 0; i < 100 && receipt; ++i) receipt = take(body);
  ASSERT_FALSE(receipt.has_value());
  EXPECT_TRUE(is_retryable(receipt.error()));
  EXPECT_EQ(books().received, books().rejected + books().queued);
  EXPECT_EQ(books().rejected, 500U);
  EXPECT_EQ(shown_as_accepted(), books().queued);
}

}  // namespace
}  // namespace vigia::collector::intake
